//! Token endpoint (OAuth 2.0).

use reqwest::Method;
use serde_json::json;

use crate::BACKEND;
use crate::support::app::{PASSWORD, TestApp};

#[tokio::test]
async fn the_token_endpoint_logs_in_and_refreshes() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let form = [("grant_type", "password"), ("username", patient.email.as_str()), ("password", PASSWORD)];
    let response = app.token(&form).await;
    let pair = response.ok();
    assert_eq!(response.header("cache-control"), "no-store");
    let refresh_token = pair["refresh_token"].as_str().unwrap();
    app.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await.ok();
}

#[tokio::test]
async fn the_token_endpoint_returns_errors_of_rfc_6749() {
    let app = TestApp::start(BACKEND).await;
    let email = app.patient().await.email;
    let password = ("grant_type", "password");
    let cases: [(&[(&str, &str)], &str); 9] = [
        (&[], "invalid_request"),
        (&[("grant_type", "")], "invalid_request"),
        (&[("grant_type", "authorization_code")], "unsupported_grant_type"),
        (&[password], "invalid_request"),
        (&[password, ("username", "not an address"), ("password", PASSWORD)], "invalid_request"),
        (&[password, ("username", &email), ("password", "wrong password")], "invalid_grant"),
        (&[password, ("username", &email), ("username", &email), ("password", PASSWORD)], "invalid_request"),
        (&[("grant_type", "refresh_token")], "invalid_request"),
        (&[("grant_type", "refresh_token"), ("refresh_token", "nonsense")], "invalid_grant"),
    ];
    for (form, error) in cases {
        app.token(form).await.oauth_error(400, error);
    }
}

#[tokio::test]
async fn the_token_endpoint_reads_only_forms_and_nothing_from_the_query() {
    let app = TestApp::start(BACKEND).await;
    let form = [("grant_type", "password"), ("username", "ada@example.org"), ("password", PASSWORD)];
    let json = app.request(Method::POST, "/api/v1/auth/token").json(&json!({ "grant_type": "password" }));
    app.send(json).await.oauth_error(400, "invalid_request");
    let query = app.request(Method::POST, "/api/v1/auth/token?password=secret").form(&form);
    app.send(query).await.oauth_error(400, "invalid_request");
    let large = "x".repeat(300_000);
    app.token(&[("grant_type", &large)]).await.oauth_error(413, "invalid_request");
}

#[tokio::test]
async fn the_password_grant_can_be_disabled() {
    let app = TestApp::start_with(BACKEND, &[("CARE4U__AUTH__PASSWORD_GRANT", "false")]).await;
    let patient = app.patient().await;
    let form = [("grant_type", "password"), ("username", patient.email.as_str()), ("password", PASSWORD)];
    app.token(&form).await.oauth_error(400, "unsupported_grant_type");
    app.token(&[("grant_type", "refresh_token"), ("refresh_token", &patient.refresh_token)]).await.ok();
}
