//! Query plans of slots, bookings and patients.

use care4u::domain::records::idempotency::Once;
use care4u::domain::vaccination::people::PeopleFilter;
use care4u::domain::vaccination::request_list::{self, RequestFilter};
use care4u::domain::vaccination::transitions::{self, Decision};
use care4u::domain::vaccination::vaccines::{self};
use care4u::domain::values::caller::Caller;
use care4u::domain::values::client::Client;
use care4u::domain::values::email::Email;
use care4u::domain::values::person::{NationalId, PhoneNumber};
use care4u::domain::values::search::SearchText;
use entity::Role;
use sea_orm::{ConnectionTrait, DbBackend};
use uuid::Uuid;

use super::{actor, add_slots, centre, fill, no_response, pages};
use crate::BACKEND;
use crate::support::app::TestApp;
use crate::support::explained::Explained;

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
    transitions::decide(&db, &app.state().vaccination, &admin, request, Decision::Approve).await.unwrap();
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
