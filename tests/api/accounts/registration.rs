//! Registration: open, where a taken address is a conflict, and silent, where the response does not reveal it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::BACKEND;
use crate::support::app::{PASSWORD, TestApp};

fn ada() -> Value {
    json!({ "name": "Ada Lovelace", "email": "Ada@Example.org", "password": PASSWORD })
}

#[tokio::test]
async fn a_registered_user_can_log_in_and_get_their_account() {
    let app = TestApp::start(BACKEND).await;
    let body = json!({
        "name": " Ada Lovelace ", "email": " Ada@Example.org ", "password": PASSWORD, "nid": "1912-AL",
        "phone_number": "+44 20 7946 0018", "address": "12 St James's Square\nLondon", "birth_date": "1985-12-10",
    });
    let response = app.post("/api/v1/auth/register", body).await;
    let account = response.created();
    assert_eq!(response.header("location"), format!("/api/v1/users/{}", account["id"].as_str().unwrap()));
    assert_eq!(account["email"], "ada@example.org");
    assert_eq!(account["name"], "Ada Lovelace");
    assert_eq!(account["role"], "patient");
    assert_eq!(account["email_verified_at"], Value::Null);
    assert!(!response.text.contains("password"), "{}", response.text);

    let login = json!({ "email": "ADA@example.org", "password": PASSWORD });
    let response = app.post("/api/v1/auth/login", login).await;
    let pair = response.ok();
    assert_eq!(response.header("cache-control"), "no-store");
    assert_eq!((&pair["token_type"], &pair["expires_in"]), (&json!("Bearer"), &json!(900)));
    let me = app.request(Method::GET, "/api/v1/users/me").bearer_auth(pair["access_token"].as_str().unwrap());
    assert_eq!(app.send(me).await.ok(), account);
}

#[tokio::test]
async fn an_email_can_be_registered_once_in_any_letter_case() {
    let app = TestApp::start(BACKEND).await;
    app.post("/api/v1/auth/register", ada()).await.created();
    let mut again = ada();
    again["email"] = json!("aDA@eXAMPLE.ORG");
    app.post("/api/v1/auth/register", again).await.problem(409, "email-taken");
}

