//! Password recovery: the code, the reset token, and their misuse.

use care4u::domain::auth::reset_codes::{self, ResetRequest};
use futures_util::future::join_all;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::response::TestResponse;

const NEW_PASSWORD: &str = "a longer sentence";

async fn forgot(app: &TestApp, email: &str) -> TestResponse {
    app.post("/api/v1/auth/forgot-password", json!({ "email": email })).await
}

async fn validate(app: &TestApp, email: &str, code: &str) -> TestResponse {
    app.post("/api/v1/auth/validate-code", json!({ "email": email, "code": code })).await
}

async fn reset(app: &TestApp, token: &str, password: &str) -> TestResponse {
    app.post("/api/v1/auth/reset-password", json!({ "reset_token": token, "new_password": password })).await
}

/// Returns the code in mail number `count` to an address.
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

/// Returns another code.
fn another(code: &str) -> String {
    let number: u32 = code.parse().expect("a code is a number");
    format!("{:06}", (number + 1) % 1_000_000)
}

#[tokio::test]
async fn a_forgotten_password_is_reset_with_a_code_and_all_sessions_end() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let on_another_device = patient.on_another_device().await;
    forgot(&app, &format!("  {}", patient.email.to_uppercase())).await.accepted();
    let mail = app.mail.wait_for(&patient.email, 1).await;
    assert_eq!(mail.subject, "Your code to set a new password");
    let response = validate(&app, &patient.email, &mail.code()).await.ok();
    assert!((590..=600).contains(&response["expires_in"].as_i64().unwrap()));
    reset(&app, &text(&response, "reset_token"), NEW_PASSWORD).await.no_content();

    for ended in [&patient, &on_another_device] {
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
async fn an_unknown_address_gets_the_same_responses_and_no_mail() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let unknown = forgot(&app, "nobody@example.org").await;
    let code = code_for(&app, &patient, 1).await;
    let known = forgot(&app, &patient.email).await;
    let without_flow = |response: &TestResponse| response.text.split("\"flow\"").next().unwrap().to_owned();
    assert_eq!((unknown.status, without_flow(&unknown)), (known.status, without_flow(&known)));
    assert_eq!(unknown.text.len(), known.text.len());
    app.outbox_empties().await;
    assert_eq!(app.mail.to(&patient.email).len(), 2);
    assert!(app.mail.to("nobody@example.org").is_empty());
    let wrong = validate(&app, &patient.email, &another(&code)).await.problem(422, "invalid");
    let nobody = validate(&app, "nobody@example.org", &code).await.problem(422, "invalid");
    assert_eq!((&wrong["detail"], &wrong["errors"]), (&nobody["detail"], &nobody["errors"]));
}

#[tokio::test]
async fn a_code_works_once_and_others_stay() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let mut codes = Vec::new();
    for count in 1..=3 {
        codes.push(code_for(&app, &patient, count).await);
    }
    validate(&app, &patient.email, &codes[0]).await.ok();
    if !codes[1..].contains(&codes[0]) {
        validate(&app, &patient.email, &codes[0]).await.violates(&[("code", "wrong")]);
    }
    validate(&app, &patient.email, &codes[2]).await.ok();
}

#[tokio::test]
async fn of_concurrent_resets_with_one_token_one_succeeds() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let token = token_for(&app, &patient, 1).await;
    let passwords: Vec<_> = (0..8).map(|number| format!("new password {number}")).collect();
    let responses = join_all(passwords.iter().map(|password| reset(&app, &token, password))).await;
    let won: Vec<_> = passwords.iter().zip(&responses).filter(|(_, response)| response.status == 204).collect();
    assert_eq!(won.len(), 1);
    responses
        .iter()
        .filter(|response| response.status != 204)
        .for_each(|response| response.violates(&[("reset_token", "wrong")]));
    app.log_in(&patient.email, won[0].0).await.ok();
    reset(&app, &token, NEW_PASSWORD).await.violates(&[("reset_token", "wrong")]);
}

