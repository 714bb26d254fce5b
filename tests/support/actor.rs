//! Somebody who is signed in.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::Answer;
use super::app::{PASSWORD, TestApp};

pub struct Actor<'a> {
    pub app: &'a TestApp,
    pub id: Uuid,
    pub email: String,
    pub access_token: String,
    pub refresh_token: String,
}

impl<'a> Actor<'a> {
    /// Signs in an account that has the password of the tests.
    pub async fn log_in(app: &'a TestApp, id: Uuid, email: String) -> Self {
        let answer = app.post("/api/v1/auth/login", json!({ "email": email, "password": PASSWORD })).await;
        let pair = answer.ok();
        let token = |name: &str| pair[name].as_str().expect("a pair has two tokens").to_owned();
        Self { app, id, email, access_token: token("access_token"), refresh_token: token("refresh_token") }
    }

    /// The same person on another device.
    pub async fn elsewhere(&self) -> Actor<'a> {
        Self::log_in(self.app, self.id, self.email.clone()).await
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.app.request(method, &format!("/api/v1{path}")).bearer_auth(&self.access_token)
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.app.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.app.send(self.request(Method::POST, path).json(&body)).await
    }

    /// Posts without a body.
    pub async fn post_empty(&self, path: &str) -> Answer {
        self.app.send(self.request(Method::POST, path)).await
    }

    pub async fn put_empty(&self, path: &str) -> Answer {
        self.app.send(self.request(Method::PUT, path)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.app.send(self.request(Method::PUT, path).json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.app.send(self.request(Method::PATCH, path).json(&body)).await
    }

    /// Posts a file.
    pub async fn upload(&self, path: &str, media_type: &str, file: impl Into<Vec<u8>>) -> Answer {
        let request = self.request(Method::POST, path).header("content-type", media_type);
        self.app.send(request.body(file.into())).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.app.send(self.request(Method::DELETE, path)).await
    }

    pub async fn delete_with(&self, path: &str, body: Value) -> Answer {
        self.app.send(self.request(Method::DELETE, path).json(&body)).await
    }

    /// Asks for a first dose and returns the request's id.
    pub async fn ask_for(&self, vaccine: &str) -> String {
        let vaccine_id = self.app.vaccine(vaccine).await;
        let request = self.post("/vaccine-requests", json!({ "vaccine_id": vaccine_id })).await.created();
        request["id"].as_str().expect("ids are text").to_owned()
    }
}
