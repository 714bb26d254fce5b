//! Many people at once: races for the last place, and transactions that lock the same rows in another order.

use std::collections::BTreeMap;

use chrono::Duration;
use futures_util::future::{BoxFuture, FutureExt as _, join_all};
use reqwest::Method;
use serde_json::json;

use super::clinic::{Clinic, act, book, deadlocks, end};
use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::response::TestResponse;

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
    for attempt in attempts.iter().filter(|attempt| attempt.status != 200) {
        attempt.problem(409, "request-status");
    }
    assert_eq!(attempts.iter().filter(|attempt| attempt.status == 200).count(), 1);
    assert_eq!(clinic.free(&slot).await, 1);
    // The list shows it too.
    let listed = app.get(&format!("/api/v1/centres/{}/slots", clinic.centre)).await.ok();
    assert_eq!((&listed["items"][0]["free"], &listed["items"][0]["capacity"]), (&json!(1), &json!(2)));
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
async fn two_who_change_places_where_one_is_free_succeed_without_a_deadlock() {
    let app = TestApp::start_with(BACKEND, &[("CARE4U__BOOKING__MAX_MOVES", "1000")]).await;
    let other = app.another_instance().await;
    let clinic = Clinic::open(&app).await;
    let slots = [clinic.slot(48, 2).await, clinic.slot(50, 2).await];
    let (ada, of_ada) = clinic.approved().await;
    let (bob, of_bob) = clinic.approved().await;
    let bob = Actor::log_in(&other, bob.id, bob.email.clone()).await;
    book(&ada, &of_ada, &slots[0]).await.ok();
    book(&bob, &of_bob, &slots[1]).await.ok();
    let before = deadlocks(&app).await;
    for round in 0..20 {
        let (to_ada, to_bob) = (&slots[(round + 1) % 2], &slots[round % 2]);
        let (one, other) =
            futures_util::future::join(act(&ada, &of_ada, "move", to_ada), act(&bob, &of_bob, "move", to_bob)).await;
        assert_eq!(
            (one.ok()["slot"]["id"].as_str(), other.ok()["slot"]["id"].as_str()),
            (Some(to_ada.as_str()), Some(to_bob.as_str()))
        );
    }
    assert_eq!((clinic.free(&slots[0]).await, clinic.free(&slots[1]).await), (json!(1), json!(1)));
    clinic.recount().await;
    assert_eq!(deadlocks(&app).await, before);
}

/// One person who books, moves, gives back, cancels or leaves at random. Returns the statuses of all answers.
async fn wander(app: &TestApp, admin_token: &str, slots: &[String], seed: u64) -> Vec<u16> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let patient = app.patient().await;
    let mut statuses = Vec::new();
    let mut request = None;
    for _ in 0..20 {
        let id = match &request {
            Some(id) => String::clone(id),
            None => {
                let id = patient.ask_for("FLU").await;
                let approve = app.request(Method::POST, &format!("/api/v1/vaccine-requests/{id}/approve"));
                statuses.push(app.send(approve.bearer_auth(admin_token)).await.is(200).status);
                request.insert(id).clone()
            }
        };
        let slot = &slots[rng.usize(..slots.len())];
        let answer = match rng.u32(..18) {
            0..=4 => act(&patient, &id, "book", slot).await,
            5..=7 => act(&patient, &id, "move", slot).await,
            8 => end(&patient, &id, "unbook").await,
            9..=12 => end(&patient, &id, "wait").await,
            13..=15 => end(&patient, &id, "offer/accept").await,
            16 => end(&patient, &id, "offer/decline").await,
            _ => end(&patient, &id, "cancel").await,
        };
        if answer.status == 409 && answer.json()["type"] == "urn:problem-type:care4u:slot-full" {
            statuses.push(end(&patient, &id, "wait").await.status);
        }
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
        statuses.push(patient.post("/users/me/deletion", json!({ "password": PASSWORD })).await.is(200).status);
    }
    statuses
}

#[tokio::test]
async fn a_crowd_on_two_instances_books_moves_and_leaves_without_a_deadlock() {
    let app =
        TestApp::start_with(BACKEND, &[("CARE4U__BOOKING__MAX_MOVES", "100"), ("CARE4U__BOOKING__OFFER_MINUTES", "1")])
            .await;
    let other = app.another_instance().await;
    let clinic = Clinic::open(&app).await;
    let mut slots = Vec::new();
    for hours in 48..50 {
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
            clinic.admin.patch(&format!("/slots/{}", slots[1]), json!({ "capacity": 4 })).await.ok();
            clinic.admin.patch(&format!("/slots/{}", slots[1]), json!({ "capacity": 2 })).await;
            app.clock.advance(Duration::minutes(1));
        }
    };
    let (statuses, ()) = tokio::join!(join_all(crowd), closing);
    let mut counts = std::collections::BTreeMap::new();
    for status in statuses.into_iter().flatten() {
        *counts.entry(status).or_insert(0) += 1;
    }
    assert!(counts.keys().all(|status| [200, 201, 409, 422, 503].contains(status)), "{counts:?}");
    assert!(counts[&200] > 30 && counts.get(&201) > Some(&0), "{counts:?}");
    clinic.recount().await;
    assert_eq!(deadlocks(&app).await, before);
}