#[tokio::test]
async fn codes_and_reset_tokens_expire_after_ten_minutes() {
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
async fn after_five_attempts_the_right_code_is_rejected() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let code = code_for(&app, &patient, 1).await;
    for _ in 0..5 {
        validate(&app, &patient.email, &another(&code)).await.violates(&[("code", "wrong")]);
    }
    validate(&app, &patient.email, &code).await.violates(&[("code", "wrong")]);
    // A new code has five attempts.
    let code = code_for(&app, &patient, 2).await;
    for _ in 0..4 {
        validate(&app, &patient.email, &another(&code)).await.violates(&[("code", "wrong")]);
    }
    validate(&app, &patient.email, &code).await.ok();
}

#[tokio::test]
async fn of_concurrent_guesses_at_most_five_are_compared() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let code = code_for(&app, &patient, 1).await;
    let wrong = another(&code);
    let guesses = (0..40).map(|_| validate(&app, &patient.email, &wrong));
    join_all(guesses).await.iter().for_each(|response| response.violates(&[("code", "wrong")]));
    let left = entity::account_codes::Entity::find()
        .filter(entity::account_codes::Column::UserId.eq(patient.id))
        .one(&app.state().db)
        .await
        .unwrap();
    assert_eq!(left.unwrap().attempts, 5);
    validate(&app, &patient.email, &code).await.violates(&[("code", "wrong")]);
}

#[tokio::test]
async fn a_code_is_valid_for_one_account_and_one_purpose() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob) = (app.patient().await, app.patient().await);
    let (of_ada, of_bob) = (code_for(&app, &ada, 1).await, code_for(&app, &bob, 1).await);
    if of_ada != of_bob {
        validate(&app, &bob.email, &of_ada).await.violates(&[("code", "wrong")]);
    }
    // A verification code cannot reset the password, and a reset code cannot verify the address.
    app.register("carol@example.org").await.created();
    let to_confirm = app.mail.code("carol@example.org", 1).await;
    validate(&app, "carol@example.org", &to_confirm).await.violates(&[("code", "wrong")]);
    forgot(&app, "carol@example.org").await.accepted();
    let to_reset = app.mail.code("carol@example.org", 2).await;
    if to_reset != to_confirm {
        let body = json!({ "email": "carol@example.org", "code": to_reset });
        app.post("/api/v1/auth/verify-email", body).await.violates(&[("code", "wrong")]);
    }
    // A reset token cannot be used as a code either.
    reset(&app, &of_bob, NEW_PASSWORD).await.violates(&[("reset_token", "wrong")]);
    reset(&app, &bob.refresh_token, NEW_PASSWORD).await.problem(422, "invalid");
}

#[tokio::test]
async fn an_invalid_new_password_does_not_use_up_the_reset_token() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let token = token_for(&app, &patient, 1).await;
    reset(&app, &token, "short").await.violates(&[("new_password", "length")]);
    reset(&app, &token, "password1").await.violates(&[("new_password", "common")]);
    reset(&app, &token, NEW_PASSWORD).await.no_content();
}

