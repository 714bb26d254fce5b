//! A forgotten password: the code, the reset token, and all that must not work.

use futures_util::future::join_all;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::answer::Answer;
use crate::support::app::{PASSWORD, TestApp};

const NEW_PASSWORD: &str = "a longer sentence";

async fn forgot(app: &TestApp, email: &str) -> Answer {
    app.post("/api/v1/auth/forgot-password", json!({ "email": email })).await
}

async fn validate(app: &TestApp, email: &str, code: &str) -> Answer {
    app.post("/api/v1/auth/validate-code", json!({ "email": email, "code": code })).await
}

async fn reset(app: &TestApp, token: &str, password: &str) -> Answer {
    app.post("/api/v1/auth/reset-password", json!({ "reset_token": token, "new_password": password })).await
}

/// The code in the mail number `count` to somebody.
async fn code_for(app: &TestApp, somebody: &Actor<'_>, count: usize) -> String {
    forgot(app, &somebody.email).await.accepted();
    app.mail.code(&somebody.email, count).await
}

async fn token_for(app: &TestApp, somebody: &Actor<'_>, count: usize) -> String {
    let code = code_for(app, somebody, count).await;
    text(&validate(app, &somebody.email, &code).await.ok(), "reset_token")
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().expect("it is text").to_owned()
}

/// Some code that is not this one.
fn another(code: &str) -> String {
    let number: u32 = code.parse().expect("a code is a number");
    format!("{:06}", (number + 1) % 1_000_000)
}

#[tokio::test]
async fn who_forgot_the_password_gets_a_code_sets_another_and_is_signed_out_everywhere() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let elsewhere = patient.elsewhere().await;
    forgot(&app, &format!("  {}", patient.email.to_uppercase())).await.accepted();
    let mail = app.mail.wait_for(&patient.email, 1).await;
    assert_eq!(mail.subject, "Your code to set a new password");
    let answer = validate(&app, &patient.email, &mail.code()).await.ok();
    assert!((590..=600).contains(&answer["expires_in"].as_i64().unwrap()));
    reset(&app, &text(&answer, "reset_token"), NEW_PASSWORD).await.no_content();

    for ended in [&patient, &elsewhere] {
        ended.get("/users/me").await.problem(401, "invalid-token");
        app.refresh(&ended.refresh_token).await.problem(401, "invalid-token");
    }
    app.log_in(&patient.email, PASSWORD).await.problem(401, "wrong-credentials");
    app.log_in(&patient.email, NEW_PASSWORD).await.ok();
    assert_eq!(app.mail.wait_for(&patient.email, 2).await.subject, "Your password has changed");
    let ada =
        Actor { access_token: text(&app.log_in(&patient.email, NEW_PASSWORD).await.ok(), "access_token"), ..patient };
    let activity = ada.get("/users/me/activity").await.ok();
    assert!(activity["items"].as_array().unwrap().iter().any(|event| event["action"] == "password_reset"));
}

#[tokio::test]
async fn an_unknown_address_gets_the_same_answers_and_no_mail() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let unknown = forgot(&app, "nobody@example.org").await;
    let code = code_for(&app, &patient, 1).await;
    let known = forgot(&app, &patient.email).await;
    assert_eq!((unknown.status, &unknown.text), (known.status, &known.text));
    app.outbox_empties().await;
    assert_eq!(app.mail.to(&patient.email).len(), 2);
    assert!(app.mail.to("nobody@example.org").is_empty());
    let wrong = validate(&app, &patient.email, &another(&code)).await.problem(422, "invalid");
    let nobody = validate(&app, "nobody@example.org", &code).await.problem(422, "invalid");
    assert_eq!((&wrong["detail"], &wrong["errors"]), (&nobody["detail"], &nobody["errors"]));
}

#[tokio::test]
async fn a_code_works_once_and_the_newest_alone() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let first = code_for(&app, &patient, 1).await;
    let second = code_for(&app, &patient, 2).await;
    if first != second {
        validate(&app, &patient.email, &first).await.violates(&[("code", "wrong")]);
    }
    validate(&app, &patient.email, &second).await.ok();
    validate(&app, &patient.email, &second).await.violates(&[("code", "wrong")]);
}

#[tokio::test]
async fn a_reset_token_works_once_even_when_it_comes_many_times_at_once() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let token = token_for(&app, &patient, 1).await;
    let passwords: Vec<_> = (0..8).map(|number| format!("new password {number}")).collect();
    let answers = join_all(passwords.iter().map(|password| reset(&app, &token, password))).await;
    let won: Vec<_> = passwords.iter().zip(&answers).filter(|(_, answer)| answer.status == 204).collect();
    assert_eq!(won.len(), 1);
    answers
        .iter()
        .filter(|answer| answer.status != 204)
        .for_each(|answer| answer.violates(&[("reset_token", "wrong")]));
    app.log_in(&patient.email, won[0].0).await.ok();
    reset(&app, &token, NEW_PASSWORD).await.violates(&[("reset_token", "wrong")]);
}

#[tokio::test]
async fn codes_and_tokens_end_after_ten_minutes() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let code = code_for(&app, &patient, 1).await;
    app.clock.advance(chrono::Duration::seconds(601));
    validate(&app, &patient.email, &code).await.violates(&[("code", "wrong")]);
    let token = token_for(&app, &patient, 2).await;
    app.clock.advance(chrono::Duration::seconds(601));
    reset(&app, &token, NEW_PASSWORD).await.violates(&[("reset_token", "wrong")]);
    app.log_in(&patient.email, PASSWORD).await.ok();
}

