//! Export of personal data, and deletion of an account.

use chrono::Utc;
use entity::{AuditAction, audit_events};
use reqwest::Method;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter, Set};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::contract::DOCUMENT;

fn count(value: &Value) -> usize {
    value.as_array().expect("it is a list").len()
}

/// Returns the items of all pages of a list.
async fn all_items(actor: &Actor<'_>, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = actor.get(&format!("{path}?limit=100{cursor}")).await.ok();
        items.extend(page["items"].as_array().expect("a list has items").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

#[tokio::test]
async fn the_export_contains_all_data_of_the_caller_and_no_secret() {
    let app = TestApp::start(BACKEND).await;
    let (patient, staff) = (app.patient().await, app.staff().await);
    patient.patch("/users/me", json!({ "nid": "19121815-AL", "address": "12 St James's Square" })).await.ok();
    let request = patient.ask_for("MMR").await;
    staff.post_empty(&format!("/vaccine-requests/{request}/approve")).await.ok();
    patient.on_another_device().await.post_empty("/auth/logout").await.no_content();
    patient
        .post("/users/me/email-change", json!({ "email": "ada@example.org", "current_password": PASSWORD }))
        .await
        .accepted();
    app.mail.wait_for("ada@example.org", 1).await;

    patient
        .upload("/contacts/imports", "text/csv", "first_name,last_name,note\nByron,King,in my care\n")
        .await
        .created();
    let feed = patient.put_empty("/contacts/birthdays/feed").await.is(201).json();

    let response = patient.get("/users/me/export").await;
    let export = response.ok();
    assert_eq!((count(&export["contacts"]), &export["contacts"][0]["note"]), (1, &json!("in my care")));
    assert_eq!(
        (&export["contact_imports"][0]["imported"], &export["birthday_feed"]["created_at"]),
        (&json!(1), &feed["created_at"])
    );
    assert_eq!(response.header("content-disposition"), "attachment; filename=\"care4u.json\"");
    assert_eq!(
        (&export["account"]["email"], &export["account"]["nid"]),
        (&json!(patient.email), &json!("19121815-AL"))
    );
    assert_eq!((count(&export["sessions"]), &export["vaccine_requests"][0]["id"]), (2, &json!(request)));
    assert_eq!(
        (&export["codes"][0]["purpose"], &export["codes"][0]["email"]),
        (&json!("change_email"), &json!("ada@example.org"))
    );
    let actions: Vec<_> =
        export["activity"].as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap()).collect();
    for action in
        ["registered", "login_succeeded", "request_approved", "logged_out", "email_change_asked", "data_exported"]
    {
        assert!(actions.contains(&action), "{action} is not in {actions:?}");
    }
    let stored = entity::users::Entity::find_by_id(patient.id).one(&app.state().db).await.unwrap().unwrap();
    assert!(!response.text.contains(&stored.password_hash.0) && !response.text.contains("$2b$"));

    let of_staff = staff.get("/users/me/export").await.ok();
    assert_eq!(of_staff["reviewed_vaccine_requests"], json!([request]));
    assert!(!of_staff.to_string().contains("19121815"), "the export contains data of another user");
    app.get("/api/v1/users/me/export").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn an_export_of_several_pages_is_complete_and_without_duplicates() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let members = |export: &Value| export.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let small = members(&patient.get("/users/me/export").await.ok());
    let documented = &DOCUMENT["components"]["schemas"]["PersonalDataReply"]["properties"];
    assert_eq!(small, members(documented));

    // One page has 500 rows. The last page of contacts is full, that of events is not.
    let file = (0..1000).fold("first_name,last_name\n".to_owned(), |file, row| file + &format!("Byron,King{row}\n"));
    patient.upload("/contacts/imports", "text/csv", file).await.created();
    let events = (0..1100).map(|_| audit_events::ActiveModel {
        id: Set(Uuid::now_v7()),
        action: Set(AuditAction::LoginFailed),
        subject_id: Set(Some(patient.id)),
        ip: Set(Some("192.0.2.1".to_owned())),
        occurred_at: Set(app.clock.now()),
        ..Default::default()
    });
    audit_events::Entity::insert_many(events).exec_without_returning(&app.state().db).await.unwrap();

    let export = patient.get("/users/me/export").await.ok();
    assert_eq!(members(&export), small);
    let mut contacts = all_items(&patient, "/contacts").await;
    contacts.sort_by_key(|contact| contact["id"].as_str().unwrap().to_owned());
    assert_eq!((contacts.len(), &export["contacts"]), (1000, &json!(contacts)));
    let activity = all_items(&patient, "/users/me/activity").await;
    assert_eq!(
        activity.len(),
        1100 + ["registered", "login_succeeded", "data_exported", "contacts_imported", "data_exported"].len()
    );
    assert_eq!(export["activity"], json!(activity));
    assert_eq!(export["activity"][0]["action"], "data_exported", "the export is recorded before it is sent");
}

#[tokio::test]
async fn an_export_that_fails_midway_is_cut_off_and_was_recorded() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    // More than the write buffer of the server, so that the beginning of the response is sent.
    let file = (0..400).fold("first_name,last_name\n".to_owned(), |file, row| file + &format!("Byron,King{row}\n"));
    patient.upload("/contacts/imports", "text/csv", file).await.created();
    // An event that cannot be read. Events are the last list of the document.
    let db = &app.state().db;
    let (allow, forbid) = match db.get_database_backend() {
        DbBackend::Postgres => ("ALTER TABLE audit_events DROP CONSTRAINT audit_events_action_check", ""),
        _ => ("PRAGMA ignore_check_constraints = ON", "PRAGMA ignore_check_constraints = OFF"),
    };
    db.execute_unprepared(allow).await.unwrap();
    let unreadable = Query::insert()
        .into_table(audit_events::Entity)
        .columns([
            audit_events::Column::Id,
            audit_events::Column::Action,
            audit_events::Column::SubjectId,
            audit_events::Column::OccurredAt,
        ])
        .values([Expr::value(Uuid::from_u128(1)), "unknown".into(), patient.id.into(), Utc::now().into()])
        .unwrap()
        .to_owned();
    db.execute(&unreadable).await.unwrap();
    db.execute_unprepared(forbid).await.unwrap();

    let response = patient.request(Method::GET, "/users/me/export").send().await.unwrap();
    assert_eq!(response.status(), 200, "the response has started");
    let error = response.bytes().await.expect_err("the body is incomplete");
    assert!(!error.is_timeout(), "{error:?}");
    let recorded = audit_events::Entity::find()
        .filter(audit_events::Column::Action.eq(AuditAction::DataExported))
        .filter(audit_events::Column::ActorId.eq(patient.id));
    assert_eq!(recorded.count(db).await.unwrap(), 1);
}

