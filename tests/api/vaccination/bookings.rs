//! Bookings: book, move, unbook, cancel, close, and what happens when many do it at once.

use chrono::{DateTime, Duration, Utc};
use futures_util::future::join_all;
use reqwest::Method;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::response::TestResponse;

/// A centre with an admin, who acts in every centre.
struct Clinic<'a> {
    app: &'a TestApp,
    admin: Actor<'a>,
    centre: String,
}

impl<'a> Clinic<'a> {
    async fn open(app: &'a TestApp) -> Self {
        let admin = app.admin().await;
        let centre = add_centre(&admin, "Europe/London").await;
        Self { app, admin, centre }
    }

    /// Adds a slot of the vaccine FLU that starts in some hours.
    async fn slot(&self, hours: i64, capacity: i32) -> String {
        self.slot_at(self.app.clock.now() + Duration::hours(hours), capacity).await
    }

    async fn slot_at(&self, start: DateTime<Utc>, capacity: i32) -> String {
        let body = json!({
            "vaccine_id": self.app.vaccine("FLU").await,
            "starts_at": start,
            "ends_at": start + Duration::minutes(30),
            "capacity": capacity,
        });
        let slot = self.admin.post(&format!("/centres/{}/slots", self.centre), body).await.created();
        slot["id"].as_str().unwrap().to_owned()
    }

    /// A patient with an approved request for FLU.
    async fn approved(&self) -> (Actor<'a>, String) {
        let patient = self.app.patient().await;
        let id = patient.ask_for("FLU").await;
        self.admin.post_empty(&format!("/vaccine-requests/{id}/approve")).await.ok();
        (patient, id)
    }

    async fn free(&self, slot: &str) -> Value {
        self.app.get(&format!("/api/v1/slots/{slot}")).await.ok()["free"].clone()
    }

    /// Recounts, and expects that all counters are right.
    async fn recount(&self) {
        let request = self.app.request(Method::GET, "/health/invariants").bearer_auth(&self.admin.access_token);
        let recount = self.app.send(request).await.ok();
        assert_eq!(recount["violations"], json!([]), "{recount}");
    }
}

pub async fn add_centre(admin: &Actor<'_>, time_zone: &str) -> String {
    let body = json!({ "name": "Town hall", "address": "1 Market Square", "time_zone": time_zone });
    admin.post("/centres", body).await.created()["id"].as_str().unwrap().to_owned()
}

async fn act(patient: &Actor<'_>, request: &str, action: &str, slot: &str) -> TestResponse {
    patient.post(&format!("/vaccine-requests/{request}/{action}"), json!({ "slot_id": slot })).await
}

async fn book(patient: &Actor<'_>, request: &str, slot: &str) -> TestResponse {
    act(patient, request, "book", slot).await
}

async fn end(patient: &Actor<'_>, request: &str, action: &str) -> TestResponse {
    patient.post_empty(&format!("/vaccine-requests/{request}/{action}")).await
}

#[tokio::test]
async fn a_request_is_booked_moved_given_back_and_cancelled() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (one, other) = (clinic.slot(48, 1).await, clinic.slot(72, 2).await);
    let (ada, request) = clinic.approved().await;
    let booked = book(&ada, &request, &one).await.ok();
    assert_eq!((&booked["status"], &booked["slot"]["id"]), (&json!("booked"), &json!(one)));
    assert_eq!(booked["slot"]["centre_name"], "Town hall");
    assert_eq!(booked["code"].as_str().map(str::len), Some(8));
    assert_eq!(clinic.free(&one).await, 0);
    book(&ada, &request, &one).await.problem(409, "request-status");
    let moved = act(&ada, &request, "move", &other).await.ok();
    assert_eq!((&moved["slot"]["id"], &moved["code"], &moved["moves"]), (&json!(other), &booked["code"], &json!(1)));
    assert_eq!((clinic.free(&one).await, clinic.free(&other).await), (json!(1), json!(1)));
    let back = end(&ada, &request, "unbook").await.ok();
    assert_eq!((&back["status"], &back["slot"], &back["code"]), (&json!("approved"), &Value::Null, &Value::Null));
    assert_eq!(clinic.free(&other).await, 2);
    book(&ada, &request, &other).await.ok();
    assert_eq!(end(&ada, &request, "cancel").await.ok()["status"], "cancelled");
    assert_eq!(clinic.free(&other).await, 2);
    end(&ada, &request, "cancel").await.problem(409, "request-status");
    end(&ada, &request, "unbook").await.problem(409, "request-status");
    clinic.recount().await;
}

