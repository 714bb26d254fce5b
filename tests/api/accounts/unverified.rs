//! Unverified accounts: who keeps an address that someone else may have registered first, and what a recovery revokes.

use std::collections::BTreeSet;

use reqwest::Method;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::response::TestResponse;

const VICTIM: &str = "victim@example.org";
const NEW_PASSWORD: &str = "a longer sentence";
const SILENT: [(&str, &str); 1] = [("CARE4U__REGISTRATION__ON_DUPLICATE", "silent")];

/// Registers an address with a complete profile, and logs in.
async fn claim(app: &TestApp) -> Actor<'_> {
    let body = json!({
        "name": "Mallory", "email": VICTIM, "password": PASSWORD, "nid": "6666", "phone_number": "+49 30 123456",
        "address": "1 Evil Street", "birth_date": "1985-12-10",
    });
    let account = app.post("/api/v1/auth/register", body).await.created();
    let id = account["id"].as_str().and_then(|id| id.parse().ok()).unwrap();
    Actor::log_in(app, id, VICTIM.to_owned()).await
}

async fn verify(app: &TestApp, body: Value, token: Option<&str>) -> TestResponse {
    let request = app.request(Method::POST, "/api/v1/auth/verify-email").json(&body);
    app.send(match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    })
    .await
}

async fn reset(app: &TestApp, token: &Value) {
    let body = json!({ "reset_token": token["reset_token"], "new_password": NEW_PASSWORD });
    app.post("/api/v1/auth/reset-password", body).await.no_content();
}

/// Everything that gives access to an account: another session, a code, a change of the address, a feed.
async fn plant(actor: &Actor<'_>) -> String {
    let change = json!({ "email": "mallory@example.org", "current_password": PASSWORD });
    actor.post("/users/me/email-change", change).await.accepted();
    actor.app.mail.code("mallory@example.org", 1).await;
    actor.app.mail.wait_for(VICTIM, 2).await;
    actor.put_empty("/contacts/birthdays/feed").await.created()["path"].as_str().unwrap().to_owned()
}

async fn is_void(actor: &Actor<'_>, feed: &str) {
    let app = actor.app;
    actor.get("/users/me").await.problem(401, "invalid-token");
    app.refresh(&actor.refresh_token).await.problem(401, "invalid-token");
    app.log_in(VICTIM, PASSWORD).await.problem(401, "wrong-credentials");
    app.get(feed).await.problem(404, "not-found");
    let code = app.mail.code("mallory@example.org", 1).await;
    let owner = owner(app).await;
    owner.post("/users/me/email-change/confirm", json!({ "code": code })).await.violates(&[("code", "wrong")]);
}

/// The owner, logged in with the new password.
async fn owner(app: &TestApp) -> Actor<'_> {
    let pair = app.log_in(VICTIM, NEW_PASSWORD).await.ok();
    let token = |name: &str| pair[name].as_str().unwrap().to_owned();
    let (access_token, refresh_token) = (token("access_token"), token("refresh_token"));
    Actor { app, id: Uuid::nil(), email: VICTIM.to_owned(), access_token, refresh_token }
}

#[tokio::test]
async fn the_code_alone_voids_password_profile_and_grants_and_answers_with_a_reset_token() {
    let app = TestApp::start(BACKEND).await;
    let mallory = claim(&app).await;
    let code = app.mail.code(VICTIM, 1).await;
    let feed = plant(&mallory).await;
    let token = verify(&app, json!({ "email": VICTIM, "code": code }), None).await.ok();
    mallory.get("/users/me").await.problem(401, "invalid-token");
    app.log_in(VICTIM, PASSWORD).await.problem(401, "wrong-credentials");
    app.log_in(VICTIM, "!").await.problem(401, "wrong-credentials");
    reset(&app, &token).await;
    is_void(&mallory, &feed).await;
    let account = owner(&app).await.get("/users/me").await.ok();
    assert!(account["email_verified_at"].is_string());
    assert_eq!(account["name"], "victim");
    for member in ["nid", "phone_number", "address", "birth_date", "time_zone"] {
        assert_eq!(account[member], Value::Null, "{member}");
    }
}

#[tokio::test]
async fn the_password_keeps_password_and_profile_and_ends_the_sessions() {
    let app = TestApp::start(BACKEND).await;
    let ada = claim(&app).await;
    let code = app.mail.code(VICTIM, 1).await;
    let with = |password: &str| json!({ "email": VICTIM, "code": code, "password": password });
    // A mistyped password loses nothing, not even the code.
    verify(&app, with("a wrong guess"), None).await.violates(&[("password", "wrong")]);
    ada.get("/users/me").await.ok();
    verify(&app, with(PASSWORD), None).await.no_content();
    ada.get("/users/me").await.problem(401, "invalid-token");
    let pair = app.log_in(VICTIM, PASSWORD).await.ok();
    let me = app.request(Method::GET, "/api/v1/users/me").bearer_auth(pair["access_token"].as_str().unwrap());
    assert_eq!(app.send(me).await.ok()["name"], "Mallory");
}

