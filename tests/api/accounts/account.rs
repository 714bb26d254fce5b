//! Account of the caller.

use reqwest::Method;
use serde_json::{Value, json};

use crate::BACKEND;
use crate::support::app::TestApp;

#[tokio::test]
async fn account_endpoints_require_a_token() {
    let app = TestApp::start(BACKEND).await;
    for (method, path) in [
        (Method::GET, "/users/me"),
        (Method::PATCH, "/users/me"),
        (Method::DELETE, "/users/me"),
        (Method::PUT, "/users/me/password"),
        (Method::GET, "/users"),
        (Method::GET, "/users/01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10"),
        (Method::PATCH, "/users/01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10"),
    ] {
        let response = app.send(app.request(method, &format!("/api/v1{path}"))).await;
        response.problem(401, "unauthenticated");
        assert_eq!(response.header("www-authenticate"), "Bearer realm=\"care4u\"");
    }
}

#[tokio::test]
async fn a_profile_is_updated_by_a_merge_patch() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let set = json!({ "name": " Ada King ", "nid": "1912", "phone_number": "+44 20 7946", "birth_date": "1985-12-10" });
    let after = patient.patch("/users/me", set).await.ok();
    assert_eq!((&after["name"], &after["nid"]), (&json!("Ada King"), &json!("1912")));

    let patch = patient
        .request(Method::PATCH, "/users/me")
        .header("content-type", "application/merge-patch+json")
        .body(r#"{"nid": null, "address": "Ockham Park"}"#);
    let after = app.send(patch).await.ok();
    assert_eq!((&after["nid"], &after["address"]), (&Value::Null, &json!("Ockham Park")));
    assert_eq!((&after["phone_number"], &after["birth_date"]), (&json!("+44 20 7946"), &json!("1985-12-10")));
    assert_eq!(patient.get("/users/me").await.ok(), after);
    assert_eq!(patient.patch("/users/me", json!({})).await.ok()["name"], "Ada King");
}

#[tokio::test]
async fn members_that_an_owner_may_not_change_are_rejected() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let before = patient.get("/users/me").await.ok();
    for field in ["role", "email", "id", "email_verified_at", "password", "created_at"] {
        let response = patient.patch("/users/me", json!({ "name": "Changed", field: "admin" })).await;
        response.violates(&[(field, "unknown")]);
    }
    patient.patch("/users/me", json!({ "name": null })).await.violates(&[("name", "type")]);
    let invalid = json!({ "name": "", "nid": "", "phone_number": "1", "birth_date": "1850-01-01" });
    patient.patch("/users/me", invalid).await.violates(&[
        ("birth_date", "range"),
        ("name", "blank"),
        ("nid", "blank"),
        ("phone_number", "phone_number"),
    ]);
    patient.patch("/users/me", json!({ "birth_date": "2001-02-30" })).await.violates(&[("birth_date", "type")]);
    assert_eq!(patient.get("/users/me").await.ok(), before);
}
