//! Query plans: every lookup and list finds its rows by an index, and lists are read in the order of the index.
//!
//! Each function of the domain runs on a connection that explains each statement before executing it.

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
use care4u::domain::records::idempotency::{Once, Response};
use care4u::domain::records::outbox;
use care4u::domain::vaccination::people::PeopleFilter;
use care4u::domain::vaccination::request_list::{self, Request, RequestFilter};
use care4u::domain::vaccination::transitions::{self, Decision};
use care4u::domain::vaccination::vaccine_requests;
use care4u::domain::vaccination::vaccine_requests::NewRequest;
use care4u::domain::vaccination::vaccines::{self, Doses};
use care4u::domain::values::actor::Actor;
use care4u::domain::values::caller::Caller;
use care4u::domain::values::client::Client;
use care4u::domain::values::email::Email;
use care4u::domain::values::one_time_code::OneTimeCode;
use care4u::domain::values::page::Page;
use care4u::domain::values::patch::Patch;
use care4u::domain::values::person::{FullName, NationalId, PhoneNumber};
use care4u::domain::values::search::SearchText;
use care4u::domain::values::value::Value as _;
use entity::{CodePurpose, RequestStatus, Role};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use uuid::Uuid;

use crate::BACKEND;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::explained::Explained;

/// Creates enough requests of enough users that the planner prefers an index. Returns one of the users.
async fn fill(app: &TestApp, vaccine_id: Uuid) -> Uuid {
    use sea_orm::{EntityTrait, Set};
    let now = app.clock.now();
    let db = &app.state().db;
    let mut other_user_id = Uuid::nil();
    for person in 0..60 {
        let user_id = Uuid::now_v7();
        other_user_id = user_id;
        let user = entity::users::ActiveModel {
            id: Set(user_id),
            name: Set("Somebody".into()),
            email: Set(format!("{person}@example.net")),
            password_hash: Set(entity::PasswordHash("none".into())),
            role: Set(Role::Patient),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        entity::users::Entity::insert(user).exec_without_returning(db).await.unwrap();
        let patient = entity::patients::ActiveModel {
            id: Set(user_id),
            user_id: Set(Some(user_id)),
            relation: Set(entity::PatientRelation::Own),
            name: Set(Some("Somebody".into())),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        entity::patients::Entity::insert(patient).exec_without_returning(db).await.unwrap();
        let requests = (0..40).map(|_| entity::vaccine_requests::ActiveModel {
            id: Set(Uuid::now_v7()),
            user_id: Set(Some(user_id)),
            patient_id: Set(user_id),
            course_id: Set(vaccine_id),
            vaccine_id: Set(vaccine_id),
            dose_number: Set(1),
            status: Set(RequestStatus::Rejected),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        });
        entity::vaccine_requests::Entity::insert_many(requests).exec_without_returning(db).await.unwrap();
    }
    // SQLite assumes large tables until ANALYZE.
    if db.get_database_backend() == DbBackend::Postgres {
        db.execute_unprepared("ANALYZE").await.unwrap();
    }
    other_user_id
}

/// Returns the user in a new session.
pub async fn signed_in(app: &TestApp, user_id: Uuid) -> Actor {
    use entity::refresh_tokens::ActiveModel;
    use sea_orm::{ActiveModelTrait as _, Set};
    let (id, now) = (Uuid::now_v7(), app.clock.now());
    let session = ActiveModel {
        id: Set(id),
        user_id: Set(Some(user_id)),
        rotated_at: Set(now),
        expires_at: Set(now + chrono::Duration::days(1)),
        created_at: Set(now),
        ..Default::default()
    };
    session.insert(&app.state().db).await.unwrap();
    Actor { session_id: id, ..actor(user_id, Role::Patient) }
}

pub(super) fn actor(user_id: Uuid, role: Role) -> Actor {
    Actor { user_id, session_id: Uuid::now_v7(), role }
}

pub(super) fn no_response(_: &Request) -> care4u::error::Result<Response> {
    Ok(Response { status: 200, location: None, body: String::new(), is_replayed: false })
}

/// Returns the first page and a later one.
fn pages() -> [Page; 2] {
    [None, Some(Uuid::now_v7())].map(|after| Page { limit: 20, after })
}

#[tokio::test]
async fn vaccines_and_requests_are_found_by_index() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let request: Uuid = patient.ask_for("FLU").await.parse().unwrap();
    let vaccine_id = app.vaccine("FLU").await;
    let other_user_id = fill(&app, app.vaccine("MMR").await).await;
    let db = Explained::new(&app.state().db).await;
    let (auth, client) = (&app.state().auth, Client::default());
    let (own, staff) = (actor(patient.id, Role::Patient), actor(patient.id, Role::Staff));
    let now = auth.clock.now();

    vaccines::get(&db, vaccine_id).await.unwrap();
    let (as_own, as_staff) = [own, staff].map(|actor| Caller { actor, client: client.clone() }).into();
    request_list::get(&db, &auth.clock, &as_own, request).await.unwrap();
    let of_status = RequestFilter { status: Some(RequestStatus::Pending), ..RequestFilter::default() };
    let of_vaccine = RequestFilter { vaccine_id: Some(vaccine_id), ..RequestFilter::default() };
    let of_user = RequestFilter { user_id: Some(own.user_id), ..RequestFilter::default() };
    let of_time = RequestFilter { created_from: Some(now), created_before: Some(now), ..RequestFilter::default() };
    for page in pages() {
        vaccines::list(&db, Some(true), page).await.unwrap();
        request_list::list(&db, &auth.clock, &as_own, &RequestFilter::default(), page).await.unwrap();
        db.used("vaccine_requests_user_id_id_idx");
        for (filter, index) in [
            (&of_status, Some("vaccine_requests_status_id_idx")),
            (&of_vaccine, Some("vaccine_requests_vaccine_id_id_idx")),
            (&of_user, Some("vaccine_requests_user_id_id_idx")),
            // By the primary key, whose index has a different name on each database.
            (&of_time, None),
            (&RequestFilter::default(), None),
        ] {
            request_list::list(&db, &auth.clock, &as_staff, filter, page).await.unwrap();
            if let Some(index) = index {
                db.used(index);
            }
        }
    }
    let new = NewRequest {
        contact_id: None,
        vaccine_id,
        dose_number: Doses::parse(1).unwrap(),
        note: None,
        invitation_code: None,
    };
    let once = Once { key: None, render: no_response };
    let by = Caller { actor: actor(other_user_id, Role::Patient), client: client.clone() };
    vaccine_requests::create(&db, auth, &app.state().vaccination.rules, &by, once, new).await.unwrap();
    let changes = vaccine_requests::RequestChanges { vaccine_id: Some(vaccine_id), ..Default::default() };
    vaccine_requests::update(&db, &auth.clock, &own, request, changes).await.unwrap();
    let reviewer = Caller { actor: actor(other_user_id, Role::Staff), client };
    transitions::decide(&db, &auth.clock, &reviewer, request, Decision::Approve).await.unwrap();
    assert!(db.count() > 15);
}

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
        users::list(&db, &auth.clock, &as_admin, &staff, page).await.unwrap();
        db.used("users_role_id_idx");
        audit::list_own(&db, own.user_id, page).await.unwrap();
        db.used("audit_events_actor_id_id_idx");
        let to_me = AuditFilter { subject_id: Some(own.user_id), ..AuditFilter::default() };
        audit::list(&db, &admin, &to_me, page).await.unwrap();
        db.used("audit_events_subject_id_id_idx");
        let by_actor = AuditFilter { actor_id: Some(own.user_id), ..AuditFilter::default() };
        audit::list(&db, &admin, &by_actor, page).await.unwrap();
        db.used("audit_events_actor_id_id_idx");
        let by_action = AuditFilter { action: Some(entity::AuditAction::LoginFailed), ..AuditFilter::default() };
        audit::list(&db, &admin, &by_action, page).await.unwrap();
        db.used("audit_events_action_id_idx");
        audit::list(&db, &admin, &by_time, page).await.unwrap();
    }
    let promote = AccountChanges { role: Some(Role::Staff), ..AccountChanges::default() };
    let by = Administrator::admin(&Caller { actor: admin, client: client.clone() }).unwrap();
    administration::update(&db, auth, &by, patient.id, promote).await.unwrap();
    administration::list_sessions(&db, auth, &by, patient.id, pages()[1]).await.unwrap();
    administration::end_sessions(&db, auth, &by, patient.id, None).await.unwrap();
    personal_data::export_of(&db, auth, &by, patient.id).await.unwrap();
    let address = Email::parse(&patient.email).unwrap();
    let disable = AccountChanges { is_disabled: Some(true), ..AccountChanges::default() };
    administration::update(&db, auth, &Administrator::operator(), patient.id, disable).await.unwrap();
    administration::find(&db, &address).await.unwrap();
    administration::reset_password(&db, auth, &address, Password::presented("another good one")).await.unwrap();
    personal_data::export(&db, &auth.clock, &caller).await.unwrap();
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

