//! Idempotency keys: a request that is sent again takes effect once and gets the same response.

use chrono::Duration;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::clinic::{Clinic, act, book, end};
use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::response::TestResponse;

async fn keyed(patient: &Actor<'_>, path: &str, key: &str, body: Value) -> TestResponse {
    patient.app.send(patient.request(Method::POST, path).header("idempotency-key", key).json(&body)).await
}

#[tokio::test]
async fn a_request_with_an_idempotency_key_takes_effect_once() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 30).await;
    let (ada, request) = clinic.approved().await;
    let path = format!("/vaccine-requests/{request}/book");
    let attempts = join_all((0..20).map(|_| keyed(&ada, &path, "k1", json!({ "slot_id": slot })))).await;
    for attempt in &attempts {
        assert_eq!((attempt.status, &attempt.text), (200, &attempts[0].text));
    }
    let replayed = attempts.iter().filter(|attempt| attempt.headers.contains_key("idempotency-replayed")).count();
    assert_eq!((replayed, clinic.free(&slot).await), (19, json!(29)));
    // Another request, another account, a refusal.
    let other = clinic.slot(50, 1).await;
    keyed(&ada, &path, "k1", json!({ "slot_id": other })).await.problem(422, "idempotency-key-reused");
    let vaccine = json!({ "vaccine_id": app.vaccine("MMR").await });
    let bob = app.patient().await;
    let created = keyed(&bob, "/vaccine-requests", "k1", vaccine.clone()).await;
    created.created();
    let again = keyed(&bob, "/vaccine-requests", "k1", vaccine.clone()).await;
    assert_eq!((again.created(), again.header("location")), (created.json(), created.header("location")));
    keyed(&bob, "/vaccine-requests", "k2", vaccine.clone()).await.problem(409, "request-open");
    let id = created.json()["id"].as_str().unwrap().to_owned();
    end(&bob, &id, "cancel").await.ok();
    keyed(&bob, "/vaccine-requests", "k2", vaccine).await.created();
    let flu = json!({ "vaccine_id": app.vaccine("FLU").await });
    for wrong in ["", "a b", "é", &"x".repeat(256)] {
        keyed(&bob, "/vaccine-requests", wrong, flu.clone()).await.violates(&[("Idempotency-Key", "key")]);
    }
    keyed(&bob, "/vaccine-requests", &"x".repeat(255), flu).await.created();
    clinic.recount().await;
}

/// Asserts that two responses are the same, and that the second one is a repetition.
#[track_caller]
fn is_repeated(first: &TestResponse, second: &TestResponse) {
    assert_eq!((first.status, &first.text), (second.status, &second.text));
    assert_eq!(first.headers.get("location"), second.headers.get("location"));
    assert!(!first.headers.contains_key("idempotency-replayed"));
    assert_eq!(second.header("idempotency-replayed"), "true");
}