#[tokio::test]
async fn an_honest_newcomer_stays_signed_in_and_only_other_sessions_end() {
    let app = TestApp::start(BACKEND).await;
    let ada = claim(&app).await;
    let other = ada.on_another_device().await;
    let feed = ada.put_empty("/contacts/birthdays/feed").await.created();
    let code = app.mail.code(VICTIM, 1).await;
    let body = json!({ "email": VICTIM, "code": code });
    verify(&app, body, Some(&ada.access_token)).await.no_content();
    let account = ada.get("/users/me").await.ok();
    assert!(account["email_verified_at"].is_string() && account["nid"] == "6666");
    other.get("/users/me").await.problem(401, "invalid-token");
    app.refresh(&ada.refresh_token).await.ok();
    app.log_in(VICTIM, PASSWORD).await.ok();
    app.get(feed["path"].as_str().unwrap()).await.is(200);
}

#[tokio::test]
async fn session_and_password_together_keep_that_session() {
    let app = TestApp::start(BACKEND).await;
    let ada = claim(&app).await;
    let code = app.mail.code(VICTIM, 1).await;
    let body = json!({ "email": VICTIM, "code": code, "password": PASSWORD });
    verify(&app, body, Some(&ada.access_token)).await.no_content();
    ada.get("/users/me").await.ok();
}

#[tokio::test]
async fn a_session_of_another_account_or_an_ended_one_proves_nothing() {
    let app = TestApp::start(BACKEND).await;
    let (mallory, bob) = (claim(&app).await, app.patient().await);
    let code = app.mail.code(VICTIM, 1).await;
    let body = json!({ "email": VICTIM, "code": code });
    let ended = mallory.on_another_device().await;
    ended.post_empty("/auth/logout").await.no_content();
    verify(&app, body.clone(), Some(&ended.access_token)).await.problem(401, "invalid-token");
    verify(&app, body.clone(), Some("forged")).await.problem(401, "invalid-token");
    mallory.get("/users/me").await.ok();
    verify(&app, body, Some(&bob.access_token)).await.ok();
    mallory.get("/users/me").await.problem(401, "invalid-token");
    bob.get("/users/me").await.ok();
}

#[tokio::test]
async fn a_reset_of_an_unverified_account_does_as_the_code_alone() {
    let app = TestApp::start(BACKEND).await;
    let mallory = claim(&app).await;
    let verification_code = app.mail.code(VICTIM, 1).await;
    let feed = plant(&mallory).await;
    app.post("/api/v1/auth/forgot-password", json!({ "email": VICTIM })).await.accepted();
    let code = app.mail.code(VICTIM, 3).await;
    let token = app.post("/api/v1/auth/validate-code", json!({ "email": VICTIM, "code": code })).await.ok();
    reset(&app, &token).await;
    is_void(&mallory, &feed).await;
    let account = owner(&app).await.get("/users/me").await.ok();
    assert!(account["email_verified_at"].is_string());
    assert_eq!((&account["name"], &account["nid"]), (&json!("victim"), &Value::Null));
    // The code that was mailed before cannot take over the account any more.
    let stale = json!({ "email": VICTIM, "code": verification_code });
    verify(&app, stale, None).await.violates(&[("code", "wrong")]);
    owner(&app).await.get("/users/me").await.ok();
}

#[tokio::test]
async fn a_reset_of_a_verified_account_keeps_the_profile_and_revokes_every_grant() {
    let app = TestApp::start(BACKEND).await;
    let ada = claim(&app).await;
    let code = app.mail.code(VICTIM, 1).await;
    verify(&app, json!({ "email": VICTIM, "code": code }), Some(&ada.access_token)).await.no_content();
    let feed = plant(&ada).await;
    app.post("/api/v1/auth/forgot-password", json!({ "email": VICTIM })).await.accepted();
    let code = app.mail.code(VICTIM, 3).await;
    let token = app.post("/api/v1/auth/validate-code", json!({ "email": VICTIM, "code": code })).await.ok();
    reset(&app, &token).await;
    is_void(&ada, &feed).await;
    assert_eq!(owner(&app).await.get("/users/me").await.ok()["nid"], "6666");
}

