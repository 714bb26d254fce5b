//! Waitlist: who is offered a free place, in which order, and what ends an offer.

use chrono::{DateTime, Duration, Utc};
use futures_util::future::join;
use reqwest::Method;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::clinic::{Clinic, act, add_centre, book, end};
use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::response::TestResponse;

/// A person with an approved request, and the id of the request.
pub(super) type Person<'a> = (Actor<'a>, String);

/// An application whose access tokens outlive the offers.
pub(super) async fn start() -> TestApp {
    TestApp::start_with(BACKEND, &[("CARE4U__AUTH__ACCESS_TTL_SECONDS", "86400")]).await
}

pub(super) async fn wait_with(person: &Person<'_>, preferences: Value) -> TestResponse {
    person.0.post(&format!("/vaccine-requests/{}/wait", person.1), preferences).await
}

pub(super) async fn wait(person: &Person<'_>) -> TestResponse {
    person.0.post_empty(&format!("/vaccine-requests/{}/wait", person.1)).await
}

pub(super) async fn leave(person: &Person<'_>) -> TestResponse {
    person.0.delete(&format!("/vaccine-requests/{}/wait", person.1)).await
}

pub(super) async fn accept(person: &Person<'_>) -> TestResponse {
    end(&person.0, &person.1, "offer/accept").await
}

pub(super) async fn decline(person: &Person<'_>) -> TestResponse {
    end(&person.0, &person.1, "offer/decline").await
}

pub(super) async fn request_of(person: &Person<'_>) -> Value {
    person.0.get(&format!("/vaccine-requests/{}", person.1)).await.ok()
}

/// Status of the place on the waitlist, and the slot that is offered.
pub(super) async fn place_of(person: &Person<'_>) -> (String, Value) {
    let waitlist = request_of(person).await["waitlist"].clone();
    (waitlist["status"].as_str().unwrap_or("none").to_owned(), waitlist["offer"]["slot"]["id"].clone())
}

pub(super) async fn is_waiting(person: &Person<'_>) {
    assert_eq!(place_of(person).await, ("waiting".to_owned(), Value::Null));
}

pub(super) async fn is_offered(person: &Person<'_>, slot: &str) {
    assert_eq!(place_of(person).await, ("offered".to_owned(), json!(slot)));
}

/// Counters of a slot.
async fn counters(app: &TestApp, slot: &str) -> (i32, i32) {
    let slot = entity::slots::Entity::find_by_id(slot.parse::<Uuid>().unwrap()).one(&app.state().db).await.unwrap();
    slot.map(|slot| (slot.booked, slot.held)).unwrap()
}

/// A full slot of one place, whoever booked it, and people who wait, in this order.
pub(super) async fn full_slot<'a>(
    clinic: &Clinic<'a>,
    hours: i64,
    waiting: usize,
) -> (String, Person<'a>, Vec<Person<'a>>) {
    let slot = clinic.slot(hours, 1).await;
    let owner = clinic.approved().await;
    book(&owner.0, &owner.1, &slot).await.ok();
    let mut people = Vec::new();
    for ahead in 0..waiting {
        let person = clinic.approved().await;
        let request = wait(&person).await.is(201).json();
        assert_eq!(request["waitlist"]["ahead"], ahead);
        people.push(person);
    }
    (slot, owner, people)
}

#[tokio::test]
async fn a_place_that_is_given_back_is_offered_to_the_next_in_line() {
    let app = start().await;
    let clinic = Clinic::open(&app).await;
    let (slot, owner, people) = full_slot(&clinic, 48, 3).await;
    end(&owner.0, &owner.1, "cancel").await.ok();
    is_offered(&people[0], &slot).await;
    is_waiting(&people[1]).await;
    assert_eq!((clinic.free(&slot).await, counters(&app, &slot).await), (json!(0), (0, 1)));
    let request = request_of(&people[0]).await;
    assert_eq!((&request["status"], &request["slot"]), (&json!("approved"), &Value::Null));
    let expires_at: DateTime<Utc> = request["waitlist"]["offer"]["expires_at"].as_str().unwrap().parse().unwrap();
    let minutes = (expires_at - app.clock.now()).num_seconds() / 60;
    assert!((29..30).contains(&minutes), "{expires_at}");
    assert_eq!(request_of(&people[2]).await["waitlist"]["ahead"], 1);
    // Accepted and cancelled: the entry stays accepted, and the place goes to the next.
    let booked = accept(&people[0]).await.ok();
    assert_eq!((&booked["status"], &booked["slot"]["id"]), (&json!("booked"), &json!(slot)));
    assert_eq!(booked["waitlist"]["status"], "accepted");
    assert_eq!(counters(&app, &slot).await, (1, 0));
    let cancelled = end(&people[0].0, &people[0].1, "cancel").await.ok();
    assert_eq!((&cancelled["status"], &cancelled["waitlist"]["status"]), (&json!("cancelled"), &json!("accepted")));
    is_offered(&people[1], &slot).await;
    // Declined: likewise, and the request can wait again.
    let declined = decline(&people[1]).await.ok();
    assert_eq!((&declined["status"], &declined["waitlist"]["status"]), (&json!("approved"), &json!("declined")));
    is_offered(&people[2], &slot).await;
    wait(&people[1]).await.is(201);
    // Left.
    leave(&people[2]).await.is(204);
    assert_eq!(place_of(&people[2]).await.0, "left");
    is_offered(&people[1], &slot).await;
    leave(&people[1]).await.is(204);
    assert_eq!((clinic.free(&slot).await, counters(&app, &slot).await), (json!(1), (0, 0)));
    clinic.recount().await;
}