#[tokio::test]
async fn of_many_who_book_one_slot_as_many_as_fit_succeed() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (slot, later, earlier) = (clinic.slot(48, 3).await, clinic.slot(50, 1).await, clinic.slot(47, 1).await);
    clinic.slot(500, 1).await;
    let mut people = Vec::new();
    for _ in 0..12 {
        people.push(clinic.approved().await);
    }
    let attempts = join_all(people.iter().map(|(patient, request)| book(patient, request, &slot))).await;
    let mut booked = 0;
    for (attempt, (patient, request)) in attempts.iter().zip(&people) {
        let status = patient.get(&format!("/vaccine-requests/{request}")).await.ok()["status"].clone();
        if attempt.status == 200 {
            booked += 1;
            assert_eq!(status, "booked");
        } else {
            let problem = attempt.problem(409, "slot-full");
            let alternatives: Vec<_> =
                problem["alternatives"].as_array().unwrap().iter().map(|slot| &slot["id"]).collect();
            assert_eq!(alternatives[..2], [&json!(earlier), &json!(later)]);
            assert_eq!((alternatives.len(), status), (3, json!("approved")));
        }
    }
    assert_eq!((booked, clinic.free(&slot).await), (3, json!(0)));
    clinic.recount().await;
}

#[tokio::test]
async fn a_booking_that_is_cancelled_many_times_at_once_frees_one_place() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 2).await;
    let ((ada, request), (other, others)) = (clinic.approved().await, clinic.approved().await);
    book(&ada, &request, &slot).await.ok();
    book(&other, &others, &slot).await.ok();
    let attempts = join_all((0..10).map(|_| end(&ada, &request, "cancel"))).await;
    assert_eq!(attempts.iter().filter(|attempt| attempt.status == 200).count(), 1);
    assert_eq!(clinic.free(&slot).await, 1);
    clinic.recount().await;
}

#[tokio::test]
async fn two_who_change_places_in_full_slots_are_refused_without_a_deadlock() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slots = [clinic.slot(48, 1).await, clinic.slot(50, 1).await];
    let people = [clinic.approved().await, clinic.approved().await];
    for ((patient, request), slot) in people.iter().zip(&slots) {
        book(patient, request, slot).await.ok();
    }
    for _ in 0..5 {
        let attempts = people.iter().zip(slots.iter().rev());
        for attempt in join_all(attempts.map(|((patient, request), slot)| act(patient, request, "move", slot))).await {
            attempt.problem(409, "slot-full");
        }
    }
    for ((patient, request), slot) in people.iter().zip(&slots) {
        let request = patient.get(&format!("/vaccine-requests/{request}")).await.ok();
        assert_eq!((&request["slot"]["id"], &request["moves"]), (&json!(slot), &json!(0)));
    }
    clinic.recount().await;
}

#[tokio::test]
async fn a_slot_that_has_begun_is_not_listed_and_not_bookable() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(1, 5).await;
    let (ada, request) = clinic.approved().await;
    let list = format!("/api/v1/centres/{}/slots", clinic.centre);
    assert_eq!(app.get(&list).await.ok()["items"].as_array().unwrap().len(), 1);
    app.clock.advance(Duration::minutes(61));
    assert_eq!(app.get(&list).await.ok()["items"], json!([]));
    book(&ada.on_another_device().await, &request, &slot).await.problem(409, "slot-over");
}

