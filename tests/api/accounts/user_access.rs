//! Accounts of people who have lost access to them: admins set the address, see and end sessions, export and erase.

use care4u::domain::accounts::administration::{self, AccountChanges, Administrator};
use care4u::domain::personal_data;
use care4u::domain::values::caller::Caller;
use care4u::domain::values::client::Client;
use care4u::domain::values::email::Email;
use care4u::domain::values::page::Page;
use entity::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::{PASSWORD, TestApp};

fn path(of: &Actor<'_>, rest: &str) -> String {
    format!("/users/{}/{rest}", of.id)
}

async fn latest_event(admin: &Actor<'_>, subject: &Actor<'_>) -> Value {
    admin.get(&format!("/audit-events?subject_id={}", subject.id)).await.ok()["items"][0].clone()
}

#[tokio::test]
async fn an_admin_sets_the_address_and_the_old_one_is_notified() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob, admin) = (app.patient().await, app.patient().await, app.admin().await);
    let set = |email: &str| json!({ "email": email });
    admin.put(&path(&ada, "email"), set(&bob.email)).await.problem(409, "email-taken");
    admin.put(&path(&ada, "email"), set("ada")).await.violates(&[("email", "email")]);
    let account = admin.put(&path(&ada, "email"), set("Ada@example.net")).await.ok();
    assert!(account["email"] == "ada@example.net" && account["email_verified_at"].is_string());
    ada.get("/users/me").await.problem(401, "invalid-token");
    app.log_in(&ada.email, PASSWORD).await.problem(401, "wrong-credentials");
    // Whoever knows the old password does not get in.
    app.log_in("ada@example.net", PASSWORD).await.problem(401, "wrong-credentials");
    assert_eq!(app.mail.wait_for(&ada.email, 1).await.subject, "Your e-mail address has changed");
    let found = admin.get("/users?q=ada@example.net").await.ok();
    assert_eq!(found["items"][0]["id"], json!(ada.id));
    app.post("/api/v1/auth/forgot-password", json!({ "email": "ada@example.net" })).await.accepted();
    let body = json!({ "email": "ada@example.net", "code": app.mail.code("ada@example.net", 1).await });
    let token = app.post("/api/v1/auth/validate-code", body).await.ok();
    let body = json!({ "reset_token": token["reset_token"], "new_password": "a longer sentence" });
    app.post("/api/v1/auth/reset-password", body).await.no_content();
    app.log_in("ada@example.net", "a longer sentence").await.ok();
}

#[tokio::test]
async fn an_unverified_account_gets_its_new_address_without_the_profile_of_the_first_claimant() {
    let app = TestApp::start(BACKEND).await;
    let admin = app.admin().await;
    let body = json!({ "name": "Mallory", "email": "ada@example.org", "password": PASSWORD, "nid": "6666" });
    let account = app.post("/api/v1/auth/register", body).await.created();
    let path = format!("/users/{}/email", account["id"].as_str().unwrap());
    let account = admin.put(&path, json!({ "email": "ada@example.net" })).await.ok();
    assert_eq!((&account["name"], &account["nid"]), (&json!("ada"), &Value::Null));
    app.log_in("ada@example.net", PASSWORD).await.problem(401, "wrong-credentials");
}

#[tokio::test]
async fn an_admin_sees_and_ends_sessions_of_others_and_it_is_recorded() {
    let app = TestApp::start(BACKEND).await;
    let (ada, admin) = (app.patient().await, app.admin().await);
    let other = ada.on_another_device().await;
    let sessions = admin.get(&path(&ada, "sessions")).await.ok();
    assert_eq!(sessions["items"].as_array().unwrap().len(), 2);
    assert_eq!(sessions["items"][0]["current"], false);
    let event = latest_event(&admin, &ada).await;
    assert_eq!((&event["action"], &event["actor_id"]), (&json!("account_read"), &json!(admin.id)));
    let newest = sessions["items"][0]["id"].as_str().unwrap();
    admin.delete(&path(&ada, &format!("sessions/{newest}"))).await.no_content();
    other.get("/users/me").await.problem(401, "invalid-token");
    ada.get("/users/me").await.ok();
    admin.delete(&path(&ada, &format!("sessions/{newest}"))).await.problem(404, "not-found");
    admin.delete(&path(&ada, "sessions/x")).await.violates(&[("session_id", "type")]);
    admin.delete(&path(&ada, "sessions")).await.no_content();
    ada.get("/users/me").await.problem(401, "invalid-token");
    let event = latest_event(&admin, &ada).await;
    assert_eq!((&event["action"], &event["detail"]), (&json!("session_ended"), &json!("all")));
}

#[tokio::test]
async fn an_admin_exports_and_erases_an_account() {
    let app = TestApp::start(BACKEND).await;
    let (ada, admin) = (app.patient().await, app.admin().await);
    ada.post("/contacts", json!({ "first_name": "Byron", "last_name": "King" })).await.created();
    let (export, own) = (admin.get(&path(&ada, "export")).await.ok(), ada.get("/users/me/export").await.ok());
    assert_eq!((&export["account"], &export["contacts"]), (&own["account"], &own["contacts"]));
    assert_eq!(export["activity"][0]["action"], "data_exported");
    assert!(export["activity"][0]["ip"].is_null(), "the address of the admin is not personal data of the user");
    let erased = admin.post_empty(&path(&ada, "deletion")).await.ok();
    assert_eq!((&erased["erased"]["account"], &erased["erased"]["contacts"]), (&json!(1), &json!(1)));
    ada.get("/users/me").await.problem(401, "invalid-token");
    app.log_in(&ada.email, PASSWORD).await.problem(401, "wrong-credentials");
    assert_eq!(app.mail.wait_for(&ada.email, 1).await.subject, "Your account has been deleted");
    admin.post_empty(&path(&admin, "deletion")).await.problem(409, "last-admin");
}