/// What staff find people by: words, also of nobody, and what an account has.
fn people(email: &str) -> [PeopleFilter; 5] {
    let none = PeopleFilter::default();
    [
        PeopleFilter { search: Some(SearchText::parse("lovel ada").unwrap()), ..none.clone() },
        PeopleFilter { search: Some(SearchText::parse("nobody").unwrap()), ..none.clone() },
        PeopleFilter { email: Some(Email::parse(email).unwrap()), ..none.clone() },
        PeopleFilter { phone_number: Some(PhoneNumber::parse("+44 20 7946 0018").unwrap()), ..none.clone() },
        PeopleFilter { nid: Some(NationalId::parse("19121815-AL").unwrap()), ..none },
    ]
}

#[tokio::test]
async fn slots_bookings_and_patients_are_found_by_index() {
    use care4u::domain::records::idempotency::{RequestKey, delete_expired};
    use care4u::domain::vaccination::availability::replies::{SlotFormat, SlotQuery};
    use care4u::domain::vaccination::availability::search::SearchQuery;
    use care4u::domain::vaccination::availability::{Availability, ListDays};
    use care4u::domain::vaccination::operation::Operation;
    use care4u::domain::vaccination::waitlist::{self, Preferences};
    use care4u::domain::vaccination::{bookings, cancellations, centres, closing, patients};

    let app = TestApp::start(BACKEND).await;
    let (patient, boss) = (app.patient().await, app.admin().await);
    let request: Uuid = patient.ask_for("FLU").await.parse().unwrap();
    let flu = app.vaccine("FLU").await;
    fill(&app, app.vaccine("MMR").await).await;
    let now = app.clock.now();
    let centre = centre(&app).await;
    let ids = add_slots(&app, centre, flu, 2000).await;
    if app.state().db.get_database_backend() == DbBackend::Postgres {
        app.state().db.execute_unprepared("ANALYZE").await.unwrap();
    }
    let db = Explained::new(&app.state().db).await;
    let (auth, context) = (&app.state().auth, &app.state().vaccination);
    let caller = |id, role| Caller { actor: actor(id, role), client: Client::default() };
    let (own, admin) = (caller(patient.id, Role::Patient), caller(boss.id, Role::Admin));

    centres::list(&db, None, pages()[1]).await.unwrap();
    let (availability, days) = (Availability::default(), ListDays::parse(7).unwrap());
    let format = SlotFormat { slot: |_, _| Ok(()), cursor: |_| String::new(), page: |_, _| Vec::new() };
    let query = SlotQuery { centre_id: centre, vaccine_id: None, from: None, days, limit: None, after: None };
    availability.slots(&db, &auth.clock, &query, format).await.unwrap();
    db.used("slots_centre_id_starts_at_id_idx");
    let course_id = vaccines::get(&db, flu).await.unwrap().course_id;
    let search = SearchQuery { course_id, from: None, days, near: None, limit: 20 };
    availability.search(&db, &auth.clock, &search, |found| Ok(vec![0; found.len()])).await.unwrap();
    db.used("slots_vaccine_id_starts_at_id_idx");
    for page in pages() {
        patients::list_own(&db, &own.actor, page).await.unwrap();
        db.used("patients_user_id_id_idx");
        for people in people(&patient.email) {
            // The patients and requests of the accounts that are found.
            db.allow_sorts(people.search.is_none());
            patients::search(&db, &auth.clock, &admin, &people, Some("test"), page).await.unwrap();
            let filter = RequestFilter { people, ..RequestFilter::default() };
            request_list::list(&db, &auth.clock, &admin, &filter, page).await.unwrap();
        }
        db.allow_sorts(false);
        let of_slot = RequestFilter { slot_id: Some(ids[0]), ..RequestFilter::default() };
        request_list::list(&db, &auth.clock, &admin, &of_slot, page).await.unwrap();
    }
    // Not explained: the scan of a counted, limited subquery looks like that of a table.
    request_list::counts(&app.state().db, &admin.actor).await.unwrap();
    transitions::decide(&db, &auth.clock, &admin, request, Decision::Approve).await.unwrap();
    let key = RequestKey::parse(b"key", &[b"request"]).unwrap();
    let once = Once { key: Some(&key), render: no_response };
    let operation = Operation { context, caller: &own, request_id: request };
    bookings::book(&db, operation, once, ids[0]).await.unwrap();
    let once = || Once { key: None, render: no_response };
    bookings::rebook(&db, operation, once(), ids[1]).await.unwrap();
    cancellations::unbook(&db, operation).await.unwrap();
    bookings::book(&db, operation, once(), ids[0]).await.unwrap();
    closing::close(&db, context, &admin, ids[0], None).await.unwrap();
    closing::resume(&db, context).await.unwrap();
    waitlist::leave(&db, operation).await.unwrap();
    waitlist::wait(&db, operation, Preferences::default()).await.unwrap_err();
    cancellations::cancel(&db, operation).await.unwrap();
    delete_expired(&db, now).await.unwrap();
    assert!(db.count() > 60, "{}", db.count());
}