/// Sends requests at once. Each must succeed or be refused; a deadlock would be `unavailable`, and counted.
async fn at_once(requests: Vec<BoxFuture<'_, TestResponse>>) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for response in join_all(requests).await {
        if response.status == 503 {
            response.problem(503, "busy");
        }
        assert!([200, 201, 204, 401, 404, 409, 422, 503].contains(&response.status), "{}", response.text);
        *counts.entry(response.status).or_insert(0) += 1;
    }
    counts
}

#[tokio::test]
async fn contacts_and_their_account_can_be_deleted_at_once() {
    let app = TestApp::start(BACKEND).await;
    let other = app.another_instance().await;
    let clinic = Clinic::open(&app).await;
    let before = deadlocks(&app).await;
    for round in 0..6 {
        let patient = app.patient().await;
        let mut contacts = Vec::new();
        for number in 0..3 {
            let body = json!({ "first_name": "Byron", "last_name": format!("King {round} {number}") });
            let contact = patient.post("/contacts", body).await.created()["id"].as_str().unwrap().to_owned();
            let body = json!({ "vaccine_id": app.vaccine("FLU").await, "contact_id": contact });
            let request = patient.post("/vaccine-requests", body).await.created();
            end(&patient, request["id"].as_str().unwrap(), "cancel").await.ok();
            contacts.push(format!("/contacts/{contact}"));
        }
        let elsewhere = Actor::log_in(&other, patient.id, patient.email.clone()).await;
        let leave = || elsewhere.post("/users/me/deletion", json!({ "password": PASSWORD })).boxed();
        let mut requests: Vec<_> = contacts.iter().map(|path| patient.delete(path).boxed()).collect();
        requests.insert(round % 3, leave());
        let counts = at_once(requests).await;
        assert!(counts.contains_key(&200), "the account is deleted: {counts:?}");
    }
    clinic.recount().await;
    assert_eq!(deadlocks(&app).await, before);
}

#[tokio::test]
async fn a_contact_can_be_changed_and_deleted_at_once() {
    let app = TestApp::start(BACKEND).await;
    let other = app.another_instance().await;
    let clinic = Clinic::open(&app).await;
    let before = deadlocks(&app).await;
    for round in 0..8 {
        let patient = app.patient().await;
        let file = "first_name,last_name\nByron,King\nRalph,King\n";
        let import = patient.upload("/contacts/imports", "text/csv", file).await.created()["id"].clone();
        let contacts = patient.get("/contacts").await.ok()["items"].clone();
        let mut people = Vec::new();
        for contact in contacts.as_array().unwrap() {
            let body = json!({ "vaccine_id": app.vaccine("FLU").await, "contact_id": contact["id"] });
            let request = patient.post("/vaccine-requests", body).await.created();
            end(&patient, request["id"].as_str().unwrap(), "cancel").await.ok();
            people.push(format!("/patients/{}", request["patient"]["id"].as_str().unwrap()));
        }
        let elsewhere = Actor::log_in(&other, patient.id, patient.email.clone()).await;
        let path = format!("/contacts/{}", contacts[0]["id"].as_str().unwrap());
        let undo = format!("/contacts/imports/{}", import.as_str().unwrap());
        let mut requests = vec![
            patient.patch(&path, json!({ "last_name": "Noel" })).boxed(),
            elsewhere.patch(&people[0], json!({ "name": "Byron Milbanke" })).boxed(),
            clinic.admin.patch(&people[1], json!({ "name": "Ralph Milbanke" })).boxed(),
            patient.patch(&path, json!({ "birth_month": 5, "birth_day": 12 })).boxed(),
        ];
        requests.insert(round % 4, elsewhere.delete(&path).boxed());
        requests.insert(round / 2, patient.delete(&undo).boxed());
        at_once(requests).await;
        let names = patient.get("/patients").await.ok();
        let names: Vec<_> = names["items"].as_array().unwrap().iter().map(|patient| &patient["name"]).collect();
        // Whoever changes the name of a patient after the contact is gone, names them again.
        assert!(names.iter().all(|name| name.is_null() || name.as_str().unwrap().ends_with("Milbanke")), "{names:?}");
    }
    clinic.recount().await;
    assert_eq!(deadlocks(&app).await, before);
}

