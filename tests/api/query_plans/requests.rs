//! Query plans of vaccines and vaccine requests.

use care4u::domain::records::idempotency::Once;
use care4u::domain::vaccination::people::PeopleFilter;
use care4u::domain::vaccination::request_list::{self, RequestFilter};
use care4u::domain::vaccination::transitions::{self, Decision};
use care4u::domain::vaccination::vaccine_requests;
use care4u::domain::vaccination::vaccine_requests::NewRequest;
use care4u::domain::vaccination::vaccines::{self, Doses};
use care4u::domain::values::caller::Caller;
use care4u::domain::values::client::Client;
use care4u::domain::values::email::Email;
use care4u::domain::values::search::SearchText;
use entity::{RequestStatus, Role};
use sea_orm::{ConnectionTrait as _, DbBackend};
use uuid::Uuid;

use super::{actor, fill, no_response, pages};
use crate::BACKEND;
use crate::support::app::TestApp;
use crate::support::explained::Explained;

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
            db.allow_broad_indexes(true);
            request_list::list(&db, &auth.clock, &as_staff, filter, page).await.unwrap();
            if let Some(index) = index {
                db.used(index);
            }
            db.allow_broad_indexes(false);
        }
    }
    let new = NewRequest {
        contact_id: None,
        vaccine_id,
        dose_number: Some(Doses::parse(1).unwrap()),
        note: None,
        invitation_code: None,
    };
    let once = Once { key: None, render: no_response };
    let by = Caller { actor: actor(other_user_id, Role::Patient), client: client.clone() };
    vaccine_requests::create(&db, auth, &app.state().vaccination, &by, once, new).await.unwrap();
    let changes = vaccine_requests::RequestChanges { vaccine_id: Some(vaccine_id), ..Default::default() };
    vaccine_requests::update(&db, &app.state().vaccination, &own, request, changes).await.unwrap();
    let reviewer = Caller { actor: actor(other_user_id, Role::Staff), client };
    transitions::decide(&db, &app.state().vaccination, &reviewer, request, Decision::Approve).await.unwrap();
    assert!(db.count() > 15);
}

#[tokio::test]
async fn a_status_or_a_vaccine_is_not_looked_up_beside_a_patient_or_a_slot() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    patient.ask_for("FLU").await;
    let vaccine_id = app.vaccine("FLU").await;
    fill(&app, app.vaccine("MMR").await).await;
    let db = Explained::new(&app.state().db).await;
    let clock = &app.state().auth.clock;
    let [own, staff] =
        [Role::Patient, Role::Staff].map(|role| Caller { actor: actor(patient.id, role), client: Client::default() });
    let id = Some(patient.id);
    let none = RequestFilter::default;
    let email = PeopleFilter { email: Some(Email::parse(&patient.email).unwrap()), ..PeopleFilter::default() };
    let words = PeopleFilter { search: Some(SearchText::parse("ada").unwrap()), ..PeopleFilter::default() };
    let by_account = "vaccine_requests_user_id_id_idx";
    let by_patient = "vaccine_requests_patient_id_id_idx";
    for (caller, filter, index) in [
        (&own, none(), by_account),
        (&staff, RequestFilter { user_id: id, ..none() }, by_account),
        (&staff, RequestFilter { people: email, ..none() }, by_account),
        (&staff, RequestFilter { people: words, ..none() }, by_patient),
        (&staff, RequestFilter { patient_id: id, ..none() }, by_patient),
        (&staff, RequestFilter { contact_id: id, ..none() }, by_patient),
        (&staff, RequestFilter { slot_id: id, ..none() }, "vaccine_requests_slot_id_id_idx"),
    ] {
        let by_people = !filter.people.is_empty();
        // The requests of the people that are found.
        db.allow_sorts(by_people);
        // With sorts made expensive, PostgreSQL reads the few requests here in their order.
        let is_certain = !by_people || db.get_database_backend() == DbBackend::Sqlite;
        let of_status = RequestFilter { status: Some(RequestStatus::Pending), ..filter.clone() };
        let of_vaccine = RequestFilter { vaccine_id: Some(vaccine_id), ..filter };
        for filter in [of_status, of_vaccine] {
            for page in pages() {
                request_list::list(&db, clock, caller, &filter, page).await.unwrap();
                if is_certain {
                    db.used(index);
                }
            }
        }
    }
}
