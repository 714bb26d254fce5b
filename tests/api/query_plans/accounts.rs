//! Query plans of accounts, sessions, codes, mails, and the search of people.

use care4u::domain::accounts::administration::{self, AccountChanges, Administrator};
use care4u::domain::accounts::credentials;
use care4u::domain::accounts::mail_messages;
use care4u::domain::accounts::national_ids;
use care4u::domain::accounts::recovery;
use care4u::domain::accounts::registration::{self, NewUser};
use care4u::domain::accounts::users;
use care4u::domain::accounts::users::UserFilter;
use care4u::domain::accounts::verification::{self, Proof};
use care4u::domain::auth::codes;
use care4u::domain::auth::password::Password;
use care4u::domain::auth::quota;
use care4u::domain::auth::reset_codes::{self, ResetRequest};
use care4u::domain::auth::reset_tokens::PresentedResetToken;
use care4u::domain::auth::throttle;
use care4u::domain::auth::token::PresentedToken;
use care4u::domain::auth::{log_in, refresh, sessions};
use care4u::domain::personal_data;
use care4u::domain::records::audit::{self, AuditFilter};
use care4u::domain::records::outbox;
use care4u::domain::values::actor::Actor;
use care4u::domain::values::caller::Caller;
use care4u::domain::values::client::Client;
use care4u::domain::values::email::Email;
use care4u::domain::values::one_time_code::OneTimeCode;
use care4u::domain::values::page::Page;
use care4u::domain::values::patch::Patch;
use care4u::domain::values::person::{FullName, NationalId};
use care4u::domain::values::search::SearchText;
use care4u::domain::values::value::Value as _;
use entity::{CodePurpose, Role};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use uuid::Uuid;

use super::{actor, fill, pages, signed_in};
use crate::BACKEND;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::explained::Explained;

#[tokio::test]
async fn accounts_and_the_audit_trail_are_found_by_index() {
    let app = TestApp::start(BACKEND).await;
    let (patient, boss) = (app.patient().await, app.admin().await);
    fill(&app, app.vaccine("MMR").await).await;
    let admin = Actor { role: Role::Admin, ..signed_in(&app, boss.id).await };
    let db = Explained::new(&app.state().db).await;
    let (auth, client) = (&app.state().auth, Client::default());
    let own = actor(patient.id, Role::Patient);
    let caller = Caller { actor: own, client: client.clone() };
    let as_admin = Caller { actor: admin, client: client.clone() };
    let now = auth.clock.now();

    users::get_own(&db, &own).await.unwrap();
    users::get(&db, &auth.clock, &Caller { actor: admin, client: client.clone() }, own.user_id).await.unwrap();
    users::update(&db, &auth.clock, &caller, users::ProfileChanges::default()).await.unwrap();
    let nid = NationalId::parse("19121815-AL").unwrap();
    let changes = users::ProfileChanges { nid: Patch::Set(nid.clone()), ..users::ProfileChanges::default() };
    users::update(&db, &auth.clock, &caller, changes).await.unwrap();
    let staff = Caller { actor: actor(boss.id, Role::Staff), client: client.clone() };
    national_ids::verify(&db, auth, &staff, own.user_id, Some(&nid)).await.unwrap();
    for page in pages() {
        national_ids::list_claims(&db, &auth.clock, &staff, own.user_id, page).await.unwrap();
    }
    let email = Some(Email::parse("ada@example.org").unwrap());
    let by_time = AuditFilter { occurred_from: Some(now), occurred_before: Some(now), ..AuditFilter::default() };
    for page in pages() {
        for filter in [
            UserFilter::default(),
            UserFilter { email: email.clone(), ..UserFilter::default() },
            UserFilter {
                search: Some(SearchText::parse("ada").unwrap()),
                is_disabled: Some(false),
                ..UserFilter::default()
            },
        ] {
            users::list(&db, &auth.clock, &as_admin, &filter, page).await.unwrap();
        }
        let staff = UserFilter { role: Some(Role::Staff), ..UserFilter::default() };
        db.allow_broad_indexes(true);
        users::list(&db, &auth.clock, &as_admin, &staff, page).await.unwrap();
        db.used("users_role_id_idx");
        let by_action = AuditFilter { action: Some(entity::AuditAction::LoginFailed), ..AuditFilter::default() };
        audit::list(&db, &admin, &by_action, page).await.unwrap();
        db.used("audit_events_action_id_idx");
        db.allow_broad_indexes(false);
        audit::list_own(&db, own.user_id, page).await.unwrap();
        db.used("audit_events_actor_id_id_idx");
        let to_me = AuditFilter { subject_id: Some(own.user_id), ..AuditFilter::default() };
        audit::list(&db, &admin, &to_me, page).await.unwrap();
        db.used("audit_events_subject_id_id_idx");
        let by_actor = AuditFilter { actor_id: Some(own.user_id), ..AuditFilter::default() };
        audit::list(&db, &admin, &by_actor, page).await.unwrap();
        db.used("audit_events_actor_id_id_idx");
        audit::list(&db, &admin, &by_time, page).await.unwrap();
    }
    let promote = AccountChanges { role: Some(Role::Staff), ..AccountChanges::default() };
    let by = Administrator::admin(&Caller { actor: admin, client: client.clone() }).unwrap();
    administration::update(&db, auth, &by, patient.id, promote).await.unwrap();
    administration::list_sessions(&db, auth, &by, patient.id, pages()[1]).await.unwrap();
    administration::end_sessions(&db, auth, &by, patient.id, None).await.unwrap();
    personal_data::export_of(&db, auth, &app.state().vaccination.schedules, &by, patient.id).await.unwrap();
    let address = Email::parse(&patient.email).unwrap();
    let disable = AccountChanges { is_disabled: Some(true), ..AccountChanges::default() };
    administration::update(&db, auth, &Administrator::operator(), patient.id, disable).await.unwrap();
    administration::find(&db, &address).await.unwrap();
    administration::reset_password(&db, auth, &address, Password::presented("another good one")).await.unwrap();
    personal_data::export(&db, &app.state().vaccination, &caller).await.unwrap();
    personal_data::erase(&db, auth, &app.state().vaccination, &caller, Password::presented("another good one"))
        .await
        .unwrap();
    assert!(db.count() > 40);
}