#[tokio::test]
async fn deleting_the_account_requires_the_password() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    patient.post("/users/me/deletion", json!({ "password": "a guess" })).await.violates(&[("password", "wrong")]);
    patient.post("/users/me/deletion", json!({})).await.violates(&[("password", "length")]);
    patient.delete("/users/me").await.problem(405, "method-not-allowed");
    patient.get("/users/me").await.ok();
}

#[tokio::test]
async fn a_deleted_account_leaves_no_personal_data() {
    let app = TestApp::start(BACKEND).await;
    let (patient, staff, admin) = (app.patient().await, app.staff().await, app.admin().await);
    let request = patient.ask_for("MMR").await;
    staff.post_empty(&format!("/vaccine-requests/{request}/approve")).await.ok();
    let other = app.patient().await.ask_for("FLU").await;
    admin.patch(&format!("/users/{}", patient.id), json!({ "role": "staff" })).await.ok();
    let patient = patient.on_another_device().await;
    patient.post_empty(&format!("/vaccine-requests/{other}/approve")).await.ok();
    app.log_in(&patient.email, "a guess").await.problem(401, "wrong-credentials");
    app.post("/api/v1/auth/forgot-password", json!({ "email": patient.email })).await.accepted();
    app.outbox_empties().await;

    // A contact with an open request, an import and a calendar feed.
    let file = "first_name,last_name\nByron,King\nRalph,King\n";
    patient.upload("/contacts/imports", "text/csv", file).await.created();
    let child = patient.get("/contacts").await.ok()["items"][0]["id"].clone();
    let for_child = json!({ "vaccine_id": app.vaccine("MMR").await, "contact_id": child });
    patient.post("/vaccine-requests", for_child).await.created();
    patient.put_empty("/contacts/birthdays/feed").await.is(201);

    let report = patient.post("/users/me/deletion", json!({ "password": PASSWORD })).await.ok();
    assert_eq!(
        report["erased"],
        json!({ "account": 1, "vaccine_requests": 2, "immunizations": 0,
            "waitlist_entries": 0, "contacts": 2, "codes": 1, "mails": 0 })
    );
    assert_eq!((&report["anonymised"]["sessions"], &report["anonymised"]["reviews"]), (&json!(2), &json!(1)));
    assert!(report["anonymised"]["activity"].as_u64().unwrap() >= 4, "{report}");
    assert_eq!(report["kept"], json!([]));
    assert_eq!(app.mail.wait_for(&patient.email, 2).await.subject, "Your account has been deleted");

    let db = &app.state().db;
    app.outbox_empties().await;
    assert_eq!(entity::account_codes::Entity::find().count(db).await.unwrap(), 0);
    assert_eq!(entity::contacts::Entity::find().count(db).await.unwrap(), 0);
    assert_eq!(entity::contact_imports::Entity::find().count(db).await.unwrap(), 0);
    assert_eq!(entity::calendar_feeds::Entity::find().count(db).await.unwrap(), 0);
    // The patient that is left is that of the other request.
    assert_eq!(entity::patients::Entity::find().count(db).await.unwrap(), 1);
    let words = entity::patient_words::Entity::find().all(db).await.unwrap();
    assert!(words.iter().all(|word| ["ada", "lovelace"].contains(&word.word.as_str())), "{words:?}");
    let of_patient = entity::user_words::Column::UserId.eq(patient.id);
    assert_eq!(entity::user_words::Entity::find().filter(of_patient).count(db).await.unwrap(), 0);
    let events = entity::audit_events::Entity::find()
        .filter(entity::audit_events::Column::SubjectId.eq(patient.id))
        .all(db)
        .await
        .unwrap();
    assert!(events.iter().any(|event| event.action == entity::AuditAction::AccountDeleted));
    for event in events.iter().filter(|event| event.actor_id.is_none_or(|actor| actor == patient.id)) {
        assert!(event.ip.is_none() && event.user_agent.is_none(), "{event:?}");
    }
    // Events of staff and admins are not changed.
    assert!(events.iter().any(|event| event.actor_id == Some(staff.id) && event.ip.is_some()));
    let sessions = entity::refresh_tokens::Entity::find().all(db).await.unwrap();
    let orphans: Vec<_> = sessions.iter().filter(|session| session.user_id.is_none()).collect();
    assert_eq!(orphans.len(), 2);
    assert!(orphans.iter().all(|session| session.ip.is_none() && session.user_agent.is_none()));
    assert!(staff.get(&format!("/vaccine-requests/{other}")).await.ok()["reviewer_id"].is_null());
    app.register(&patient.email).await.created();
}