#[tokio::test]
async fn changing_the_password_invalidates_codes_and_reset_tokens() {
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
async fn malformed_addresses_and_codes_are_violations() {
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
async fn no_table_stores_a_code_or_token_in_plain_text() {
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

/// Requests a reset. Returns the flow, and the code in mail number `count`.
async fn flow_and_code(app: &TestApp, email: &str, count: usize) -> (String, String) {
    let flow = text(&forgot(app, email).await.is(202).json(), "flow");
    (flow, app.mail.code(email, count).await)
}

async fn validate_with(app: &TestApp, email: &str, code: &str, flow: &str) -> TestResponse {
    app.post("/api/v1/auth/validate-code", json!({ "email": email, "code": code, "flow": flow })).await
}

#[tokio::test]
async fn strangers_who_use_up_the_attempts_of_a_code_do_not_block_its_owner() {
    let changes = [("CARE4U__THROTTLE__ENABLED", "true"), ("CARE4U__SERVER__TRUSTED_PROXIES", "127.0.0.1, ::1")];
    let app = TestApp::start_with(BACKEND, &changes).await;
    let patient = app.patient().await;
    let (flow, code) = flow_and_code(&app, &patient.email, 1).await;
    // From ever new addresses: guesses, requests, and guesses with the flows of those requests.
    let from = |number: usize, path: &str, body: Value| {
        let path = format!("/api/v1/auth/{path}");
        let request = app.request(reqwest::Method::POST, &path).json(&body);
        app.send(request.header("x-forwarded-for", format!("198.51.100.{number}")))
    };
    for number in 0..12 {
        let guess = json!({ "email": patient.email, "code": another(&code) });
        from(number, "validate-code", guess).await.violates(&[("code", "wrong")]);
    }
    for number in 0..10 {
        let theirs = from(number, "forgot-password", json!({ "email": patient.email })).await;
        if number < 2 {
            app.mail.code(&patient.email, number + 2).await;
        }
        for _ in 0..6 {
            let guess = json!({ "email": patient.email, "code": code, "flow": text(&theirs.json(), "flow") });
            assert!([422, 429].contains(&from(100 + number, "validate-code", guess).await.status));
        }
    }
    // Without the flow, the code has no attempts left.
    from(50, "validate-code", json!({ "email": patient.email, "code": code })).await.violates(&[("code", "wrong")]);
    // Not even the throttle of an address that has guessed too often stops the owner.
    for _ in 0..8 {
        let guess = json!({ "email": patient.email, "code": another(&code), "flow": "unknown" });
        assert!([422, 429].contains(&from(51, "validate-code", guess).await.status));
    }
    // The requests of the strangers wait.
    let is_due = entity::outbox::Column::DueAt.lte(app.clock.now());
    while entity::outbox::Entity::find().filter(is_due.clone()).count(&app.state().db).await.unwrap() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let right = json!({ "email": patient.email, "code": code, "flow": flow });
    let token = text(&from(51, "validate-code", right).await.ok(), "reset_token");
    reset(&app, &token, NEW_PASSWORD).await.no_content();
    // No more codes than three were mailed, and those that waited are not mailed after the reset.
    app.outbox_empties().await;
    assert_eq!(app.mail.to(&patient.email).len(), 4, "three codes, and the notice of the new password");
}

#[tokio::test]
async fn a_fourth_code_is_mailed_when_one_has_expired_and_oldest_requests_come_first() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let (first_flow, first_code) = flow_and_code(&app, &patient.email, 1).await;
    flow_and_code(&app, &patient.email, 2).await;
    app.clock.advance(chrono::Duration::seconds(300));
    flow_and_code(&app, &patient.email, 3).await;
    let waiting = text(&forgot(&app, &patient.email).await.is(202).json(), "flow");
    let mut later = Vec::new();
    for _ in 0..12 {
        later.push(text(&forgot(&app, &patient.email).await.is(202).json(), "flow"));
    }
    // Ten wait; the newest ones are dropped.
    let started = std::time::Instant::now();
    while entity::outbox::Entity::find().count(&app.state().db).await.unwrap() > 10 {
        assert!(started.elapsed().as_secs() < 60, "more than ten mails wait");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(app.mail.to(&patient.email).len(), 3);
    // The right code with its flow is accepted all the time.
    validate_with(&app, &patient.email, &first_code, &first_flow).await.ok();
    app.clock.advance(chrono::Duration::seconds(301));
    app.mail.wait_for(&patient.email, 5).await;
    let codes: Vec<_> = app.mail.to(&patient.email).iter().map(|mail| mail.code()).collect();
    validate_with(&app, &patient.email, &codes[3], &waiting).await.ok();
    validate_with(&app, &patient.email, &codes[4], &later[0]).await.ok();
}

#[tokio::test]
async fn a_mail_that_is_sent_again_does_not_renew_the_attempts() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let auth = &app.state().auth;
    let request = ResetRequest { user_id: patient.id, email: &patient.email, flow_hash: Some("flow") };
    let issue = || async { reset_codes::issue(&app.state().db, auth, request).await.unwrap().unwrap() };
    let code = issue().await;
    for _ in 0..4 {
        validate(&app, &patient.email, &another(&code.digits)).await.violates(&[("code", "wrong")]);
    }
    let code = issue().await;
    validate(&app, &patient.email, &another(&code.digits)).await.violates(&[("code", "wrong")]);
    validate(&app, &patient.email, &code.digits).await.violates(&[("code", "wrong")]);
}

#[tokio::test]
async fn mails_of_other_kinds_do_not_delay_a_code_that_resets_the_password() {
    let changes = [
        ("CARE4U__THROTTLE__ENABLED", "true"),
        ("CARE4U__THROTTLE__MAILS_PER_RECIPIENT", "1"),
        ("CARE4U__THROTTLE__FIRST_WAIT_SECONDS", "900"),
    ];
    let app = TestApp::start_with(BACKEND, &changes).await;
    let (patient, stranger) = (app.patient().await, app.patient().await);
    let change = json!({ "email": patient.email, "current_password": PASSWORD });
    for _ in 0..3 {
        stranger.post("/users/me/email-change", change.clone()).await.is(202);
    }
    // The first mail is that of a change of the address; the others of them wait.
    app.mail.code(&patient.email, 1).await;
    let (flow, code) = flow_and_code(&app, &patient.email, 2).await;
    validate_with(&app, &patient.email, &code, &flow).await.ok();
}

#[tokio::test]
async fn a_code_has_five_attempts_with_its_flow_and_five_without() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let (flow, code) = flow_and_code(&app, &patient.email, 1).await;
    for _ in 0..5 {
        validate_with(&app, &patient.email, &another(&code), &flow).await.violates(&[("code", "wrong")]);
    }
    // After five wrong ones with the flow, the five without it are left.
    validate(&app, &patient.email, &code).await.ok();
    let (flow, code) = flow_and_code(&app, &patient.email, 2).await;
    for _ in 0..5 {
        validate_with(&app, &patient.email, &another(&code), &flow).await.violates(&[("code", "wrong")]);
        validate(&app, &patient.email, &another(&code)).await.violates(&[("code", "wrong")]);
    }
    validate_with(&app, &patient.email, &code, &flow).await.violates(&[("code", "wrong")]);
}

#[tokio::test]
async fn three_codes_live_side_by_side_and_a_reset_invalidates_all() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let (flow, code) = flow_and_code(&app, &patient.email, 1).await;
    let (other_flow, other_code) = flow_and_code(&app, &patient.email, 2).await;
    let (last_flow, last_code) = flow_and_code(&app, &patient.email, 3).await;
    // A flow goes with its code only.
    if code != other_code {
        validate_with(&app, &patient.email, &code, &other_flow).await.violates(&[("code", "wrong")]);
    }
    let token = text(&validate_with(&app, &patient.email, &code, &flow).await.ok(), "reset_token");
    validate_with(&app, &patient.email, &code, &flow).await.violates(&[("code", "wrong")]);
    validate_with(&app, &patient.email, &last_code, &last_flow).await.ok();
    reset(&app, &token, NEW_PASSWORD).await.violates(&[("reset_token", "wrong")]);
    let (flow, code) = flow_and_code(&app, &patient.email, 4).await;
    let token = text(&validate_with(&app, &patient.email, &code, &flow).await.ok(), "reset_token");
    reset(&app, &token, NEW_PASSWORD).await.no_content();
    validate_with(&app, &patient.email, &other_code, &other_flow).await.violates(&[("code", "wrong")]);
    validate(&app, &patient.email, &other_code).await.violates(&[("code", "wrong")]);
}

#[tokio::test]
async fn every_address_gets_a_flow_and_the_same_answers_with_it() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let (known, unknown) = (forgot(&app, &patient.email).await, forgot(&app, "nobody@example.org").await);
    let flows = [known.is(202).json(), unknown.is(202).json()].map(|body| text(&body, "flow"));
    assert!(flows[0] != flows[1] && flows.iter().all(|flow| flow.len() == 43), "{flows:?}");
    app.mail.code(&patient.email, 1).await;
    let wrong = [&patient.email, "nobody@example.org"].map(|email| (email.to_owned(), "000000"));
    let mut details = Vec::new();
    for ((email, code), flow) in wrong.iter().zip(&flows) {
        details.push(validate_with(&app, email, code, flow).await.problem(422, "invalid")["errors"].clone());
    }
    assert_eq!(details[0], details[1]);
    validate_with(&app, &patient.email, "000000", "").await.violates(&[("flow", "length")]);
}