#[tokio::test]
async fn a_day_can_be_closed_while_people_move() {
    let app =
        TestApp::start_with(BACKEND, &[("CARE4U__BOOKING__MAX_MOVES", "100"), ("CARE4U__BOOKING__OFFER_MINUTES", "1")])
            .await;
    let other = app.another_instance().await;
    let clinic = Clinic::open(&app).await;
    let noon = (app.clock.now() + Duration::days(5)).date_naive().and_hms_opt(12, 0, 0).unwrap().and_utc();
    let mut slots = Vec::new();
    for hours in 0..4 {
        slots.push(clinic.slot_at(noon + Duration::hours(hours), 4).await);
    }
    let mut people = Vec::new();
    for number in 0..8 {
        let (patient, request) = clinic.approved().await;
        book(&patient, &request, &slots[number % 4]).await.ok();
        people.push((Actor::log_in(&other, patient.id, patient.email.clone()).await, request));
    }
    let before = deadlocks(&app).await;
    let (path, day) = (format!("/centres/{}/close-day", clinic.centre), json!({ "date": noon.date_naive() }));
    for round in 0..4 {
        let mut requests = Vec::new();
        for (number, (patient, request)) in people.iter().enumerate() {
            let slot = &slots[(number + round + 1) % 4];
            requests.push(act(patient, request, "move", slot).boxed());
            requests.push(act(patient, request, "book", slot).boxed());
        }
        requests.insert(4 * round, clinic.admin.post(&path, day.clone()).boxed());
        at_once(requests).await;
        clinic.recount().await;
        let reopen = slots.iter().map(|slot| format!("/slots/{slot}/reopen"));
        for path in reopen.collect::<Vec<_>>() {
            clinic.admin.post_empty(&path).await.ok();
        }
    }
    assert_eq!(deadlocks(&app).await, before);
}

#[tokio::test]
async fn staff_can_be_deleted_while_their_decisions_are_changed() {
    let app = TestApp::start(BACKEND).await;
    let other = app.another_instance().await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 100).await;
    let before = deadlocks(&app).await;
    for _ in 0..4 {
        let staff = app.staff().await;
        let own = staff.ask_for("FLU").await;
        staff.post_empty(&format!("/vaccine-requests/{own}/approve")).await.ok();
        book(&staff, &own, &slot).await.ok();
        let mut people = Vec::new();
        for _ in 0..4 {
            let patient = app.patient().await;
            let request = patient.ask_for("FLU").await;
            staff.post_empty(&format!("/vaccine-requests/{request}/approve")).await.ok();
            people.push((Actor::log_in(&other, patient.id, patient.email.clone()).await, request));
        }
        let path = format!("/users/{}/deletion", staff.id);
        let mut requests = vec![clinic.admin.post_empty(&path).boxed()];
        for (patient, request) in &people {
            requests.push(book(patient, request, &slot).boxed());
            requests.push(end(patient, request, "cancel").boxed());
        }
        requests.push(end(&staff, &own, "unbook").boxed());
        at_once(requests).await;
    }
    clinic.recount().await;
    assert_eq!(deadlocks(&app).await, before);
}

#[tokio::test]
async fn people_can_be_deleted_while_they_ask() {
    let app = TestApp::start(BACKEND).await;
    let other = app.another_instance().await;
    let clinic = Clinic::open(&app).await;
    let vaccine = json!({ "vaccine_id": app.vaccine("FLU").await });
    let before = deadlocks(&app).await;
    for _ in 0..6 {
        let patient = app.patient().await;
        let elsewhere = Actor::log_in(&other, patient.id, patient.email.clone()).await;
        let (deletion, account) = (format!("/users/{}/deletion", patient.id), format!("/users/{}", patient.id));
        at_once(vec![
            patient.post("/vaccine-requests", vaccine.clone()).boxed(),
            clinic.admin.post_empty(&deletion).boxed(),
            elsewhere.post("/vaccine-requests", vaccine.clone()).boxed(),
            clinic.admin.patch(&account, json!({ "role": "staff" })).boxed(),
        ])
        .await;
    }
    clinic.recount().await;
    assert_eq!(deadlocks(&app).await, before);
}

#[tokio::test]
async fn a_move_to_a_slot_that_fills_meanwhile_keeps_the_old_place() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (old, wanted) = (clinic.slot(48, 4).await, clinic.slot(50, 1).await);
    let mut people = Vec::new();
    for _ in 0..4 {
        let (patient, request) = clinic.approved().await;
        book(&patient, &request, &old).await.ok();
        people.push((patient, request));
    }
    let (newcomer, new) = clinic.approved().await;
    let mut attempts: Vec<_> =
        people.iter().map(|(patient, request)| act(patient, request, "move", &wanted).boxed()).collect();
    attempts.push(book(&newcomer, &new, &wanted).boxed());
    let responses = join_all(attempts).await;
    let winners = responses.iter().filter(|response| response.status == 200).count();
    assert_eq!(winners, 1);
    for response in responses.iter().filter(|response| response.status != 200) {
        response.problem(409, "slot-full");
    }
    for ((patient, request), response) in people.iter().zip(&responses) {
        let request = patient.get(&format!("/vaccine-requests/{request}")).await.ok();
        let (slot, moves) = if response.status == 200 { (&wanted, 1) } else { (&old, 0) };
        let expected = (json!("booked"), json!(slot), json!(moves));
        assert_eq!((request["status"].clone(), request["slot"]["id"].clone(), request["moves"].clone()), expected);
    }
    clinic.recount().await;
}