#[tokio::test]
async fn only_admins_have_access_to_other_accounts_and_unknown_ones_are_not_found() {
    let app = TestApp::start(BACKEND).await;
    let (ada, staff, admin) = (app.patient().await, app.staff().await, app.admin().await);
    let email = json!({ "email": "eve@example.org" });
    for other in [&ada, &staff] {
        other.put(&path(&admin, "email"), email.clone()).await.problem(403, "forbidden");
        other.get(&path(&admin, "sessions")).await.problem(403, "forbidden");
        other.get(&path(&admin, "export")).await.problem(403, "forbidden");
        other.delete(&path(&admin, "sessions")).await.problem(403, "forbidden");
        other.delete(&path(&admin, &format!("sessions/{}", Uuid::nil()))).await.problem(403, "forbidden");
        other.post_empty(&path(&admin, "deletion")).await.problem(403, "forbidden");
    }
    let unknown = |rest: &str| format!("/users/{}/{rest}", Uuid::nil());
    admin.put(&unknown("email"), email).await.problem(404, "not-found");
    admin.get(&unknown("sessions")).await.problem(404, "not-found");
    admin.get(&unknown("export")).await.problem(404, "not-found");
    admin.delete(&unknown("sessions")).await.problem(404, "not-found");
    admin.post_empty(&unknown("deletion")).await.problem(404, "not-found");
}

/// Another instance may accept the access token of an ended session for a second.
#[tokio::test]
async fn an_admin_whose_session_or_role_has_ended_administers_nothing() {
    let app = TestApp::start(BACKEND).await;
    let (ada, admin, other) = (app.patient().await, app.admin().await, app.admin().await);
    let (db, auth, vaccination) = (&app.state().db, &app.state().auth, &app.state().vaccination);
    let by = |user_id: Uuid| {
        let actor = care4u::domain::values::actor::Actor { user_id, session_id: Uuid::now_v7(), role: Role::Admin };
        Administrator::admin(&Caller { actor, client: Client::default() }).unwrap()
    };
    let email = Email::parse("mallory@example.org").unwrap();
    for (user_id, expected) in [(other.id, "InvalidToken"), (ada.id, "Forbidden(Admin)")] {
        let by = by(user_id);
        let errors = [
            administration::set_email(db, auth, &by, admin.id, &email).await.unwrap_err(),
            administration::end_sessions(db, auth, &by, admin.id, None).await.unwrap_err(),
            administration::list_sessions(db, auth, &by, admin.id, Page { limit: 20, after: None }).await.unwrap_err(),
            administration::update(db, auth, &by, ada.id, AccountChanges::default()).await.unwrap_err(),
            personal_data::export_of(db, auth, &app.state().vaccination.schedules, &by, ada.id).await.err().unwrap(),
            personal_data::erase_of(db, auth, vaccination, &by, ada.id).await.unwrap_err(),
        ];
        assert!(errors.iter().all(|error| format!("{error:?}") == expected), "{errors:?}");
    }
    admin.get(&format!("/users/{}", ada.id)).await.ok();
}

#[tokio::test]
async fn reading_an_account_and_changing_a_profile_are_recorded() {
    let app = TestApp::start(BACKEND).await;
    let (ada, admin) = (app.patient().await, app.admin().await);
    admin.get(&format!("/users/{}", ada.id)).await.ok();
    assert_eq!(latest_event(&admin, &ada).await["action"], "account_read");
    let reads = async |path: &str| admin.get(path).await.ok()["items"].as_array().unwrap().len();
    let events = format!("/audit-events?subject_id={}&action=account_read", ada.id);
    let before = reads(&events).await;
    // Each way to see the account, also a change that changes nothing.
    assert_eq!((reads("/users?q=lovelace").await, reads("/users").await), (2, 2));
    admin.patch(&format!("/users/{}", ada.id), json!({})).await.ok();
    admin.patch(&format!("/users/{}", ada.id), json!({ "role": "patient" })).await.ok();
    assert_eq!(reads(&events).await, before + 4);
    ada.get(&format!("/users/{}", ada.id)).await.ok();
    assert_eq!(latest_event(&admin, &ada).await["actor_id"], json!(admin.id), "reading the own account is no event");
    ada.patch("/users/me", json!({ "phone_number": "+49 30 123456" })).await.ok();
    assert_eq!(latest_event(&admin, &ada).await["action"], "account_read");
    ada.patch("/users/me", json!({ "name": "Ada King", "nid": "1912", "birth_date": null })).await.ok();
    let event = latest_event(&admin, &ada).await;
    assert_eq!((&event["action"], &event["detail"]), (&json!("profile_changed"), &json!("name, nid, birth_date")));
    ada.put_empty("/contacts/birthdays/feed").await.created();
    assert_eq!(latest_event(&admin, &ada).await["action"], "feed_created");
    ada.delete("/contacts/birthdays/feed").await.no_content();
    assert_eq!(latest_event(&admin, &ada).await["action"], "feed_deleted");
    let import = ada.upload("/contacts/imports", "text/csv", "first_name,last_name\nByron,King\n").await.created();
    let event = latest_event(&admin, &ada).await;
    assert_eq!((&event["action"], &event["object_id"]), (&json!("contacts_imported"), &import["id"]));
    ada.delete(&format!("/contacts/imports/{}", import["id"].as_str().unwrap())).await.no_content();
    assert_eq!(latest_event(&admin, &ada).await["action"], "import_undone");
}