#[tokio::test]
async fn a_changed_password_ends_a_change_of_the_address_and_keeps_the_feed() {
    let app = TestApp::start(BACKEND).await;
    let ada = claim(&app).await;
    let feed = plant(&ada).await;
    let change = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
    ada.put("/users/me/password", change).await.no_content();
    let code = app.mail.code("mallory@example.org", 1).await;
    ada.post("/users/me/email-change/confirm", json!({ "code": code })).await.violates(&[("code", "wrong")]);
    app.get(&feed).await.is(200);
    ada.get("/contacts/birthdays/feed").await.ok();
}

#[tokio::test]
async fn registering_a_taken_address_is_a_conflict_before_and_after_its_verification() {
    let app = TestApp::start(BACKEND).await;
    let ada = claim(&app).await;
    app.register(VICTIM).await.problem(409, "email-taken");
    let code = app.mail.code(VICTIM, 1).await;
    verify(&app, json!({ "email": VICTIM, "code": code }), Some(&ada.access_token)).await.no_content();
    app.register(VICTIM).await.problem(409, "email-taken");
    ada.get("/users/me").await.ok();
}

#[tokio::test]
async fn a_silent_registration_replaces_an_unverified_account_and_not_a_verified_one() {
    let app = TestApp::start_with(BACKEND, &SILENT).await;
    let register = async |name: &str, password: &str| {
        let body = json!({ "name": name, "email": VICTIM, "password": password });
        app.post("/api/v1/auth/register", body).await.accepted();
    };
    register("Mallory", PASSWORD).await;
    app.mail.code(VICTIM, 1).await;
    register("Ada", NEW_PASSWORD).await;
    let code = app.mail.code(VICTIM, 2).await;
    let with = |password: &str| json!({ "email": VICTIM, "code": code, "password": password });
    verify(&app, with(PASSWORD), None).await.violates(&[("password", "wrong")]);
    verify(&app, with(NEW_PASSWORD), None).await.no_content();
    assert_eq!(owner(&app).await.get("/users/me").await.ok()["name"], "Ada");
    register("Mallory", PASSWORD).await;
    assert_eq!(app.mail.wait_for(VICTIM, 3).await.subject, "You have an account already");
    assert_eq!(owner(&app).await.get("/users/me").await.ok()["name"], "Ada");
    app.log_in(VICTIM, PASSWORD).await.problem(401, "wrong-credentials");
}

#[tokio::test]
async fn sessions_opened_before_a_silent_registration_end_with_it() {
    let open = TestApp::start(BACKEND).await;
    let mallory = claim(&open).await;
    let silent = TestApp::start_on(open.database.clone(), &SILENT).await;
    silent.register(VICTIM).await.accepted();
    let session = entity::refresh_tokens::Entity::find().one(&open.state().db).await.unwrap().unwrap();
    assert!(session.revoked_at.is_some());
    open.refresh(&mallory.refresh_token).await.problem(401, "invalid-token");
}

#[tokio::test]
async fn a_silent_registration_leaves_the_code_of_the_owner_of_the_mailbox() {
    let app = TestApp::start_with(BACKEND, &SILENT).await;
    app.register(VICTIM).await.accepted();
    app.mail.code(VICTIM, 1).await;
    let flow =
        app.post("/api/v1/auth/forgot-password", json!({ "email": VICTIM })).await.is(202).json()["flow"].clone();
    let code = app.mail.code(VICTIM, 2).await;
    app.register(VICTIM).await.accepted();
    let body = json!({ "email": VICTIM, "code": code, "flow": flow });
    let token = app.post("/api/v1/auth/validate-code", body).await.ok()["reset_token"].clone();
    app.register(VICTIM).await.accepted();
    let body = json!({ "reset_token": token, "new_password": NEW_PASSWORD });
    app.post("/api/v1/auth/reset-password", body).await.no_content();
    app.log_in(VICTIM, NEW_PASSWORD).await.ok();
}

#[tokio::test]
async fn every_table_with_rows_of_a_user_is_revoked_by_a_recovery_or_shown_to_the_owner() {
    let app = TestApp::start(BACKEND).await;
    let db = &app.state().db;
    let sql = match db.get_database_backend() {
        DbBackend::Postgres => {
            "SELECT table_name::text FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'user_id'"
        }
        _ => {
            "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'user_id'"
        }
    };
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    let tables: BTreeSet<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    // A new table: decide in domain/auth/grants.rs whether its rows give access to the account or receive its data.
    let revoked = ["account_codes", "calendar_feeds", "refresh_tokens"];
    // Lists of the API show them to the owner, except the outbox, whose mails go to addresses only.
    let kept = [
        "centre_staff",
        "contact_books",
        "contact_imports",
        "contacts",
        "deleted_contacts",
        "outbox",
        "patients",
        "vaccine_requests",
    ];
    // The owner's own requests and words: they give access to nothing.
    let internal = ["idempotency_keys", "user_words"];
    assert_eq!(tables, revoked.into_iter().chain(kept).chain(internal).map(str::to_owned).collect());
}

