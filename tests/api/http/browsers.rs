//! What browsers need: cross-origin requests (CORS), and headers that protect pages.

use reqwest::Method;

use crate::BACKEND;
use crate::support::app::TestApp;

const ORIGIN: &str = "https://clinic.example";

fn preflight(app: &TestApp, origin: &str) -> reqwest::RequestBuilder {
    app.request(Method::OPTIONS, "/api/v1/users/me")
        .header("origin", origin)
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", "authorization, content-type, idempotency-key")
}

#[tokio::test]
async fn cross_origin_requests_are_closed_by_default() {
    let app = TestApp::start(BACKEND).await;
    let response = preflight(&app, ORIGIN).send().await.unwrap();
    assert!(response.status().is_client_error());
    assert!(!response.headers().contains_key("access-control-allow-origin"));
    let vaccines = app.request(Method::GET, "/api/v1/vaccines").header("origin", ORIGIN).send().await.unwrap();
    assert!(!vaccines.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn a_preflight_of_a_configured_origin_is_answered_before_the_guard() {
    let origins = "https://other.example,https://clinic.example";
    let app = TestApp::start_with(BACKEND, &[("CARE4U__SERVER__CORS_ORIGINS", origins)]).await;
    let response = preflight(&app, ORIGIN).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_lowercase();
    assert_eq!(header("access-control-allow-origin"), ORIGIN);
    assert!(header("access-control-allow-methods").contains("patch"));
    assert!(header("access-control-allow-headers").contains("authorization"));
    assert!(!response.headers().contains_key("access-control-allow-credentials"));
    // Problem documents can be read, too.
    let refused = app.request(Method::GET, "/api/v1/users/me").header("origin", ORIGIN).send().await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["access-control-allow-origin"]),
        (401, &ORIGIN.parse().unwrap())
    );
    let exposed = refused.headers()["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.contains("retry-after") && exposed.contains("idempotency-replayed"), "{exposed}");
    let stranger = preflight(&app, "https://evil.example").send().await.unwrap();
    assert_eq!(stranger.status(), 400);
    assert_eq!(stranger.headers()["content-type"], "application/problem+json");
    assert!(!stranger.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn every_response_has_the_headers_that_protect_pages() {
    let app = TestApp::start(BACKEND).await;
    for path in ["/", "/docs/", "/problems", "/health/live", "/api/v1/vaccines", "/api/v1/users/me", "/nowhere"] {
        let response = app.request(Method::GET, path).send().await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("script-src") || policy.contains("script-src 'self';"), "{path}: {policy}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
    }
}

#[tokio::test]
async fn two_authorization_headers_are_malformed() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let twice = patient.request(Method::GET, "/users/me").bearer_auth("another");
    app.send(twice).await.problem(400, "malformed");
}

#[tokio::test]
async fn a_path_that_is_no_id_answers_a_wrong_method_with_405() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    for (method, path, allowed) in [
        (Method::PATCH, "/contacts/export", "GET, HEAD"),
        (Method::DELETE, "/contacts/imports", "GET, HEAD, POST"),
        (Method::DELETE, "/contacts/birthdays", "GET, HEAD"),
        (Method::POST, "/users/me", "GET, HEAD, PATCH"),
    ] {
        let request = patient.request(method, path).json(&serde_json::json!({}));
        let response = request.send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["allow"]),
            (405, &allowed.parse().unwrap()),
            "{path}"
        );
    }
    patient.delete("/contacts/nonsense").await.violates(&[("id", "type")]);
}
