//! Query plans of doses, lots, and what happens at the door of a centre.

use care4u::domain::records::idempotency::{Once, Response};
use care4u::domain::vaccination::door::administration::{self, GivenRequest, NewDose};
use care4u::domain::vaccination::door::arrivals;
use care4u::domain::vaccination::door::check_in::{CheckIn, check_in};
use care4u::domain::vaccination::door::day_list::{self, Position};
use care4u::domain::vaccination::door::walk_ins::{self, WalkIn, WalkInPerson};
use care4u::domain::vaccination::door::{attendance, undo};
use care4u::domain::vaccination::dose_history;
use care4u::domain::vaccination::eligibility::check::{self, Person, Question, Wanted};
use care4u::domain::vaccination::immunizations::{self, LotNumber, NewReport};
use care4u::domain::vaccination::invariants;
use care4u::domain::vaccination::lots::{self, NewLot};
use care4u::domain::vaccination::operation::Operation;
use care4u::domain::vaccination::transitions::{self, Decision};
use care4u::domain::vaccination::{booking_codes::BookingCode, bookings};
use care4u::domain::values::caller::Caller;
use care4u::domain::values::client::Client;
use care4u::domain::values::page::Page;
use care4u::domain::values::value::Value as _;
use entity::Role;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait};
use uuid::Uuid;

use super::{actor, add_slots, centre, fill, no_response, pages};
use crate::BACKEND;
use crate::support::app::TestApp;
use crate::support::explained::Explained;

fn no_lot(_: &entity::lots::Model) -> care4u::error::Result<Response> {
    Ok(Response { status: 201, location: None, body: String::new(), is_replayed: false })
}

fn no_dose(_: &GivenRequest) -> care4u::error::Result<Response> {
    Ok(Response { status: 200, location: None, body: String::new(), is_replayed: false })
}

/// Twenty doses of each patient.
async fn add_doses(app: &TestApp, vaccine_id: Uuid) {
    use sea_orm::Set;
    let now = app.clock.now();
    let db = &app.state().db;
    for patient in entity::patients::Entity::find().all(db).await.unwrap() {
        let doses = (0..20).map(|number| entity::immunizations::ActiveModel {
            id: Set(Uuid::now_v7()),
            patient_id: Set(patient.id),
            course_id: Set(vaccine_id),
            vaccine_id: Set(vaccine_id),
            source: Set(entity::ImmunizationSource::Reported),
            administered_on: Set(now.date_naive() - chrono::Days::new(400 + number)),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        });
        entity::immunizations::Entity::insert_many(doses).exec_without_returning(db).await.unwrap();
    }
}

