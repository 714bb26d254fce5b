//! Response with its body, and assertions on it.

use reqwest::header::HeaderMap;
use serde_json::Value;

#[derive(Debug)]
pub struct TestResponse {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl TestResponse {
    pub async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("the body arrives");
        Self { status, headers, text }
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no header {name} in {self:?}"));
        value.to_str().expect("headers are ASCII")
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// Asserts the status.
    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Asserts 200. Returns the body.
    #[track_caller]
    pub fn ok(&self) -> Value {
        self.is(200).json()
    }

    /// Asserts 201. Returns the body.
    #[track_caller]
    pub fn created(&self) -> Value {
        self.is(201).header("location");
        self.json()
    }

    /// Asserts 202 with a message.
    #[track_caller]
    pub fn accepted(&self) {
        assert!(self.is(202).json()["detail"].is_string());
    }

    /// Asserts 204 without a body.
    #[track_caller]
    pub fn no_content(&self) {
        assert_eq!(self.is(204).text, "");
    }

    /// Asserts a problem document of this status and type. Returns it.
    #[track_caller]
    pub fn problem(&self, status: u16, kind: &str) -> Value {
        self.is(status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:problem-type:care4u:{kind}"));
        assert_eq!(problem["status"], status);
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        problem
    }

    /// Asserts 422 with exactly these violations, as (field, code).
    #[track_caller]
    pub fn violates(&self, expected: &[(&str, &str)]) {
        let problem = self.problem(422, "invalid");
        let errors = problem["errors"].as_array().expect("a 422 lists its errors");
        let found: Vec<_> = errors
            .iter()
            .map(|error| (error["field"].as_str().unwrap_or_default(), error["code"].as_str().unwrap_or_default()))
            .collect();
        assert_eq!(found, expected, "{problem}");
    }

    /// Asserts an error of the token endpoint.
    #[track_caller]
    pub fn oauth_error(&self, status: u16, error: &str) {
        let body = self.is(status).json();
        assert_eq!(body["error"], error, "{body}");
        assert_eq!(self.header("cache-control"), "no-store");
    }
}