#[tokio::test]
async fn each_way_of_giving_up_an_offer_or_a_place_hands_it_on() {
    let app = start().await;
    let clinic = Clinic::open(&app).await;
    let (slot, owner, mut people) = full_slot(&clinic, 48, 6).await;
    // The booking is moved, to a slot whose start is too near for offers. A move that is refused hands nothing on.
    let full = clinic.slot(72, 0).await;
    act(&owner.0, &owner.1, "move", &full).await.problem(409, "slot-full");
    is_waiting(&people[0]).await;
    let near = clinic.slot(1, 1).await;
    act(&owner.0, &owner.1, "move", &near).await.ok();
    assert_eq!((counters(&app, &slot).await, counters(&app, &near).await), ((0, 1), (1, 0)));
    is_offered(&people[0], &slot).await;
    // Another slot is booked.
    let soon = clinic.slot(1, 1).await;
    book(&people[0].0, &people[0].1, &soon).await.ok();
    assert_eq!(place_of(&people[0]).await.0, "left");
    is_offered(&people[1], &slot).await;
    // The booking of the offered slot is the acceptance of the offer.
    let booked = book(&people[1].0, &people[1].1, &slot).await.ok();
    assert_eq!(booked["waitlist"]["status"], "accepted");
    act(&people[1].0, &people[1].1, "move", &soon).await.problem(409, "slot-full");
    // An account is erased: one with a booking, one with an offer.
    let erased = people.remove(1);
    erased.0.post("/users/me/deletion", json!({ "password": PASSWORD })).await.ok();
    is_offered(&people[1], &slot).await;
    let erased = people.remove(1);
    let rows = erased.0.post("/users/me/deletion", json!({ "password": PASSWORD })).await.ok();
    assert_eq!((&rows["erased"]["vaccine_requests"], &rows["erased"]["waitlist_entries"]), (&json!(1), &json!(1)));
    is_offered(&people[1], &slot).await;
    // The request is cancelled.
    end(&people[1].0, &people[1].1, "cancel").await.ok();
    assert_eq!(place_of(&people[1]).await.0, "left");
    is_offered(&people[2], &slot).await;
    // The offer expires, and the next attempt to book the full slot finds that out.
    app.clock.advance(Duration::minutes(31));
    let stranger = clinic.approved().await;
    book(&stranger.0, &stranger.1, &slot).await.problem(409, "slot-full");
    assert_eq!(place_of(&people[2]).await.0, "expired");
    is_offered(&people[3], &slot).await;
    app.clock.advance(Duration::minutes(31));
    book(&stranger.0, &stranger.1, &slot).await.ok();
    assert_eq!(counters(&app, &slot).await, (1, 0));
    clinic.recount().await;
}

#[tokio::test]
async fn an_offer_that_has_expired_goes_to_the_next() {
    let app = start().await;
    let clinic = Clinic::open(&app).await;
    let (slot, owner, people) = full_slot(&clinic, 48, 2).await;
    end(&owner.0, &owner.1, "cancel").await.ok();
    app.clock.advance(Duration::minutes(30));
    let expired = async {
        while place_of(&people[1]).await.0 != "offered" {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), expired).await.expect("it expires");
    assert_eq!(place_of(&people[0]).await.0, "expired");
    is_offered(&people[1], &slot).await;
    accept(&people[0]).await.problem(409, "offer-over");
    decline(&people[0]).await.problem(409, "offer-over");
    clinic.recount().await;
}

