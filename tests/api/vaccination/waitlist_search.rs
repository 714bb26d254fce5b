//! Waitlist: places and entries that change at the same moment, and free slots that are searched later.

use care4u::domain::vaccination::{offers, waitlist};
use chrono::{Duration, Utc};
use futures_util::future::join;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, QueryFilter as _, Set};
use serde_json::json;
use uuid::Uuid;

use super::clinic::{Clinic, book, end};
use super::waitlist::{Person, accept, full_slot, is_offered, leave, place_of, start, wait};
use crate::support::actor::Actor;
use crate::support::app::TestApp;

/// A new entry for any centre, as a process leaves it that stops before it has searched free slots for it.
async fn insert_entry(app: &TestApp, request: &str, priority: i16) {
    let request_id: Uuid = request.parse().unwrap();
    let db = &app.state().db;
    let request = entity::vaccine_requests::Entity::find_by_id(request_id).one(db).await.unwrap().unwrap();
    let now = app.clock.now();
    let entry = entity::waitlist_entries::ActiveModel {
        id: Set(Uuid::now_v7()),
        request_id: Set(request_id),
        course_id: Set(request.course_id),
        from_date: Set(now.date_naive()),
        priority: Set(priority),
        status: Set(entity::WaitlistStatus::Waiting),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    entry.insert(db).await.unwrap();
}

/// Changes the capacity of a slot, without an offer of the new places.
async fn set_capacity(app: &TestApp, slot: &str, capacity: i32) {
    let update = entity::slots::Entity::update_many()
        .col_expr(entity::slots::Column::Capacity, Expr::value(capacity))
        .filter(entity::slots::Column::Id.eq(slot.parse::<Uuid>().unwrap()));
    assert_eq!(update.exec(&app.state().db).await.unwrap().rows_affected, 1);
}

#[tokio::test]
async fn two_who_leave_at_once_hand_their_places_to_two_people() {
    let app = start().await;
    let other = app.another_instance().await;
    let clinic = Clinic::open(&app).await;
    for round in 0..5 {
        let slots = [clinic.slot(48 + round, 1).await, clinic.slot(60 + round, 1).await];
        let (ada, bob) = (clinic.approved().await, clinic.approved().await);
        book(&ada.0, &ada.1, &slots[0]).await.ok();
        book(&bob.0, &bob.1, &slots[1]).await.ok();
        let people = [clinic.approved().await, clinic.approved().await];
        for person in &people {
            wait(person).await.is(201);
        }
        let elsewhere = Actor::log_in(&other, bob.0.id, bob.0.email.clone()).await;
        let (one, two) = join(end(&ada.0, &ada.1, "cancel"), end(&elsewhere, &bob.1, "unbook")).await;
        one.ok();
        two.ok();
        let mut offered = Vec::new();
        for person in &people {
            let (status, slot) = place_of(person).await;
            assert_eq!(status, "offered");
            offered.push(slot.as_str().unwrap().to_owned());
            accept(person).await.ok();
        }
        offered.sort();
        let mut expected = slots.to_vec();
        expected.sort();
        assert_eq!(offered, expected);
    }
    clinic.recount().await;
}

#[tokio::test]
async fn a_place_that_is_freed_while_somebody_joins_is_offered() {
    let app = start().await;
    let other = app.another_instance().await;
    let clinic = Clinic::open(&app).await;
    let mut joined = 0;
    for round in 0..20 {
        let slot = clinic.slot(48 + round, 1).await;
        let (owner, person) = (clinic.approved().await, clinic.approved().await);
        book(&owner.0, &owner.1, &slot).await.ok();
        let elsewhere = Actor::log_in(&other, person.0.id, person.0.email.clone()).await;
        let elsewhere = (elsewhere, person.1.clone());
        let (cancelled, waiting) = join(end(&owner.0, &owner.1, "cancel"), wait(&elsewhere)).await;
        cancelled.ok();
        if waiting.status == 201 {
            joined += 1;
            is_offered(&person, &slot).await;
            accept(&person).await.ok();
        } else {
            waiting.problem(409, "slots-free");
            book(&person.0, &person.1, &slot).await.ok();
        }
    }
    assert!(joined > 0);
    clinic.recount().await;
}

/// A process that stops between the insertion of an entry and the search for a free slot.
#[tokio::test]
async fn an_entry_that_has_missed_a_free_place_is_offered_it_later() {
    let app = start().await;
    let clinic = Clinic::open(&app).await;
    let (slot, owner, people) = full_slot(&clinic, 48, 1).await;
    leave(&people[0]).await.is(204);
    end(&owner.0, &owner.1, "cancel").await.ok();
    assert_eq!(clinic.free(&slot).await, 1);
    insert_entry(&app, &people[0].1, 0).await;
    let db = &app.state().db;
    assert_eq!(waitlist::search_all(db, &app.state().vaccination).await.unwrap(), 0, "it is too new");
    app.clock.advance(Duration::seconds(21));
    waitlist::search_all(db, &app.state().vaccination).await.unwrap();
    is_offered(&people[0], &slot).await;
    clinic.recount().await;
    // Nothing is left to do.
    assert_eq!(waitlist::search_all(db, &app.state().vaccination).await.unwrap(), 0);
    assert_eq!(offers::end_expired(db, &app.state().vaccination).await.unwrap(), 0);
}

#[tokio::test]
async fn people_of_a_closed_slot_are_offered_free_places_at_once() {
    let app = start().await;
    let clinic = Clinic::open(&app).await;
    let (slot, other) = (clinic.slot(48, 1).await, clinic.slot(72, 0).await);
    let person = clinic.approved().await;
    book(&person.0, &person.1, &slot).await.ok();
    set_capacity(&app, &other, 1).await;
    clinic.admin.post_empty(&format!("/slots/{slot}/close")).await.ok();
    // The background task may have done it already.
    waitlist::search_all(&app.state().db, &app.state().vaccination).await.unwrap();
    is_offered(&person, &other).await;
    clinic.recount().await;
}

#[tokio::test]
async fn a_free_slot_that_cannot_be_offered_does_not_hide_later_ones() {
    let app = start().await;
    let clinic = Clinic::open(&app).await;
    // The patient has an offer of another vaccine at the time of the first slot.
    let (slots, person) = ([clinic.slot(48, 0).await, clinic.slot(60, 0).await], clinic.approved().await);
    let mmr = person.0.ask_for("MMR").await;
    clinic.admin.post_empty(&format!("/vaccine-requests/{mmr}/approve")).await.ok();
    let of_mmr: Person<'_> = (clone_of(&person.0).await, mmr);
    wait(&of_mmr).await.is(201);
    let start = app.clock.now() + Duration::hours(48);
    let body = json!({
        "vaccine_id": app.vaccine("MMR").await,
        "starts_at": start,
        "ends_at": start + Duration::minutes(30),
        "capacity": 1,
    });
    let added = clinic.admin.post(&format!("/centres/{}/slots", clinic.centre), body).await.created();
    is_offered(&of_mmr, added["id"].as_str().unwrap()).await;
    wait(&person).await.is(201);
    for slot in &slots {
        set_capacity(&app, slot, 1).await;
    }
    app.clock.advance(Duration::seconds(21));
    waitlist::search_all(&app.state().db, &app.state().vaccination).await.unwrap();
    is_offered(&person, &slots[1]).await;
    assert_eq!(clinic.free(&slots[0]).await, 1);
    clinic.recount().await;
}

/// The same account on another device.
async fn clone_of<'a>(actor: &Actor<'a>) -> Actor<'a> {
    Actor::log_in(actor.app, actor.id, actor.email.clone()).await
}