#[tokio::test]
async fn after_five_tries_the_right_code_comes_too_late() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let code = code_for(&app, &patient, 1).await;
    for _ in 0..5 {
        validate(&app, &patient.email, &another(&code)).await.violates(&[("code", "wrong")]);
    }
    validate(&app, &patient.email, &code).await.violates(&[("code", "wrong")]);
    // A new code has five tries of its own.
    let code = code_for(&app, &patient, 2).await;
    for _ in 0..4 {
        validate(&app, &patient.email, &another(&code)).await.violates(&[("code", "wrong")]);
    }
    validate(&app, &patient.email, &code).await.ok();
}

#[tokio::test]
async fn a_burst_of_guesses_has_five_tries_too() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let code = code_for(&app, &patient, 1).await;
    let wrong = another(&code);
    let guesses = (0..40).map(|_| validate(&app, &patient.email, &wrong));
    join_all(guesses).await.iter().for_each(|answer| answer.violates(&[("code", "wrong")]));
    let left = entity::account_codes::Entity::find()
        .filter(entity::account_codes::Column::UserId.eq(patient.id))
        .one(&app.state().db)
        .await
        .unwrap();
    assert_eq!(left.unwrap().attempts, 5);
    validate(&app, &patient.email, &code).await.violates(&[("code", "wrong")]);
}

#[tokio::test]
async fn a_code_is_of_no_use_to_others_or_for_anything_else() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob) = (app.patient().await, app.patient().await);
    let (of_ada, of_bob) = (code_for(&app, &ada, 1).await, code_for(&app, &bob, 1).await);
    if of_ada != of_bob {
        validate(&app, &bob.email, &of_ada).await.violates(&[("code", "wrong")]);
    }
    // A code to confirm an address sets no password, and the other way round.
    app.register("carol@example.org").await.created();
    let to_confirm = app.mail.code("carol@example.org", 1).await;
    validate(&app, "carol@example.org", &to_confirm).await.violates(&[("code", "wrong")]);
    forgot(&app, "carol@example.org").await.accepted();
    let to_reset = app.mail.code("carol@example.org", 2).await;
    if to_reset != to_confirm {
        let body = json!({ "email": "carol@example.org", "code": to_reset });
        app.post("/api/v1/auth/verify-email", body).await.violates(&[("code", "wrong")]);
    }
    // Neither is a reset token.
    reset(&app, &of_bob, NEW_PASSWORD).await.violates(&[("reset_token", "wrong")]);
    reset(&app, &bob.refresh_token, NEW_PASSWORD).await.problem(422, "invalid");
}

#[tokio::test]
async fn a_password_that_breaks_a_rule_leaves_the_token_as_it_is() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let token = token_for(&app, &patient, 1).await;
    reset(&app, &token, "short").await.violates(&[("new_password", "length")]);
    reset(&app, &token, "password1").await.violates(&[("new_password", "common")]);
    reset(&app, &token, NEW_PASSWORD).await.no_content();
}

#[tokio::test]
async fn changing_the_password_voids_what_would_set_it() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let token = token_for(&app, &patient, 1).await;
    let code = code_for(&app, &patient, 2).await;
    let change = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
    patient.put("/users/me/password", change).await.no_content();
    reset(&app, &token, "yet another one").await.violates(&[("reset_token", "wrong")]);
    validate(&app, &patient.email, &code).await.violates(&[("code", "wrong")]);
}

#[tokio::test]
async fn a_disabled_account_gets_no_code() {
    let app = TestApp::start(BACKEND).await;
    let (patient, admin) = (app.patient().await, app.admin().await);
    admin.patch(&format!("/users/{}", patient.id), json!({ "disabled": true })).await.ok();
    forgot(&app, &patient.email).await.accepted();
    app.outbox_empties().await;
    assert!(app.mail.to(&patient.email).is_empty());
}

#[tokio::test]
async fn addresses_and_codes_that_are_none_are_named() {
    let app = TestApp::start(BACKEND).await;
    let long = format!("{}@{}.example.org", "a".repeat(64), "b".repeat(243));
    for (email, code) in [("", "email"), ("ada", "email"), ("жук@example.org", "email"), (&long, "length")] {
        forgot(&app, email).await.violates(&[("email", code)]);
    }
    for code in ["", "12345", "1234567", "12345a", "１２３４５６"] {
        validate(&app, "ada@example.org", code).await.violates(&[("code", "digits")]);
    }
    reset(&app, "", "short").await.violates(&[("new_password", "length"), ("reset_token", "length")]);
    forgot(&app, "ada+vaccines@bücher.example").await.accepted();
}

#[tokio::test]
async fn no_table_holds_a_code_or_a_token() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let code = code_for(&app, &patient, 1).await;
    let stored = entity::account_codes::Entity::find().all(&app.state().db).await.unwrap();
    assert!(!format!("{stored:?}").contains(&code));
    let token = text(&validate(&app, &patient.email, &code).await.ok(), "reset_token");
    let stored = entity::account_codes::Entity::find().all(&app.state().db).await.unwrap();
    let hash = stored[0].code_hash.clone().unwrap();
    assert!(stored.len() == 1 && !token.contains(&hash) && !hash.contains(&token));
    app.outbox_empties().await;
}