#[tokio::test]
async fn of_concurrent_registrations_of_one_email_one_succeeds() {
    let app = TestApp::start(BACKEND).await;
    let responses = (0..8).map(|_| app.post("/api/v1/auth/register", ada()));
    let responses = futures_util::future::join_all(responses).await;
    let mut statuses: Vec<_> = responses.iter().map(|response| response.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn all_invalid_fields_of_a_registration_are_reported_at_once() {
    let app = TestApp::start(BACKEND).await;
    let body = json!({
        "name": " ", "email": "ada@", "password": "short", "nid": "a;b", "phone_number": "call me",
        "address": "nul\0", "birth_date": "2999-01-01",
    });
    app.post("/api/v1/auth/register", body).await.violates(&[
        ("address", "control"),
        ("birth_date", "range"),
        ("email", "email"),
        ("name", "blank"),
        ("nid", "nid"),
        ("password", "length"),
        ("phone_number", "phone_number"),
    ]);
    app.post("/api/v1/auth/register", json!({})).await.violates(&[
        ("email", "email"),
        ("name", "blank"),
        ("password", "length"),
    ]);
}

#[tokio::test]
async fn a_rejected_password_is_not_repeated_in_the_response() {
    let app = TestApp::start(BACKEND).await;
    for password in ["hunter2", "password1", &"ж".repeat(257)] {
        let mut body = ada();
        body["password"] = json!(password);
        let response = app.post("/api/v1/auth/register", body).await;
        response.problem(422, "invalid");
        assert!(!response.text.contains(password), "{}", response.text);
    }
}

#[tokio::test]
async fn members_that_only_the_service_sets_are_rejected() {
    let app = TestApp::start(BACKEND).await;
    for (field, value) in [
        ("role", json!("admin")),
        ("id", json!("01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")),
        ("verified", json!(true)),
        ("email_verified_at", json!("2020-01-01T00:00:00Z")),
        ("created_at", json!("2020-01-01T00:00:00Z")),
        ("password_hash", json!("$2b$04$")),
    ] {
        let mut body = ada();
        body[field] = value;
        app.post("/api/v1/auth/register", body).await.violates(&[(field, "unknown")]);
    }
    app.post("/api/v1/auth/login", json!({ "email": "ada@example.org", "password": PASSWORD }))
        .await
        .problem(401, "wrong-credentials");
}

const SILENT: [(&str, &str); 1] = [("CARE4U__REGISTRATION__ON_DUPLICATE", "silent")];

#[tokio::test]
async fn silent_registration_answers_the_same_for_taken_and_free_addresses() {
    let app = TestApp::start_with(BACKEND, &SILENT).await;
    let patient = app.patient().await;
    let (new, taken) = (app.register("new@example.org").await, app.register(&patient.email).await);
    new.accepted();
    assert_eq!((new.status, &new.text), (taken.status, &taken.text));
    let code = app.mail.code("new@example.org", 1).await;
    let body = json!({ "email": "new@example.org", "code": code, "password": PASSWORD });
    app.post("/api/v1/auth/verify-email", body).await.no_content();
    app.log_in("new@example.org", PASSWORD).await.ok();
    let mail = app.mail.wait_for(&patient.email, 1).await;
    assert_eq!(mail.subject, "You have an account already");
    patient.get("/users/me").await.ok();
}

#[tokio::test]
async fn a_login_after_silent_registration_does_not_reveal_a_taken_address() {
    let app = TestApp::start_with(BACKEND, &SILENT).await;
    let patient = app.patient().await;
    for email in ["new@example.org", &patient.email] {
        let body = json!({ "name": "Eve", "email": email, "password": "the password of Eve" });
        app.post("/api/v1/auth/register", body).await.accepted();
    }
    let (new, taken) = (
        app.log_in("new@example.org", "the password of Eve").await.problem(401, "wrong-credentials"),
        app.log_in(&patient.email, "the password of Eve").await.problem(401, "wrong-credentials"),
    );
    assert_eq!(new["detail"], taken["detail"]);
}

#[tokio::test]
async fn a_registration_whose_mail_cannot_be_stored_is_rolled_back() {
    use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait};
    let app = TestApp::start(BACKEND).await;
    app.state().db.execute_unprepared("ALTER TABLE outbox RENAME TO on_another_device").await.unwrap();
    app.register("ada@example.org").await.problem(500, "internal");
    assert_eq!(entity::users::Entity::find().count(&app.state().db).await.unwrap(), 0);
    app.state().db.execute_unprepared("ALTER TABLE on_another_device RENAME TO outbox").await.unwrap();
    app.register("ada@example.org").await.created();
    app.mail.wait_for("ada@example.org", 1).await;
}

#[tokio::test]
async fn a_password_that_is_the_address_or_the_name_is_refused_everywhere() {
    let app = TestApp::start(BACKEND).await;
    let mut body = ada();
    for password in ["ada@example.org", "Lovelace1!", "ada lovelace", "care4u2026"] {
        body["password"] = json!(password);
        app.post("/api/v1/auth/register", body.clone()).await.violates(&[("password", "context")]);
    }
    let patient = app.patient().await;
    let change = json!({ "current_password": PASSWORD, "new_password": "AdaLovelace99" });
    patient.put("/users/me/password", change).await.violates(&[("new_password", "context")]);
    app.post("/api/v1/auth/forgot-password", json!({ "email": patient.email })).await.accepted();
    let code = app.mail.code(&patient.email, 1).await;
    let token = app.post("/api/v1/auth/validate-code", json!({ "email": patient.email, "code": code })).await.ok();
    let reset = |password: &str| json!({ "reset_token": token["reset_token"], "new_password": password });
    let refused = app.post("/api/v1/auth/reset-password", reset("Lovelace!")).await;
    refused.violates(&[("new_password", "context")]);
    app.post("/api/v1/auth/reset-password", reset("a longer sentence")).await.no_content();
}

#[tokio::test]
async fn closed_registration_tells_nothing_about_accounts() {
    let app = TestApp::start_with(BACKEND, &[("CARE4U__REGISTRATION__MODE", "closed")]).await;
    let patient = app.patient().await;
    let (new, taken) = (app.register("new@example.org").await, app.register(&patient.email).await);
    let (new, taken) = (new.problem(403, "registration-closed"), taken.problem(403, "registration-closed"));
    assert_eq!(new["detail"], taken["detail"]);
    app.log_in("new@example.org", PASSWORD).await.problem(401, "wrong-credentials");
}

#[tokio::test]
async fn only_addresses_of_allowed_domains_can_be_registered() {
    let domains = [("CARE4U__REGISTRATION__ALLOWED_DOMAINS", "Example.org, b\u{fc}cher.example")];
    let app = TestApp::start_with(BACKEND, &domains).await;
    app.register("ada@example.org").await.created();
    app.register("ada@B\u{fc}cher.example").await.created();
    for email in ["ada@example.net", "ada@sub.example.org", "ada@evilexample.org"] {
        app.register(email).await.violates(&[("email", "domain")]);
    }
}

#[tokio::test]
async fn names_without_a_visible_character_and_with_direction_controls_are_refused() {
    let app = TestApp::start(BACKEND).await;
    for (name, code) in [("\u{200b}", "blank"), ("Ada\u{202e}ecalevoL", "control"), ("Ada\u{2028}King", "control")] {
        let mut body = ada();
        body["name"] = json!(name);
        app.post("/api/v1/auth/register", body).await.violates(&[("name", code)]);
    }
}

#[tokio::test]
async fn addresses_that_cannot_receive_mail_are_refused_for_new_accounts_only() {
    let app = TestApp::start(BACKEND).await;
    for email in ["ada@localhost", "=?utf-8?q?ada?=@example.org"] {
        app.register(email).await.violates(&[("email", "email")]);
        // An account of an earlier release may have it.
        app.log_in(email, PASSWORD).await.problem(401, "wrong-credentials");
    }
}