#[tokio::test]
async fn the_owner_changes_a_booking_in_time_and_not_too_often_and_staff_always() {
    let app = TestApp::start_with(BACKEND, &[("CARE4U__BOOKING__MAX_MOVES", "1")]).await;
    let clinic = Clinic::open(&app).await;
    let (soon, one, other) = (clinic.slot(23, 2).await, clinic.slot(48, 2).await, clinic.slot(49, 2).await);
    let (ada, request) = clinic.approved().await;
    book(&ada, &request, &one).await.ok();
    act(&ada, &request, "move", &one).await.violates(&[("slot_id", "same")]);
    act(&ada, &request, "move", &other).await.ok();
    act(&ada, &request, "move", &one).await.problem(409, "too-many-moves");
    act(&clinic.admin, &request, "move", &soon).await.ok();
    for action in ["unbook", "cancel"] {
        end(&ada, &request, action).await.problem(409, "too-late");
    }
    act(&ada, &request, "move", &one).await.problem(409, "too-late");
    assert_eq!(end(&clinic.admin, &request, "unbook").await.ok()["status"], "approved");
    clinic.recount().await;
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 5).await;
    let (ada, request) = clinic.approved().await;
    book(&ada, &request, &Uuid::now_v7().to_string()).await.violates(&[("slot_id", "unknown")]);
    let pending = app.patient().await;
    let not_approved = pending.ask_for("FLU").await;
    book(&pending, &not_approved, &slot).await.problem(409, "request-status");
    // Another course.
    let mmr = ada.ask_for("MMR").await;
    end(&clinic.admin, &mmr, "approve").await.ok();
    book(&ada, &mmr, &slot).await.violates(&[("slot_id", "course")]);
    // Another person's request.
    book(&pending, &request, &slot).await.problem(404, "not-found");
    // Staff of another centre.
    let staff = app.staff().await;
    book(&staff, &request, &slot).await.problem(404, "not-found");
    clinic.admin.put_empty(&format!("/centres/{}/staff/{}", clinic.centre, staff.id)).await.no_content();
    book(&staff, &request, &slot).await.ok();
    // At the same time as another booking.
    let body = json!({
        "vaccine_id": app.vaccine("MMR").await,
        "starts_at": app.clock.now() + Duration::hours(48) - Duration::minutes(5),
        "ends_at": app.clock.now() + Duration::hours(48) + Duration::minutes(5),
        "capacity": 1,
    });
    let overlapping = clinic.admin.post(&format!("/centres/{}/slots", clinic.centre), body).await.created();
    let problem = book(&ada, &mmr, overlapping["id"].as_str().unwrap()).await.problem(409, "not-eligible");
    let failed = problem["eligibility"]["rules"].as_array().unwrap().iter().find(|rule| rule["outcome"] == "failed");
    assert_eq!(failed.unwrap()["rule"], "overlapping_booking");
    clinic.recount().await;
}

#[tokio::test]
async fn the_age_is_judged_on_the_local_date_of_the_slot() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let start = app.clock.now() + Duration::days(40);
    let slot = clinic.slot_at(start, 5).await;
    // FLU has a minimum age of six months: the day after the slot.
    let born = (start + Duration::days(1)).date_naive() - chrono::Months::new(6);
    let ada = app.patient().await;
    let contact = json!({
        "first_name": "Byron", "last_name": "King",
        "birth_year": chrono::Datelike::year(&born), "birth_month": chrono::Datelike::month(&born),
        "birth_day": chrono::Datelike::day(&born),
    });
    let contact = ada.post("/contacts", contact).await.created();
    let body = json!({ "vaccine_id": app.vaccine("FLU").await, "contact_id": contact["id"] });
    let request = ada.post("/vaccine-requests", body).await.created();
    let id = request["id"].as_str().unwrap();
    end(&clinic.admin, id, "approve").await.ok();
    let problem = book(&ada, id, &slot).await.problem(409, "not-eligible");
    assert_eq!(problem["eligibility"]["verdict"], "not_eligible");
    let late = clinic.slot_at(start + Duration::days(2), 5).await;
    book(&ada, id, &late).await.ok();
    // The contact cannot be removed while the request is open.
    let path = format!("/contacts/{}", contact["id"].as_str().unwrap());
    ada.delete(&path).await.problem(409, "contact-in-use");
    end(&ada, id, "cancel").await.ok();
    ada.delete(&path).await.no_content();
    let left = ada.get(&format!("/vaccine-requests/{id}")).await.ok();
    assert_eq!((&left["for_contact"], &left["contact_id"]), (&json!(true), &Value::Null));
}

#[tokio::test]
async fn a_closed_slot_puts_its_bookings_back_and_can_be_opened_again() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 3).await;
    let people = [clinic.approved().await, clinic.approved().await];
    for (patient, request) in &people {
        book(patient, request, &slot).await.ok();
    }
    let path = format!("/slots/{slot}");
    clinic.admin.patch(&path, json!({ "capacity": 1 })).await.problem(409, "capacity-below-booked");
    assert_eq!(clinic.admin.patch(&path, json!({ "capacity": 2 })).await.ok()["free"], 0);
    let closed = clinic.admin.post(&format!("{path}/close"), json!({ "reason": "No vaccine" })).await.ok();
    assert_eq!((&closed["free"], &closed["closed_reason"]), (&json!(0), &json!("No vaccine")));
    for (patient, request) in &people {
        let request = patient.get(&format!("/vaccine-requests/{request}")).await.ok();
        assert_eq!((&request["status"], &request["slot"]), (&json!("approved"), &Value::Null));
    }
    clinic.admin.post_empty(&format!("{path}/close")).await.ok();
    book(&people[0].0, &people[0].1, &slot).await.problem(409, "slot-closed");
    assert_eq!(clinic.admin.post_empty(&format!("{path}/reopen")).await.ok()["free"], 2);
    book(&people[0].0, &people[0].1, &slot).await.ok();
    let date = closed["local_start"].as_str().unwrap().split('T').next().unwrap();
    let day = format!("/centres/{}/close-day", clinic.centre);
    assert_eq!(clinic.admin.post(&day, json!({ "date": date })).await.ok()["closed"], 1);
    clinic.recount().await;
}