#[tokio::test]
async fn an_offer_can_be_accepted_until_it_ends() {
    let app = start().await;
    let clinic = Clinic::open(&app).await;
    for (offset, status) in [(Duration::zero(), 409), (Duration::seconds(-30), 200)] {
        let (slot, owner, people) = full_slot(&clinic, 48, 1).await;
        end(&owner.0, &owner.1, "cancel").await.ok();
        let expires_at = request_of(&people[0]).await["waitlist"]["offer"]["expires_at"].clone();
        let expires_at: DateTime<Utc> = expires_at.as_str().unwrap().parse().unwrap();
        app.clock.advance(expires_at + offset - app.clock.now());
        let accepted = accept(&people[0]).await;
        assert_eq!(accepted.status, status, "{}", accepted.text);
        if status == 409 {
            accepted.problem(409, "offer-over");
        }
        assert_eq!(counters(&app, &slot).await.0, i32::from(status == 200));
        clinic.recount().await;
    }
}

#[tokio::test]
async fn whoever_fits_is_offered_the_place_and_others_keep_their_rank() {
    let app = start().await;
    let clinic = Clinic::open(&app).await;
    let elsewhere = add_centre(&clinic.admin, "Asia/Tokyo").await;
    let slot = clinic.slot(48, 1).await;
    let owner = clinic.approved().await;
    book(&owner.0, &owner.1, &slot).await.ok();
    let date = (app.clock.now() + Duration::hours(48)).date_naive();
    let [first, second, later, third] =
        [clinic.approved().await, clinic.approved().await, clinic.approved().await, clinic.approved().await];
    wait_with(&first, json!({ "centre_id": elsewhere })).await.is(201);
    let next_week = json!({ "from_date": date + Duration::days(7) });
    wait_with(&later, next_week).await.is(201);
    wait_with(&second, json!({ "centre_id": clinic.centre, "from_date": date, "to_date": date })).await.is(201);
    wait_with(&third, json!({})).await.is(201);
    // Whoever waits for another centre is not ahead.
    assert_eq!(request_of(&second).await["waitlist"]["ahead"], 1);
    assert_eq!(request_of(&third).await["waitlist"]["ahead"], 3);
    end(&owner.0, &owner.1, "cancel").await.ok();
    is_offered(&second, &slot).await;
    for person in [&first, &later, &third] {
        is_waiting(person).await;
    }
    // The other centre gets a slot: the first in line for it is still the first.
    let start = app.clock.now() + Duration::hours(50);
    let body = json!({
        "vaccine_id": app.vaccine("FLU").await,
        "starts_at": start,
        "ends_at": start + Duration::minutes(30),
        "capacity": 2,
    });
    let added = clinic.admin.post(&format!("/centres/{elsewhere}/slots"), body).await.created();
    assert_eq!(added["free"], 0);
    is_offered(&first, added["id"].as_str().unwrap()).await;
    is_offered(&third, added["id"].as_str().unwrap()).await;
    is_waiting(&later).await;
    // And so does a calendar.
    let from = date + Duration::days(8);
    let calendar = json!({
        "vaccine_id": app.vaccine("FLU").await,
        "from": from,
        "to": from,
        "weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
        "opens": "09:00",
        "closes": "10:00",
        "slot_minutes": 30,
        "capacity": 1,
    });
    clinic.admin.post(&format!("/centres/{}/calendar", clinic.centre), calendar).await.ok();
    let offered = request_of(&later).await;
    assert_eq!(offered["waitlist"]["status"], "offered");
    assert!(offered["waitlist"]["offer"]["slot"]["local_start"].as_str().unwrap().starts_with(&from.to_string()));
    assert!(offered["waitlist"]["offer"]["slot"]["local_start"].as_str().unwrap().contains("T09:00"));
    clinic.recount().await;
}

