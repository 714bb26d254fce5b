//! Query plans of contacts, birthdays and imports: rows are found by an index, and lists are read in its order; see
//! `query_plans`.

use std::io::{Seek as _, Write as _};

use care4u::domain::auth::calendar_feeds::{self, FeedSecret};
use care4u::domain::auth::quota::{self, Quota};
use care4u::domain::contacts::address_book::ReadOptions;
use care4u::domain::contacts::birthday_calendar::{self, Span};
use care4u::domain::contacts::birthdays::{self, Window};
use care4u::domain::contacts::contact_changes::{self, ChangePosition};
use care4u::domain::contacts::contact_imports::{self, Import, OnDuplicate};
use care4u::domain::contacts::contact_search::{self, ContactFilter, EmailPart, Position};
use care4u::domain::contacts::contacts::{self, ContactChanges, NewContact};
use care4u::domain::contacts::import_limiter::ImportLimiter;
use care4u::domain::contacts::names::Names;
use care4u::domain::personal_data;
use care4u::domain::records::idempotency::Once;
use care4u::domain::vaccination::request_list;
use care4u::domain::vaccination::vaccine_requests::{self, NewRequest};
use care4u::domain::vaccination::vaccines::Doses;
use care4u::domain::values::birthday::{Birthday, LeapDay};
use care4u::domain::values::caller::Caller;
use care4u::domain::values::client::Client;
use care4u::domain::values::page::Page;
use care4u::domain::values::patch::Patch;
use care4u::domain::values::person::NamePart;
use care4u::domain::values::search::SearchText;
use care4u::domain::values::value::Value as _;
use chrono::{NaiveDate, Utc};
use entity::{ContactFormat, Role};
use sea_orm::{ConnectionTrait, DbBackend};
use uuid::Uuid;

use crate::BACKEND;
use crate::api::query_plans::{actor, no_response, signed_in};
use crate::support::app::TestApp;
use crate::support::explained::Explained;

fn new_contact(number: u32) -> NewContact {
    let day = i16::try_from(number % 28).unwrap() + 1;
    let month = i16::try_from(number % 12).unwrap() + 1;
    NewContact {
        uid: None,
        names: Names::new(
            NamePart::parse(&format!("First{number}")).ok(),
            NamePart::parse(&format!("Last{}", number % 7)).ok(),
            None,
        )
        .unwrap(),
        emails: Vec::new(),
        phone_numbers: Vec::new(),
        birthday: Birthday::try_from_parts(Some(month), Some(day), None, NaiveDate::MAX).unwrap(),
        note: None,
    }
}

/// Creates enough contacts of enough users that the planner prefers an index. Returns one of the owners.
async fn fill(app: &TestApp) -> Uuid {
    let db = &app.state().db;
    let mut owners = Vec::new();
    for _ in 0..6 {
        owners.push(app.patient().await.id);
    }
    for owner in &owners {
        let rows = (0..1500).map(|number| {
            let new = new_contact(u32::try_from(number).unwrap());
            contacts::row(Uuid::now_v7(), *owner, None, new, (number, Utc::now())).unwrap()
        });
        db.execute(&contacts::insert(rows).unwrap()).await.unwrap();
    }
    if db.get_database_backend() == DbBackend::Postgres {
        db.execute_unprepared("ANALYZE").await.unwrap();
    }
    owners[0]
}

fn file(text: &str) -> std::fs::File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    file
}

#[tokio::test]
async fn contacts_are_found_by_index() {
    let app = TestApp::start_with(BACKEND, &[("CARE4U__THROTTLE__ENABLED", "true")]).await;
    let own = actor(fill(&app).await, Role::Patient);
    let vaccine_id = app.vaccine("MMR").await;
    let db = Explained::new(&app.state().db).await;
    let auth = &app.state().auth;

    let by_name = "contacts_user_id_sort_folded_first_folded_id_search_folded_idx";
    let behind = Position { sort_name: "last3".into(), first_name: "first700".into(), id: Uuid::nil() };
    for after in [None, Some(behind)] {
        for filter in [
            ContactFilter::default(),
            ContactFilter { search: Some(SearchText::parse("first12 last").unwrap()), ..ContactFilter::default() },
            ContactFilter { last_name: Some(NamePart::parse("last3").unwrap()), ..ContactFilter::default() },
            ContactFilter {
                first_name: Some(NamePart::parse("rst9").unwrap()),
                email: Some(EmailPart::parse("x").unwrap()),
                ..ContactFilter::default()
            },
        ] {
            contact_search::list(&db, &own, &filter, Page { limit: 20, after: after.clone() }).await.unwrap();
            db.used_by(by_name, "user_id");
        }
    }
    let contact = contacts::create(&db, auth, &own, new_contact(1)).await.unwrap();
    contacts::get(&db, &own, contact.id).await.unwrap();
    let as_own = Caller { actor: own, client: Client::default() };
    let changes = ContactChanges {
        birth_day: Patch::Set(3),
        first_name: Patch::Set(NamePart::parse("Other").unwrap()),
        ..ContactChanges::default()
    };
    contacts::update(&db, &auth.clock, &as_own, contact.id, changes).await.unwrap();
    let new = NewRequest {
        contact_id: Some(contact.id),
        vaccine_id,
        dose_number: Some(Doses::parse(1).unwrap()),
        note: None,
        invitation_code: None,
    };
    let once = Once { key: None, render: no_response };
    vaccine_requests::create(&db, auth, &app.state().vaccination, &as_own, once, new).await.unwrap();
    let for_contact = request_list::RequestFilter { contact_id: Some(contact.id), ..Default::default() };
    let staff = Caller { actor: actor(own.user_id, Role::Staff), client: Client::default() };
    let page = Page { limit: 20, after: None };
    let found = request_list::list(&db, &auth.clock, &staff, &for_contact, page).await.unwrap().items;
    assert_eq!(found[0].patient.given_name.as_deref(), Some("Other"));
    let other = contacts::create(&db, auth, &own, new_contact(2)).await.unwrap();
    contacts::delete(&db, &auth.clock, &own, other.id).await.unwrap();
    assert!(db.count() > 18, "{}", db.count());
}