#[tokio::test]
async fn deleting_an_account_gives_its_places_back() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 1).await;
    let (ada, request) = clinic.approved().await;
    book(&ada, &request, &slot).await.ok();
    let erased = ada.post("/users/me/deletion", json!({ "password": PASSWORD })).await.ok();
    assert_eq!(erased["erased"]["vaccine_requests"], 1);
    assert_eq!(clinic.free(&slot).await, 1);
    clinic.admin.get(&format!("/vaccine-requests/{request}")).await.problem(404, "not-found");
    let found = clinic.admin.get("/patients?q=ada&purpose=test").await.ok();
    assert_eq!(found["items"], json!([]));
    clinic.recount().await;
}

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
    for wrong in ["", "a b", "é", &"x".repeat(256)] {
        keyed(&bob, "/vaccine-requests", wrong, json!({})).await.is(422);
    }
    clinic.recount().await;
}

/// Number of deadlocks that PostgreSQL has found in the database of the test; none on SQLite.
async fn deadlocks(app: &TestApp) -> i64 {
    let db = &app.state().db;
    if db.get_database_backend() == DbBackend::Sqlite {
        return 0;
    }
    let sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// One person who books, moves, gives back, cancels or leaves at random. Returns the statuses of all answers.
async fn wander(app: &TestApp, admin_token: &str, slots: &[String], seed: u64) -> Vec<u16> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let patient = app.patient().await;
    let mut statuses = Vec::new();
    let mut request = None;
    for _ in 0..12 {
        let id = match &request {
            Some(id) => String::clone(id),
            None => {
                let id = patient.ask_for("FLU").await;
                let approve = app.request(Method::POST, &format!("/api/v1/vaccine-requests/{id}/approve"));
                statuses.push(app.send(approve.bearer_auth(admin_token)).await.status);
                request.insert(id).clone()
            }
        };
        let slot = &slots[rng.usize(..slots.len())];
        let answer = match rng.u32(..10) {
            0..=4 => act(&patient, &id, "book", slot).await,
            5..=7 => act(&patient, &id, "move", slot).await,
            8 => end(&patient, &id, "unbook").await,
            _ => end(&patient, &id, "cancel").await,
        };
        // A deadlock or a lost connection would be `unavailable`.
        if answer.status == 503 {
            answer.problem(503, "busy");
        }
        if answer.status == 200 && answer.json()["status"] == "cancelled" {
            request = None;
        }
        statuses.push(answer.status);
    }
    if seed.is_multiple_of(4) {
        statuses.push(patient.post("/users/me/deletion", json!({ "password": PASSWORD })).await.status);
    }
    statuses
}

#[tokio::test]
async fn a_crowd_on_two_instances_books_moves_and_leaves_without_a_deadlock() {
    let app = TestApp::start_with(BACKEND, &[("CARE4U__BOOKING__MAX_MOVES", "100")]).await;
    let other = app.another_instance().await;
    let clinic = Clinic::open(&app).await;
    let mut slots = Vec::new();
    for hours in 48..52 {
        slots.push(clinic.slot(hours, 2).await);
    }
    let before = deadlocks(&app).await;
    let crowd =
        (0..16).map(|seed| wander(if seed % 2 == 0 { &app } else { &other }, &clinic.admin.access_token, &slots, seed));
    let closing = async {
        for _ in 0..3 {
            let slot = &slots[0];
            clinic.admin.post_empty(&format!("/slots/{slot}/close")).await.ok();
            clinic.recount().await;
            clinic.admin.post_empty(&format!("/slots/{slot}/reopen")).await.ok();
        }
    };
    let (statuses, ()) = tokio::join!(join_all(crowd), closing);
    let mut counts = std::collections::BTreeMap::new();
    for status in statuses.into_iter().flatten() {
        *counts.entry(status).or_insert(0) += 1;
    }
    assert!(counts.keys().all(|status| [200, 409, 422, 503].contains(status)), "{counts:?}");
    assert!(counts[&200] > 60, "{counts:?}");
    clinic.recount().await;
    assert_eq!(deadlocks(&app).await, before);
}
