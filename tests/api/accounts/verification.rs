//! Verification and change of e-mail addresses.

use serde_json::{Value, json};

use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::response::TestResponse;

const ADA: &str = "ada@example.org";

async fn verify(app: &TestApp, email: &str, code: &str) -> TestResponse {
    let body = json!({ "email": email, "code": code, "password": PASSWORD });
    app.post("/api/v1/auth/verify-email", body).await
}

async fn resend(app: &TestApp, email: &str) -> TestResponse {
    app.post("/api/v1/auth/verify-email/resend", json!({ "email": email })).await
}

fn change(email: &str) -> Value {
    json!({ "email": email, "current_password": PASSWORD })
}

async fn confirm(actor: &Actor<'_>, code: &str) -> TestResponse {
    actor.post("/users/me/email-change/confirm", json!({ "code": code })).await
}

fn id(account: &Value) -> uuid::Uuid {
    account["id"].as_str().and_then(|id| id.parse().ok()).expect("ids are UUIDs")
}

#[tokio::test]
async fn the_code_mailed_at_registration_verifies_the_address_once() {
    let app = TestApp::start(BACKEND).await;
    let account = app.register(ADA).await.created();
    assert!(account["email_verified_at"].is_null());
    let mail = app.mail.wait_for(ADA, 1).await;
    assert_eq!(mail.subject, "Confirm your e-mail address");
    verify(&app, ADA, &mail.code()).await.no_content();
    let ada = Actor::log_in(&app, id(&account), ADA.to_owned()).await;
    assert!(ada.get("/users/me").await.ok()["email_verified_at"].is_string());
    assert_eq!(ada.get("/users/me/activity").await.ok()["items"][1]["action"], "email_verified");
    verify(&app, ADA, &mail.code()).await.violates(&[("code", "wrong")]);
    verify(&app, "nobody@example.org", &mail.code()).await.violates(&[("code", "wrong")]);
}

#[tokio::test]
async fn a_resent_code_replaces_the_first_and_verified_addresses_get_none() {
    let app = TestApp::start(BACKEND).await;
    app.register(ADA).await.created();
    let first = app.mail.code(ADA, 1).await;
    resend(&app, ADA).await.accepted();
    let second = app.mail.code(ADA, 2).await;
    if first != second {
        verify(&app, ADA, &first).await.violates(&[("code", "wrong")]);
    }
    verify(&app, ADA, &second).await.no_content();
    let (confirmed, unknown) = (resend(&app, ADA).await, resend(&app, "nobody@example.org").await);
    confirmed.accepted();
    assert_eq!((confirmed.status, &confirmed.text), (unknown.status, &unknown.text));
    app.outbox_empties().await;
    assert_eq!(app.mail.to(ADA).len(), 2);
    assert!(app.mail.to("nobody@example.org").is_empty());
}

#[tokio::test]
async fn a_mail_to_an_unverified_address_contains_no_name() {
    let app = TestApp::start(BACKEND).await;
    let body = json!({ "name": "WIN at http://evil.example", "email": ADA, "password": PASSWORD });
    app.post("/api/v1/auth/register", body).await.created();
    let mail = app.mail.wait_for(ADA, 1).await;
    assert!(!mail.text.contains("evil"), "{}", mail.text);
    // Nor the mail to the old address, which was never verified.
    let pair = app.log_in(ADA, PASSWORD).await.ok();
    let token = pair["access_token"].as_str().unwrap();
    let as_eve = |method, path: &str, body: Value| {
        app.send(app.request(method, &format!("/api/v1/users/me/email-change{path}")).bearer_auth(token).json(&body))
    };
    as_eve(reqwest::Method::POST, "", change("eve@example.org")).await.accepted();
    let code = app.mail.code("eve@example.org", 1).await;
    as_eve(reqwest::Method::POST, "/confirm", json!({ "code": code })).await.ok();
    app.outbox_empties().await;
    assert_eq!(app.mail.to(ADA).len(), 3);
    assert!(app.mail.to(ADA).iter().all(|mail| !mail.text.contains("evil")));
}

#[tokio::test]
async fn login_requires_a_verified_address_if_configured() {
    let app = TestApp::start_with(BACKEND, &[("CARE4U__AUTH__REQUIRE_VERIFIED_EMAIL", "true")]).await;
    app.register(ADA).await.created();
    app.log_in(ADA, PASSWORD).await.problem(403, "email-unverified");
    app.log_in(ADA, "a wrong guess").await.problem(401, "wrong-credentials");
    let form = [("grant_type", "password"), ("username", ADA), ("password", PASSWORD)];
    app.token(&form).await.oauth_error(400, "invalid_grant");
    let code = app.mail.code(ADA, 1).await;
    verify(&app, ADA, &code).await.no_content();
    let pair = app.log_in(ADA, PASSWORD).await.ok();
    app.refresh(pair["refresh_token"].as_str().unwrap()).await.ok();
}