#[tokio::test]
async fn sessions_codes_and_mails_are_found_by_index() {
    let throttled = [("CARE4U__THROTTLE__ENABLED", "true"), ("CARE4U__THROTTLE__LOGIN_PER_ADDRESS", "1")];
    let app = TestApp::start_with(BACKEND, &throttled).await;
    let patient = app.patient().await;
    fill(&app, app.vaccine("MMR").await).await;
    let own = signed_in(&app, patient.id).await;
    let db = Explained::new(&app.state().db).await;
    let auth = &app.state().auth;
    let client = Client { address: "192.0.2.1".parse().ok(), user_agent: None };
    let caller = Caller { actor: own, client: client.clone() };
    let (email, now) = (Email::parse(&patient.email).unwrap(), auth.clock.now());
    let other = Email::parse("other@example.org").unwrap();

    log_in::log_in(&db, auth, &email, Password::presented(PASSWORD), &client).await.unwrap();
    log_in::log_in(&db, auth, &email, Password::presented("wrong"), &client).await.unwrap_err();
    // The address must wait, except for users who have logged in from it.
    log_in::log_in(&db, auth, &email, Password::presented(PASSWORD), &client).await.unwrap();
    refresh::refresh(&db, auth, &PresentedToken::from_text(&patient.refresh_token).unwrap(), &client).await.unwrap();
    for page in pages() {
        sessions::list(&db, &auth.clock, own.user_id, page).await.unwrap();
        db.used("refresh_tokens_user_id_id_idx");
    }
    auth.revocations.read(&db, now).await.unwrap();
    db.used("refresh_tokens_revoked_at_id_idx");
    sessions::end_others(&db, auth, &caller).await.unwrap();
    sessions::sweep(&db, auth).await.unwrap();

    let new = NewUser {
        name: FullName::parse("Bob").unwrap(),
        email: other.clone(),
        password: Password::presented(PASSWORD),
        nid: None,
        phone_number: None,
        address: None,
        birth_date: None,
    };
    registration::register(&db, auth, new.clone(), &client).await.unwrap();
    registration::register_silently(&db, auth, new, &client).await.unwrap();
    verification::resend(&db, auth, &other, &client).await.unwrap();
    let flow = recovery::request(&db, auth, &email, &client).await.unwrap();
    let third = Email::parse("third@example.org").unwrap();
    let password = Password::presented(PASSWORD);
    verification::begin_change(&db, auth, &caller, &third, password.clone()).await.unwrap();
    let mails = outbox::claim(&db, now + chrono::Duration::minutes(1), 16).await.unwrap();
    // Only the oldest mail of each recipient.
    assert_eq!(mails.len(), 3);
    for mail in &mails {
        mail_messages::prepare(&db, auth, mail).await.unwrap();
    }
    outbox::renew_claims(&db, &[mails[0].id], now).await.unwrap();
    outbox::postpone(&db, &mails[2], now).await.unwrap();
    outbox::record_failure(&db, &mails[0], true, now).await.unwrap();
    outbox::remove(&db, mails[1].id).await.unwrap();

    let code = codes::issue_for_change(&db, auth, own.user_id, third.as_str()).await.unwrap().unwrap();
    verification::finish_change(&db, auth, &caller, &presented(&code.digits)).await.unwrap();
    let email = third;
    let request = ResetRequest { user_id: own.user_id, email: email.as_str(), flow_hash: None };
    assert_eq!(reset_codes::wait_for_slot(&db, auth, request).await.unwrap(), None);
    let code = reset_codes::issue(&db, auth, request).await.unwrap().unwrap();
    recovery::validate(&db, auth, (&email, &presented("000000"), Some(&flow)), &client).await.err();
    let token = recovery::validate(&db, auth, (&email, &presented(&code.digits), None), &client).await.unwrap();
    recovery::reset(
        &db,
        auth,
        &PresentedResetToken::from_text(&token.text).unwrap(),
        Password::presented("another good one"),
        &client,
    )
    .await
    .unwrap();
    let as_admin = Caller { actor: actor(own.user_id, Role::Admin), client: client.clone() };
    let bob = users::list(&db, &auth.clock, &as_admin, &UserFilter::default(), pages()[0]).await.unwrap();
    let bob = bob.items.iter().find(|user| user.name == "Bob").unwrap();
    let code = codes::issue(&db, auth, bob.id, CodePurpose::VerifyEmail, &bob.email).await.unwrap();
    verification::confirm(&db, auth, (&other, &presented(&code.digits)), Proof::default(), &client).await.unwrap();
    let (current, new) = (Password::presented("another good one"), Password::presented(PASSWORD));
    credentials::change_password(&db, auth, &caller, current, new).await.unwrap();
    codes::sweep(&db, now).await.unwrap();
    throttle::sweep(&db, now).await.unwrap();
    quota::sweep(&db, now).await.unwrap();
    outbox::sweep(&db, now).await.unwrap();
    assert!(db.count() > 80, "{}", db.count());
}