#[tokio::test]
async fn birthdays_are_found_by_index() {
    let app = TestApp::start(BACKEND).await;
    let own = signed_in(&app, fill(&app).await).await;
    let caller = Caller { actor: own, client: Client::default() };
    let db = Explained::new(&app.state().db).await;
    let clock = &app.state().auth.clock;
    let index = "contacts_user_id_birth_month_birth_day_id_idx";
    birthdays::today(&db, clock, own.user_id, None).await.unwrap();
    for today in ["2099-02-27", "2099-12-28"] {
        let window = Window { today: today.parse().unwrap(), days: 7, leap_day: LeapDay::Mar1 };
        let mut after = None;
        let mut found = 0;
        loop {
            let slice = birthdays::upcoming(&db, own.user_id, window, Page { limit: 5, after }).await.unwrap();
            db.used_by(index, "user_id");
            found += slice.items.len();
            after = slice.next;
            if after.is_none() {
                break;
            }
        }
        assert!(found > 10, "{found} around {today}");
    }
    let span = Span::around("2099-02-27".parse().unwrap(), None, LeapDay::Feb28);
    birthday_calendar::validators(&db, own.user_id, span).await.unwrap();
    for after in [None, Some(ChangePosition { number: 700, id: Uuid::nil() })] {
        contact_changes::list(&db, &own, Page { limit: 20, after }).await.unwrap();
    }
    calendar_feeds::put(&db, clock, &caller).await.unwrap();
    let feed = calendar_feeds::put(&db, clock, &caller).await.unwrap();
    calendar_feeds::owner(&db, &FeedSecret::from_text(&feed.secret).unwrap()).await.unwrap();
    calendar_feeds::get(&db, &own).await.unwrap();
    calendar_feeds::delete(&db, clock, &caller).await.unwrap();
}

#[tokio::test]
async fn imports_are_found_by_index() {
    let app = TestApp::start_with(BACKEND, &[("CARE4U__THROTTLE__ENABLED", "true")]).await;
    let own = actor(fill(&app).await, Role::Patient);
    let caller = Caller { actor: own, client: Client::default() };
    let db = Explained::new(&app.state().db).await;
    let (auth, limiter) = (&app.state().auth, ImportLimiter::new(1000, 10, 1));
    quota::consume(&db, auth, Quota::Imports, own.user_id).await.unwrap();
    let rows = "uid,first_name,last_name,email,birthday\n\
        card-1,First1,Last1,a@example.org,2000-01-02\nurn:uuid:01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10,Byron,King,,\n";
    let import = |on_duplicate, rows: &str| Import {
        file: file(rows),
        format: ContactFormat::Csv,
        options: ReadOptions::default(),
        on_duplicate,
        is_dry_run: false,
    };
    for _ in 0..2 {
        let update = import(OnDuplicate::Update, &rows.replace("a@", "b@"));
        contact_imports::create(&db, &auth.clock, &limiter, &caller, update).await.unwrap();
    }
    let import = import(OnDuplicate::Update, rows);
    let report = contact_imports::create(&db, &auth.clock, &limiter, &caller, import).await.unwrap();
    let id = report.import.unwrap().id;
    for after in [None, Some(Uuid::now_v7())] {
        contact_imports::list(&db, &own, Page { limit: 20, after }).await.unwrap();
        db.used_by("contact_imports_user_id_id_idx", "user_id");
    }
    contact_imports::get(&db, &own, id).await.unwrap();
    contact_imports::undo(&db, &auth.clock, &caller, id).await.unwrap();
    personal_data::export(&db, &app.state().vaccination, &caller).await.unwrap();
    assert!(db.count() > 12, "{}", db.count());
}