#[tokio::test]
async fn a_password_reset_verifies_the_address() {
    let app = TestApp::start_with(BACKEND, &[("CARE4U__AUTH__REQUIRE_VERIFIED_EMAIL", "true")]).await;
    app.register(ADA).await.created();
    app.mail.wait_for(ADA, 1).await;
    app.post("/api/v1/auth/forgot-password", json!({ "email": ADA })).await.accepted();
    let code = app.mail.code(ADA, 2).await;
    let token = app.post("/api/v1/auth/validate-code", json!({ "email": ADA, "code": code })).await.ok();
    let body = json!({ "reset_token": token["reset_token"], "new_password": "a longer sentence" });
    app.post("/api/v1/auth/reset-password", body).await.no_content();
    app.log_in(ADA, "a longer sentence").await.ok();
}

#[tokio::test]
async fn an_address_change_is_confirmed_by_the_new_address_and_the_old_one_is_notified() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    patient.post("/users/me/email-change", change(ADA)).await.accepted();
    assert_eq!(app.mail.wait_for(&patient.email, 1).await.subject, "Your e-mail address is about to change");
    let code = app.mail.code(ADA, 1).await;
    assert_eq!(patient.get("/users/me").await.ok()["email"], patient.email);
    app.log_in(ADA, PASSWORD).await.problem(401, "wrong-credentials");
    // A code that is mailed to the old address, which the change invalidates.
    app.post("/api/v1/auth/forgot-password", json!({ "email": patient.email })).await.accepted();
    let old_code = app.mail.code(&patient.email, 2).await;

    let account = confirm(&patient, &code).await.ok();
    assert_eq!(account["email"], ADA);
    assert_eq!(app.mail.wait_for(&patient.email, 3).await.subject, "Your e-mail address has changed");
    app.log_in(ADA, PASSWORD).await.ok();
    app.log_in(&patient.email, PASSWORD).await.problem(401, "wrong-credentials");
    for email in [ADA, &patient.email] {
        let body = json!({ "email": email, "code": old_code });
        app.post("/api/v1/auth/validate-code", body).await.violates(&[("code", "wrong")]);
    }
    confirm(&patient, &code).await.violates(&[("code", "wrong")]);
    let admin = app.admin().await;
    assert_eq!(admin.get(&format!("/users?q={ADA}")).await.ok()["items"][0]["id"], account["id"]);
}

#[tokio::test]
async fn an_address_change_requires_the_password_and_a_different_address() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let wrong = json!({ "email": ADA, "current_password": "a wrong guess" });
    patient.post("/users/me/email-change", wrong).await.violates(&[("current_password", "wrong")]);
    patient.post("/users/me/email-change", change(&patient.email)).await.violates(&[("email", "same")]);
    let neither = json!({ "email": "ada", "current_password": "" });
    patient
        .post("/users/me/email-change", neither)
        .await
        .violates(&[("current_password", "length"), ("email", "email")]);
    app.send(app.request(reqwest::Method::POST, "/api/v1/users/me/email-change").json(&change(ADA)))
        .await
        .problem(401, "unauthenticated");
    confirm(&patient, "123456").await.violates(&[("code", "wrong")]);
    confirm(&patient, "").await.violates(&[("code", "digits")]);
}

#[tokio::test]
async fn a_later_address_change_replaces_a_pending_one() {
    let app = TestApp::start(BACKEND).await;
    let (patient, other) = (app.patient().await, app.patient().await);
    patient.post("/users/me/email-change", change(ADA)).await.accepted();
    let first = app.mail.code(ADA, 1).await;
    patient.post("/users/me/email-change", change("ada@example.net")).await.accepted();
    let second = app.mail.code("ada@example.net", 1).await;
    if first != second {
        confirm(&patient, &first).await.violates(&[("code", "wrong")]);
    }
    confirm(&other, &second).await.violates(&[("code", "wrong")]);
    assert_eq!(confirm(&patient, &second).await.ok()["email"], "ada@example.net");
}

#[tokio::test]
async fn a_taken_address_is_revealed_only_in_the_mail_to_it() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob) = (app.patient().await, app.patient().await);
    ada.post("/users/me/email-change", change(&bob.email)).await.accepted();
    let code = app.mail.code(&bob.email, 1).await;
    confirm(&ada, &code).await.problem(409, "email-taken");
    assert_eq!(ada.get("/users/me").await.ok()["email"], ada.email);
}
