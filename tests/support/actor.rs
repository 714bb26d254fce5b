//! Actor: a logged-in user of a test.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use super::app::{PASSWORD, TestApp};
use super::response::TestResponse;

pub struct Actor<'a> {
    pub app: &'a TestApp,
    pub id: Uuid,
    pub email: String,
    pub access_token: String,
    pub refresh_token: String,
}

impl<'a> Actor<'a> {
    /// Logs in an account that has the password of the tests.
    pub async fn log_in(app: &'a TestApp, id: Uuid, email: String) -> Self {
        let response = app.post("/api/v1/auth/login", json!({ "email": email, "password": PASSWORD })).await;
        let pair = response.ok();
        let token = |name: &str| pair[name].as_str().expect("a pair has two tokens").to_owned();
        Self { app, id, email, access_token: token("access_token"), refresh_token: token("refresh_token") }
    }

    /// The same user in another session.
    pub async fn on_another_device(&self) -> Actor<'a> {
        Self::log_in(self.app, self.id, self.email.clone()).await
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.app.request(method, &format!("/api/v1{path}")).bearer_auth(&self.access_token)
    }

    pub async fn get(&self, path: &str) -> TestResponse {
        self.app.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> TestResponse {
        self.app.send(self.request(Method::POST, path).json(&body)).await
    }

    /// Sends a POST request without a body.
    pub async fn post_empty(&self, path: &str) -> TestResponse {
        self.app.send(self.request(Method::POST, path)).await
    }

    pub async fn put_empty(&self, path: &str) -> TestResponse {
        self.app.send(self.request(Method::PUT, path)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> TestResponse {
        self.app.send(self.request(Method::PUT, path).json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> TestResponse {
        self.app.send(self.request(Method::PATCH, path).json(&body)).await
    }

    /// Sends a file.
    pub async fn upload(&self, path: &str, media_type: &str, file: impl Into<Vec<u8>>) -> TestResponse {
        let request = self.request(Method::POST, path).header("content-type", media_type);
        self.app.send(request.body(file.into())).await
    }

    pub async fn delete(&self, path: &str) -> TestResponse {
        self.app.send(self.request(Method::DELETE, path)).await
    }

    pub async fn delete_with(&self, path: &str, body: Value) -> TestResponse {
        self.app.send(self.request(Method::DELETE, path).json(&body)).await
    }

    /// Requests a first dose. Returns the id of the request.
    pub async fn ask_for(&self, vaccine: &str) -> String {
        let vaccine_id = self.app.vaccine(vaccine).await;
        let request = self.post("/vaccine-requests", json!({ "vaccine_id": vaccine_id })).await.created();
        request["id"].as_str().expect("ids are text").to_owned()
    }
}