#[tokio::test]
async fn doses_lots_and_arrivals_are_found_by_index() {
    let app = TestApp::start(BACKEND).await;
    let (patient, boss) = (app.patient().await, app.admin().await);
    let request: Uuid = patient.ask_for("FLU").await.parse().unwrap();
    let (flu, mmr) = (app.vaccine("FLU").await, app.vaccine("MMR").await);
    fill(&app, mmr).await;
    add_doses(&app, mmr).await;
    let centre = centre(&app).await;
    let slots = add_slots(&app, centre, flu, 2000).await;
    if app.state().db.get_database_backend() == DbBackend::Postgres {
        app.state().db.execute_unprepared("ANALYZE").await.unwrap();
    }
    let db = Explained::new(&app.state().db).await;
    let (auth, context) = (&app.state().auth, &app.state().vaccination);
    let caller = |id, role| Caller { actor: actor(id, role), client: Client::default() };
    let (own, admin) = (caller(patient.id, Role::Patient), caller(boss.id, Role::Admin));

    let new = NewLot {
        vaccine_id: flu,
        lot_number: LotNumber::parse("A1").unwrap(),
        expires_on: app.clock.now().date_naive() + chrono::Days::new(30),
        received: None,
    };
    let once = Once { key: None, render: no_lot };
    lots::create(&db, context, &admin, once, centre, new).await.unwrap();
    for page in pages() {
        lots::list(&db, &admin.actor, centre, Some(flu), page).await.unwrap();
    }
    let page = Page { limit: 20, after: None };
    let lot_id = lots::list(&db, &admin.actor, centre, None, page).await.unwrap().items[0].id;
    for person in [Person::Own, Person::Contact(Uuid::now_v7()), Person::Patient(Uuid::now_v7())] {
        for wanted in [Wanted::Vaccine(flu), Wanted::Course(flu)] {
            // A course has few vaccines.
            db.allow_sorts(true);
            let question = Question { wanted, person, dose_number: None, on: None };
            drop(check::check(&db, context, &own, &question).await);
        }
    }
    db.allow_sorts(false);
    let report = NewReport {
        person: Person::Own,
        vaccine_id: mmr,
        administered_on: app.clock.now().date_naive() - chrono::Days::new(1),
        lot_number: None,
    };
    let reported = immunizations::report(&db, context, &own, report).await.unwrap().dose;
    undo::enter_in_error(&db, context, &own, reported.id).await.unwrap();
    for page in pages() {
        // An account has few patients, and each few doses.
        db.allow_sorts(true);
        immunizations::list(&db, context, &own, None, page).await.unwrap();
        db.allow_sorts(false);
        immunizations::list(&db, context, &admin, Some(reported.patient_id), page).await.unwrap();
        lots::list_doses(&db, context, &admin, lot_id, page).await.unwrap();
    }

    transitions::decide(&db, context, &admin, request, Decision::Approve).await.unwrap();
    let operation = Operation { context, caller: &admin, request_id: request };
    let once = || Once { key: None, render: no_response };
    bookings::book(&db, operation, once(), slots[0]).await.unwrap();
    let code = entity::vaccine_requests::Entity::find_by_id(request).one(&db).await.unwrap().unwrap().code.unwrap();
    let code = BookingCode::from_text(&code).unwrap();
    arrivals::find(&db, auth, context, &admin, centre, &code).await.unwrap();
    let arrived = || CheckIn { identified_by: None, answers: Default::default(), override_reason: None };
    check_in(&db, operation, arrived()).await.unwrap();
    attendance::miss(&db, operation).await.unwrap_err();
    attendance::reopen(&db, operation).await.unwrap_err();
    let dose = || NewDose { lot_id, site: None, route: None, override_reason: None };
    administration::administer(&db, operation, Once { key: None, render: no_dose }, dose()).await.unwrap();
    let given = lots::list_doses(&db, context, &admin, lot_id, page).await.unwrap().items[0].id;
    undo::enter_in_error(&db, context, &admin, given).await.unwrap();
    lots::recall(&db, context, &admin, lot_id).await.unwrap();
    let walk_in = WalkIn {
        person: WalkInPerson::Patient(reported.patient_id),
        vaccine_id: app.vaccine("TDAP").await,
        dose_number: None,
        slot_id: None,
        check_in: arrived(),
    };
    walk_ins::create(&db, context, &admin, once(), centre, &walk_in).await.unwrap();
    let date = (app.clock.now() + chrono::Duration::hours(48)).date_naive();
    let after = Position { time: app.clock.now(), slot_id: Uuid::nil(), request_id: Uuid::nil() };
    // The bookings of one slot are sorted.
    db.allow_sorts(true);
    for after in [None, Some(after)] {
        for date in [Some(date), None] {
            day_list::list(&db, context, &admin, centre, date, Page { limit: 20, after }).await.unwrap();
        }
    }
    let judged = entity::patients::Entity::find_by_id(reported.patient_id).one(&db).await.unwrap().unwrap();
    dose_history::judge_anew(&db, &context.schedules, &judged, date, app.clock.now()).await.unwrap();
    assert!(db.count() > 100, "{}", db.count());
    // Not explained: a recount reads all rows.
    invariants::recount(&app.state().db, &context.clock, &admin.actor).await.unwrap();
}