#[tokio::test]
async fn each_operation_with_a_key_can_be_repeated() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (one, other) = (clinic.slot(48, 2).await, clinic.slot(50, 2).await);
    let (ada, request) = clinic.approved().await;
    let again = async |actor: &Actor<'_>, path: &str, body: Value| {
        let first = keyed(actor, path, path, body.clone()).await;
        is_repeated(&first, &keyed(actor, path, path, body).await);
        first.json()
    };
    again(&ada, &format!("/vaccine-requests/{request}/book"), json!({ "slot_id": one })).await;
    let moved = again(&ada, &format!("/vaccine-requests/{request}/move"), json!({ "slot_id": other })).await;
    assert_eq!((&moved["moves"], clinic.free(&other).await), (&json!(1), json!(1)));
    let flu = app.vaccine("FLU").await;
    let start = app.clock.now() + Duration::hours(100);
    let slot = json!({ "vaccine_id": flu, "starts_at": start, "ends_at": start + Duration::hours(1), "capacity": 1 });
    again(&clinic.admin, &format!("/centres/{}/slots", clinic.centre), slot).await;
    let calendar = json!({
        "vaccine_id": flu, "from": "2027-03-25", "to": "2027-03-25", "weekdays": ["thursday"],
        "opens": "08:00", "closes": "12:00", "slot_minutes": 60, "capacity": 3,
    });
    // The number of slots that were created the first time, not those that exist now.
    let report = again(&clinic.admin, &format!("/centres/{}/calendar", clinic.centre), calendar).await;
    assert_eq!((&report["created"], &report["existing"]), (&json!(4), &json!(0)));
    again(&ada, "/vaccine-requests", json!({ "vaccine_id": app.vaccine("MMR").await })).await;
    clinic.recount().await;
}

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_account() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (one, other) = (clinic.slot(48, 5).await, clinic.slot(50, 5).await);
    let (ada, request) = clinic.approved().await;
    let (path, body) = (format!("/vaccine-requests/{request}/book"), json!({ "slot_id": one }));
    keyed(&ada, &path, "key", body.clone()).await.ok();
    // Another path, with the same body.
    let elsewhere = format!("/vaccine-requests/{request}/move");
    keyed(&ada, &elsewhere, "key", body.clone()).await.problem(422, "idempotency-key-reused");
    // The same request of another account takes effect, or is refused, as if there were no key.
    keyed(&clinic.admin, &path, "key", body.clone()).await.problem(409, "request-status");
    // The response is that of the first time, also after the booking has changed.
    act(&ada, &request, "move", &other).await.ok();
    let repeated = keyed(&ada, &path, "key", body.clone()).await;
    assert_eq!((repeated.ok()["slot"]["id"].clone(), repeated.header("idempotency-replayed")), (json!(one), "true"));
    // A day later, the key is deleted.
    end(&ada, &request, "unbook").await.ok();
    app.clock.advance(Duration::hours(24) + Duration::seconds(1));
    let db = &app.state().db;
    let deleted = care4u::domain::records::idempotency::delete_expired(db, app.clock.now()).await.unwrap();
    assert!(deleted > 0);
    let ada = ada.on_another_device().await;
    let booked = keyed(&ada, &path, "key", body).await;
    assert!(booked.ok()["slot"]["id"] == json!(one) && !booked.headers.contains_key("idempotency-replayed"));
    book(&ada, &request, &other).await.problem(409, "request-status");
}

#[tokio::test]
async fn a_stored_response_goes_with_the_person_and_with_the_right_to_see_it() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (one, other) = (clinic.slot(48, 5).await, clinic.slot(50, 5).await);
    let staff = app.staff().await;
    clinic.admin.put_empty(&format!("/centres/{}/staff/{}", clinic.centre, staff.id)).await.no_content();
    let (ada, request) = clinic.approved().await;
    let (book, move_to) = (format!("/vaccine-requests/{request}/book"), format!("/vaccine-requests/{request}/move"));
    keyed(&ada, &book, "of-ada", json!({ "slot_id": one })).await.ok();
    keyed(&staff, &move_to, "of-staff", json!({ "slot_id": other })).await.ok();
    keyed(&staff, &move_to, "of-staff", json!({ "slot_id": other })).await.ok();
    // Without the role, the response with the name and the national id of somebody else is not repeated.
    clinic.admin.patch(&format!("/users/{}", staff.id), json!({ "role": "patient" })).await.ok();
    let demoted = staff.on_another_device().await;
    keyed(&demoted, &move_to, "of-staff", json!({ "slot_id": other })).await.problem(404, "not-found");

    clinic.admin.patch(&format!("/users/{}", staff.id), json!({ "role": "staff" })).await.ok();
    let staff = staff.on_another_device().await;
    keyed(&staff, &move_to, "of-staff", json!({ "slot_id": other })).await.ok();
    let keys = async || {
        use sea_orm::{EntityTrait as _, PaginatorTrait as _};
        entity::idempotency_keys::Entity::find().count(&app.state().db).await.unwrap()
    };
    assert_eq!(keys().await, 2);
    ada.post("/users/me/deletion", json!({ "password": PASSWORD })).await.ok();
    assert_eq!(keys().await, 0);
    keyed(&staff, &move_to, "of-staff", json!({ "slot_id": other })).await.problem(404, "not-found");
    clinic.recount().await;
}

#[tokio::test]
async fn a_key_is_sent_once() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let body = json!({ "vaccine_id": app.vaccine("FLU").await });
    let twice =
        ada.request(Method::POST, "/vaccine-requests").header("idempotency-key", "a").header("idempotency-key", "b");
    app.send(twice.json(&body)).await.problem(400, "malformed");
    assert_eq!(ada.get("/vaccine-requests").await.ok()["items"], json!([]));
}