#[tokio::test]
async fn the_waitlist_is_read_by_index() {
    use care4u::domain::vaccination::operation::Operation;
    use care4u::domain::vaccination::slots::{self, Capacity, SlotChanges};
    use care4u::domain::vaccination::waitlist::{self, Preferences};
    use care4u::domain::vaccination::{cancellations, offers};
    use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

    let app = TestApp::start(BACKEND).await;
    let (centre, flu) = (centre(&app).await, app.vaccine("FLU").await);
    let slots = add_slots(&app, centre, flu, 2000).await;
    let full = "UPDATE slots SET capacity = 0";
    app.state().db.execute_unprepared(full).await.unwrap();
    let boss = app.admin().await;
    let mut people = Vec::new();
    for _ in 0..3 {
        let patient = app.patient().await;
        let request: Uuid = patient.ask_for("FLU").await.parse().unwrap();
        boss.post_empty(&format!("/vaccine-requests/{request}/approve")).await.ok();
        people.push((patient.id, request));
    }
    if app.state().db.get_database_backend() == DbBackend::Postgres {
        app.state().db.execute_unprepared("ANALYZE").await.unwrap();
    }
    let db = Explained::new(&app.state().db).await;
    let context = &app.state().vaccination;
    let caller = |id, role| Caller { actor: actor(id, role), client: Client::default() };
    let callers: Vec<_> = people.iter().map(|(id, _)| caller(*id, Role::Patient)).collect();
    let operations: Vec<_> = people
        .iter()
        .zip(&callers)
        .map(|((_, request_id), caller)| Operation { context, caller, request_id: *request_id })
        .collect();
    for (operation, centre_id) in operations.iter().zip([Some(centre), None, None]) {
        // A page of a line is merged from two: those for the centre, and those for any.
        db.allow_sorts(true);
        waitlist::wait(&db, *operation, Preferences { centre_id, ..Preferences::default() }).await.unwrap();
    }
    assert_eq!(waitlist::search_all(&db, context).await.unwrap(), 0);
    let changes = SlotChanges { capacity: Some(Capacity::parse(1).unwrap()), invited_only: None };
    slots::update(&db, context, &caller(boss.id, Role::Admin), slots[0], changes).await.unwrap();
    waitlist::decline(&db, operations[0]).await.unwrap();
    waitlist::accept(&db, operations[1], Once { key: None, render: no_response }).await.unwrap();
    let mails = entity::outbox::Entity::find().filter(entity::outbox::Column::ObjectId.eq(people[1].1));
    let mails = mails.all(&db).await.unwrap();
    // The offer, the booking and its reminder.
    assert_eq!(mails.len(), 3);
    for mail in &mails {
        care4u::domain::mail_messages::prepare(&db, &app.state().auth, mail).await.unwrap();
    }
    cancellations::cancel(&db, operations[1]).await.unwrap();
    app.clock.advance(chrono::Duration::hours(1));
    db.allow_sorts(false);
    assert_eq!(offers::end_expired(&db, context).await.unwrap(), 1);
    waitlist::end_past(&db, app.clock.now()).await.unwrap();
    assert!(db.count() > 60, "{}", db.count());
}