fn presented(digits: &str) -> OneTimeCode {
    OneTimeCode::parse(digits).unwrap()
}

/// People with two first names, each of which more have than a search resolves into ids.
async fn namesakes(app: &TestApp) {
    use care4u::domain::accounts::user_words::{self, Searchable};
    use sea_orm::{EntityTrait, Set};
    let now = app.clock.now();
    let db = &app.state().db;
    let people: Vec<_> = (0..2202)
        .map(|number| {
            let name = match number {
                0 => "Amelia Oliver",
                number if number % 2 == 0 => "Amelia Smith",
                _ => "Oliver Smith",
            };
            (Uuid::now_v7(), name, format!("namesake{number}@example.net"))
        })
        .collect();
    for people in people.chunks(500) {
        let users = people.iter().map(|(id, name, email)| entity::users::ActiveModel {
            id: Set(*id),
            name: Set((*name).to_owned()),
            email: Set(email.clone()),
            password_hash: Set(entity::PasswordHash("none".into())),
            role: Set(Role::Patient),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        });
        entity::users::Entity::insert_many(users).exec_without_returning(db).await.unwrap();
        let searchable = people.iter().map(|(id, name, email)| (*id, Searchable { name, email, phone_number: None }));
        user_words::insert(db, searchable).await.unwrap();
    }
    if db.get_database_backend() == DbBackend::Postgres {
        db.execute_unprepared("ANALYZE").await.unwrap();
    }
}

#[tokio::test]
async fn common_words_are_found_by_index_also_if_they_never_meet() {
    let app = TestApp::start(BACKEND).await;
    namesakes(&app).await;
    let admin = app.admin().await;
    let db = Explained::new(&app.state().db).await;
    let client = Client { address: None, user_agent: None };
    let caller = Caller { actor: actor(admin.id, Role::Admin), client };
    for (text, expected) in [("amelia", 20), ("smith amel", 20), ("oliver amelia", 1), ("amelia oliver smith", 0)] {
        let filter = UserFilter { search: Some(SearchText::parse(text).unwrap()), ..UserFilter::default() };
        let page = Page { limit: 20, after: None };
        let found = users::list(&db, &app.state().auth.clock, &caller, &filter, page).await.unwrap();
        // A scan or a sort would have been refused.
        assert_eq!(found.items.len(), expected, "{text}");
    }
}

#[tokio::test]
async fn a_plan_of_sqlite_does_not_depend_on_values() {
    let app = TestApp::start(BACKEND).await;
    let db = &app.state().db;
    if db.get_database_backend() == DbBackend::Sqlite {
        let options = Statement::from_string(DbBackend::Sqlite, "PRAGMA compile_options");
        let options = db.query_all_raw(options).await.unwrap();
        let options: Vec<String> = options.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        assert!(options.iter().any(|option| option == "ENABLE_QPSG"), "{options:?}");
    }
}