#[tokio::test]
async fn places_are_offered_only_to_people_whom_the_rules_and_their_bookings_allow() {
    let app = start().await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 1).await;
    let owner = clinic.approved().await;
    book(&owner.0, &owner.1, &slot).await.ok();
    // A booking of another vaccine at the same time.
    let busy = clinic.approved().await;
    wait(&busy).await.is(201);
    let start = app.clock.now() + Duration::hours(48) + Duration::minutes(10);
    let body = json!({
        "vaccine_id": app.vaccine("MMR").await,
        "starts_at": start,
        "ends_at": start + Duration::minutes(30),
        "capacity": 1,
    });
    let other = clinic.admin.post(&format!("/centres/{}/slots", clinic.centre), body).await.created();
    let mmr = busy.0.ask_for("MMR").await;
    clinic.admin.post_empty(&format!("/vaccine-requests/{mmr}/approve")).await.ok();
    book(&busy.0, &mmr, other["id"].as_str().unwrap()).await.ok();
    // Too young on the day of the slot.
    let young = clinic.approved().await;
    wait(&young).await.is(201);
    young.0.patch("/users/me", json!({ "birth_date": app.clock.now().date_naive() })).await.ok();
    // Disabled.
    let disabled = clinic.approved().await;
    wait(&disabled).await.is(201);
    clinic.admin.patch(&format!("/users/{}", disabled.0.id), json!({ "disabled": true })).await.ok();
    let last = clinic.approved().await;
    wait(&last).await.is(201);
    end(&owner.0, &owner.1, "cancel").await.ok();
    is_offered(&last, &slot).await;
    is_waiting(&busy).await;
    is_waiting(&young).await;
    // A slot for invited people is offered to nobody, and neither is one that begins too soon.
    decline(&last).await.ok();
    assert_eq!(clinic.free(&slot).await, 1);
    let invited = clinic.slot(60, 0).await;
    let near = clinic.slot(1, 0).await;
    wait(&last).await.problem(409, "slots-free");
    book(&owner.0, &owner.0.ask_for("FLU").await, &slot).await.problem(409, "request-status");
    let again = clinic.approved().await;
    book(&again.0, &again.1, &slot).await.ok();
    wait(&last).await.is(201);
    for (slot, changes) in
        [(&invited, json!({ "invited_only": true, "capacity": 1 })), (&near, json!({ "capacity": 1 }))]
    {
        assert_eq!(clinic.admin.patch(&format!("/slots/{slot}"), changes).await.ok()["free"], 1);
    }
    is_waiting(&last).await;
    clinic.admin.patch(&format!("/slots/{invited}"), json!({ "invited_only": false })).await.ok();
    is_offered(&busy, &invited).await;
    clinic.recount().await;
}

#[tokio::test]
async fn places_that_are_added_are_offered_before_the_public_sees_them() {
    let app = start().await;
    let clinic = Clinic::open(&app).await;
    let (slot, _, people) = full_slot(&clinic, 48, 3).await;
    assert_eq!(clinic.admin.patch(&format!("/slots/{slot}"), json!({ "capacity": 3 })).await.ok()["free"], 0);
    is_offered(&people[0], &slot).await;
    is_offered(&people[1], &slot).await;
    is_waiting(&people[2]).await;
    assert_eq!(counters(&app, &slot).await, (1, 2));
    // Held places are taken, too.
    clinic.admin.patch(&format!("/slots/{slot}"), json!({ "capacity": 2 })).await.problem(409, "capacity-below-booked");
    assert_eq!(clinic.admin.patch(&format!("/slots/{slot}"), json!({ "capacity": 6 })).await.ok()["free"], 2);
    is_offered(&people[2], &slot).await;
    clinic.recount().await;
}

#[tokio::test]
async fn waiting_is_refused_unless_it_makes_sense() {
    let app = start().await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 1).await;
    let person = clinic.approved().await;
    let problem = wait(&person).await.problem(409, "slots-free");
    assert_eq!(problem["alternatives"][0]["id"], json!(slot));
    assert_eq!(request_of(&person).await["waitlist"], Value::Null);
    // The free slot does not fit: another centre, another day.
    let date = (app.clock.now() + Duration::hours(48)).date_naive();
    wait_with(&person, json!({ "from_date": date, "to_date": date })).await.problem(409, "slots-free");
    wait_with(&person, json!({ "from_date": date + Duration::days(1) })).await.is(201);
    wait(&person).await.problem(409, "already-waiting");
    leave(&person).await.is(204);
    leave(&person).await.problem(404, "not-found");
    accept(&person).await.problem(409, "offer-over");
    decline(&person).await.problem(409, "offer-over");
    let elsewhere = add_centre(&clinic.admin, "UTC").await;
    wait_with(&person, json!({ "centre_id": elsewhere })).await.is(201);
    // Of somebody else.
    let stranger = (app.patient().await, person.1.clone());
    wait(&stranger).await.problem(404, "not-found");
    leave(&stranger).await.problem(404, "not-found");
    accept(&stranger).await.problem(404, "not-found");
    decline(&stranger).await.problem(404, "not-found");
    // Not approved yet, or booked.
    let pending = app.patient().await;
    let pending = (pending.ask_for("FLU").await, pending);
    let pending = (pending.1, pending.0);
    wait(&pending).await.problem(409, "request-status");
    book(&person.0, &person.1, &slot).await.ok();
    assert_eq!(place_of(&person).await.0, "left");
    wait(&person).await.problem(409, "request-status");
    // Wrong values.
    let person = clinic.approved().await;
    for (field, body) in [
        ("centre_id", json!({ "centre_id": Uuid::nil() })),
        ("to_date", json!({ "from_date": "2027-06-02", "to_date": "2027-06-01" })),
        ("to_date", json!({ "from_date": "2020-01-02", "to_date": "2020-01-03" })),
        ("from_date", json!({ "from_date": "2200-01-01" })),
        ("from_date", json!({ "from_date": "tomorrow" })),
        ("priority", json!({ "priority": -1 })),
    ] {
        let problem = wait_with(&person, body).await.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    assert_eq!(
        app.request(Method::POST, &format!("/api/v1/vaccine-requests/{}/wait", person.1))
            .send()
            .await
            .unwrap()
            .status(),
        401
    );
}