#[tokio::test]
async fn an_authorization_header_without_a_usable_token_is_no_confirmation_by_code_alone() {
    let app = TestApp::start(BACKEND).await;
    let ada = claim(&app).await;
    let code = app.mail.code(VICTIM, 1).await;
    let with = |headers: &[&str]| {
        let request = app.request(Method::POST, "/api/v1/auth/verify-email");
        let request = request.json(&json!({ "email": VICTIM, "code": code }));
        headers.iter().fold(request, |request, value| request.header("authorization", *value))
    };
    for value in ["Bearer", "Bearer ", "Basic YWRhOmFkYQ==", "nonsense"] {
        app.send(with(&[value])).await.problem(401, "unauthenticated");
    }
    app.send(with(&["Basic x", &format!("Bearer {}", ada.access_token)])).await.problem(400, "malformed");
    ada.get("/users/me").await.ok();
    app.log_in(VICTIM, PASSWORD).await.ok();
}

#[tokio::test]
async fn a_session_that_a_recovery_has_ended_plants_nothing_although_an_instance_still_accepts_its_token() {
    use care4u::domain::accounts::verification;
    use care4u::domain::auth::calendar_feeds;
    use care4u::domain::auth::password::Password;
    use care4u::domain::values::actor::Actor as Known;
    use care4u::domain::values::caller::Caller;
    use care4u::domain::values::email::Email;
    use care4u::domain::values::one_time_code::OneTimeCode;
    use care4u::error::Error;
    let app = TestApp::start(BACKEND).await;
    let mallory = app.patient().await;
    let session = entity::refresh_tokens::Entity::find().one(&app.state().db).await.unwrap().unwrap();
    let actor = Known { user_id: mallory.id, session_id: session.id, role: entity::Role::Patient };
    // What the guard of an instance hands on that has not read the revocation yet.
    let caller = Caller { actor, client: Default::default() };
    let new = json!({ "email": "mallory@example.org", "current_password": PASSWORD });
    mallory.post("/users/me/email-change", new).await.accepted();
    app.mail.code("mallory@example.org", 1).await;
    let other = mallory.on_another_device().await;
    other.delete("/users/me/sessions").await.no_content();
    let (db, auth) = (&app.state().db, &app.state().auth);
    let feed = calendar_feeds::put(db, &auth.clock, &caller).await;
    assert!(matches!(feed, Err(Error::InvalidToken)), "{feed:?}");
    let email = Email::parse("eve@example.org").unwrap();
    let begun = verification::begin_change(db, auth, &caller, &email, Password::presented(PASSWORD)).await;
    assert!(matches!(begun, Err(Error::InvalidToken)), "{begun:?}");
    let code = OneTimeCode::parse(&app.mail.code("mallory@example.org", 1).await).unwrap();
    let finished = verification::finish_change(db, auth, &caller, &code).await;
    assert!(matches!(finished, Err(Error::InvalidToken)), "{finished:?}");
    other.get("/contacts/birthdays/feed").await.problem(404, "not-found");
}

#[tokio::test]
async fn the_patient_of_an_account_gets_the_name_of_its_new_owner() {
    let app = TestApp::start(BACKEND).await;
    let mallory = claim(&app).await;
    mallory.ask_for("MMR").await;
    let code = app.mail.code(VICTIM, 1).await;
    verify(&app, json!({ "email": VICTIM, "code": code }), None).await.ok();
    let patients = entity::patients::Entity::find().all(&app.state().db).await.unwrap();
    let patient = &patients[0];
    assert_eq!((patients.len(), patient.name.as_deref()), (1, VICTIM.split('@').next()));
    assert_eq!((patient.birth_year, patient.birth_month, patient.birth_day), (None, None, None));
    let words = entity::patient_words::Entity::find().all(&app.state().db).await.unwrap();
    assert!(words.iter().all(|word| word.word != "mallory"), "{words:?}");

    // Registered anew.
    let app = TestApp::start(BACKEND).await;
    claim(&app).await.ask_for("MMR").await;
    let silent = TestApp::start_on(app.database.clone(), &SILENT).await;
    silent.register(VICTIM).await.accepted();
    let patient = entity::patients::Entity::find().one(&app.state().db).await.unwrap().unwrap();
    assert_ne!(patient.name.as_deref(), Some("Mallory"));
    assert_eq!(patient.birth_year, None);
}