#[tokio::test]
async fn deleting_an_account_deletes_its_sessions_and_requests() {
    let app = TestApp::start(BACKEND).await;
    let (patient, staff) = (app.patient().await, app.staff().await);
    let request = patient.ask_for("MMR").await;
    let other = app.another_instance().await;
    patient.post("/users/me/deletion", json!({ "password": PASSWORD })).await.ok();
    patient.get("/users/me").await.problem(401, "invalid-token");
    app.refresh(&patient.refresh_token).await.problem(401, "invalid-token");
    app.post("/api/v1/auth/login", json!({ "email": patient.email, "password": PASSWORD }))
        .await
        .problem(401, "wrong-credentials");
    staff.get(&format!("/vaccine-requests/{request}")).await.problem(404, "not-found");
    // An instance that has not read the revocation yet does not return the account either.
    let me = other.request(Method::GET, "/api/v1/users/me").bearer_auth(&patient.access_token);
    other.send(me).await.problem(401, "invalid-token");
    let ask = json!({ "vaccine_id": other.vaccine("MMR").await });
    let ask = other.request(Method::POST, "/api/v1/vaccine-requests").bearer_auth(&patient.access_token).json(&ask);
    other.send(ask).await.problem(401, "invalid-token");
}

#[tokio::test]
async fn an_erased_person_stays_neither_in_the_file_nor_in_a_backup_of_sqlite() {
    use care4u::db::Transact as _;
    let app = TestApp::start(BACKEND).await;
    let crate::support::database::Database::Sqlite { folder } = &*app.database else { return };
    let patient = app.patient().await;
    let needle = "Xanthippe";
    patient.patch("/users/me", json!({ "name": format!("{needle} Quill"), "address": needle })).await.ok();
    let long = needle.repeat(100);
    for number in 0..50 {
        let contact = json!({ "first_name": needle, "last_name": number.to_string(), "note": long });
        patient.post("/contacts", contact).await.created();
    }
    patient.ask_for("MMR").await;
    let files =
        || ["care4u.db", "care4u.db-wal"].map(|name| std::fs::read(folder.path().join(name)).unwrap_or_default());
    let is_in = |files: &[Vec<u8>]| {
        let lower = needle.to_lowercase();
        let found = |file: &Vec<u8>, text: &str| file.windows(text.len()).any(|window| window == text.as_bytes());
        files.iter().any(|file| found(file, needle) || found(file, &lower) || found(file, &patient.email))
    };
    assert!(is_in(&files()), "the search finds what is there");
    patient.post("/users/me/deletion", json!({ "password": PASSWORD })).await.ok();
    // The confirmation has the address. It is sent after the erasure, so the log is emptied once more.
    app.outbox_empties().await;
    app.state().db.purge_log().await.unwrap();
    // `.backup` copies the file page by page, including free pages.
    assert!(!is_in(&files()));
}