#[tokio::test]
async fn people_of_a_closed_slot_are_first_in_line() {
    let app = start().await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 2).await;
    let people = [clinic.approved().await, clinic.approved().await, clinic.approved().await];
    book(&people[0].0, &people[0].1, &slot).await.ok();
    book(&people[1].0, &people[1].1, &slot).await.ok();
    let waiting = [clinic.approved().await, clinic.approved().await];
    for person in &waiting {
        wait(person).await.is(201);
    }
    // One booking, one offer.
    end(&people[1].0, &people[1].1, "cancel").await.ok();
    is_offered(&waiting[0], &slot).await;
    clinic.admin.post_empty(&format!("/slots/{slot}/close")).await.ok();
    assert_eq!(counters(&app, &slot).await, (0, 0));
    let closed = request_of(&people[0]).await;
    assert_eq!((&closed["status"], &closed["waitlist"]["centre_id"]), (&json!("approved"), &json!(clinic.centre)));
    for (person, ahead) in [(&waiting[0], 0), (&people[0], 1), (&waiting[1], 2)] {
        is_waiting(person).await;
        assert_eq!(request_of(person).await["waitlist"]["ahead"], ahead);
    }
    accept(&waiting[0]).await.problem(409, "offer-over");
    // The next two places are theirs.
    let next = clinic.slot(72, 2).await;
    is_offered(&waiting[0], &next).await;
    is_offered(&people[0], &next).await;
    is_waiting(&waiting[1]).await;
    clinic.recount().await;
}

#[tokio::test]
async fn an_offer_is_accepted_once_for_an_idempotency_key() {
    let app = start().await;
    let clinic = Clinic::open(&app).await;
    let (slot, owner, people) = full_slot(&clinic, 48, 1).await;
    end(&owner.0, &owner.1, "cancel").await.ok();
    let (person, request) = &people[0];
    let path = format!("/vaccine-requests/{request}/offer/accept");
    let send = || app.send(person.request(Method::POST, &path).header("Idempotency-Key", "one"));
    let (one, two) = join(send(), send()).await;
    assert_eq!((one.ok(), one.text.clone()), (two.ok(), two.text.clone()));
    let replayed = [&one, &two].map(|response| response.headers.contains_key("idempotency-replayed"));
    assert_eq!(replayed.iter().filter(|replayed| **replayed).count(), 1);
    assert_eq!(counters(&app, &slot).await, (1, 0));
    accept(&people[0]).await.problem(409, "offer-over");
    clinic.recount().await;
}

#[tokio::test]
async fn a_wrong_counter_of_held_places_is_found() {
    let app = start().await;
    let clinic = Clinic::open(&app).await;
    let slot: Uuid = clinic.slot(48, 3).await.parse().unwrap();
    let update = entity::slots::Entity::update_many()
        .col_expr(entity::slots::Column::Held, sea_orm::sea_query::Expr::value(2))
        .filter(entity::slots::Column::Id.eq(slot));
    update.exec(&app.state().db).await.unwrap();
    let request = app.request(Method::GET, "/health/invariants").bearer_auth(&clinic.admin.access_token);
    let recount = app.send(request).await.ok();
    let expected = json!([{ "invariant": "slots_held", "id": slot, "stored": 2, "counted": 0 }]);
    assert_eq!(recount["violations"], expected);
}