/// A centre in UTC.
async fn centre(app: &TestApp) -> Uuid {
    use sea_orm::{ActiveModelTrait as _, Set};
    let now = app.clock.now();
    let centre = entity::centres::ActiveModel {
        id: Set(Uuid::now_v7()),
        name: Set("Town hall".into()),
        address: Set("1 Market Square".into()),
        time_zone: Set("UTC".into()),
        active: Set(true),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    centre.insert(&app.state().db).await.unwrap().id
}

/// Slots of one place each, an hour apart, from the day after tomorrow on.
async fn add_slots(app: &TestApp, centre_id: Uuid, vaccine_id: Uuid, count: i64) -> Vec<Uuid> {
    use sea_orm::{EntityTrait, Set};
    let now = app.clock.now();
    let slots: Vec<_> = (0..count)
        .map(|number| {
            let start = now + chrono::Duration::hours(48 + number);
            entity::slots::ActiveModel {
                id: Set(Uuid::now_v7()),
                centre_id: Set(centre_id),
                vaccine_id: Set(vaccine_id),
                starts_at: Set(start),
                ends_at: Set(start + chrono::Duration::hours(1)),
                capacity: Set(1),
                created_at: Set(now),
                ..Default::default()
            }
        })
        .collect();
    let ids = slots.iter().map(|slot| slot.id.clone().unwrap()).collect();
    for slots in slots.chunks(500) {
        entity::slots::Entity::insert_many(slots.to_vec()).exec_without_returning(&app.state().db).await.unwrap();
    }
    ids
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