/// Requests of walk-ins, whose offers nobody could accept.
#[tokio::test]
async fn entries_without_an_account_do_not_stop_the_line() {
    let app = start().await;
    let clinic = Clinic::open(&app).await;
    let (slot, owner, people) = full_slot(&clinic, 48, 1).await;
    let db = &app.state().db;
    for _ in 0..5 {
        let (_, request) = clinic.approved().await;
        insert_entry(&app, &request, -1).await;
        let without_account = entity::vaccine_requests::Entity::update_many()
            .col_expr(entity::vaccine_requests::Column::UserId, Expr::value(Option::<Uuid>::None))
            .filter(entity::vaccine_requests::Column::Id.eq(request.parse::<Uuid>().unwrap()));
        without_account.exec(db).await.unwrap();
    }
    end(&owner.0, &owner.1, "cancel").await.ok();
    is_offered(&people[0], &slot).await;
    clinic.recount().await;
}

#[tokio::test]
async fn an_offer_ends_when_the_slot_can_no_longer_be_booked() {
    let settings = [("CARE4U__AUTH__ACCESS_TTL_SECONDS", "86400"), ("CARE4U__BOOKING__NOTICE_MINUTES", "180")];
    let app = TestApp::start_with(crate::BACKEND, &settings).await;
    let clinic = Clinic::open(&app).await;
    let owner = clinic.approved().await;
    let starts_at = app.clock.now() + Duration::minutes(190);
    let slot = clinic.slot_at(starts_at, 1).await;
    book(&owner.0, &owner.1, &slot).await.ok();
    let person = clinic.approved().await;
    wait(&person).await.is(201);
    end(&clinic.admin, &owner.1, "cancel").await.ok();
    is_offered(&person, &slot).await;
    let request = person.0.get(&format!("/vaccine-requests/{}", person.1)).await.ok();
    let expires_at = &request["waitlist"]["offer"]["expires_at"];
    let expires_at: chrono::DateTime<Utc> = expires_at.as_str().unwrap().parse().unwrap();
    assert!((starts_at - Duration::minutes(180) - expires_at).abs() < Duration::seconds(1), "{expires_at}");
    app.clock.advance(Duration::minutes(11));
    accept(&person).await.problem(409, "offer-over");
    clinic.recount().await;
}

#[tokio::test]
async fn many_offers_that_end_together_are_handed_on() {
    let app = start().await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 0).await;
    let mut people = Vec::new();
    for _ in 0..6 {
        let person = clinic.approved().await;
        wait(&person).await.is(201);
        people.push(person);
    }
    clinic.admin.patch(&format!("/slots/{slot}"), json!({ "capacity": 3 })).await.ok();
    app.clock.advance(Duration::minutes(31));
    offers::end_expired(&app.state().db, &app.state().vaccination).await.unwrap();
    for (number, person) in people.iter().enumerate() {
        let status = if number < 3 { "expired" } else { "offered" };
        assert_eq!(place_of(person).await.0, status, "{number}");
    }
    clinic.recount().await;
}
