//! Bookings: book, move, unbook, cancel.

use chrono::Duration;
use serde_json::{Value, json};
use uuid::Uuid;

use super::clinic::{Clinic, act, book, end};
use crate::BACKEND;
use crate::support::app::{PASSWORD, TestApp};

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
async fn deleting_an_account_gives_its_places_back() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 1).await;
    let (ada, request) = clinic.approved().await;
    book(&ada, &request, &slot).await.ok();
    ada.patch("/users/me", json!({ "name": "Xanthippe Quill" })).await.ok();
    let found = clinic.admin.get("/patients?q=xanth&purpose=test").await.ok();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let erased = ada.post("/users/me/deletion", json!({ "password": PASSWORD })).await.ok();
    assert_eq!(erased["erased"]["vaccine_requests"], 1);
    assert_eq!(clinic.free(&slot).await, 1);
    clinic.admin.get(&format!("/vaccine-requests/{request}")).await.problem(404, "not-found");
    let found = clinic.admin.get("/patients?q=xanth&purpose=test").await.ok();
    assert_eq!(found["items"], json!([]));
    clinic.recount().await;
}

#[tokio::test]
async fn after_its_end_a_booking_can_be_cancelled_but_not_given_back() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (slot, later) = (clinic.slot(48, 1).await, clinic.slot(96, 1).await);
    let (ada, request) = clinic.approved().await;
    book(&ada, &request, &slot).await.ok();
    app.clock.advance(Duration::hours(48) + Duration::minutes(29));
    let ada = ada.on_another_device().await;
    end(&ada, &request, "cancel").await.problem(409, "too-late");
    app.clock.advance(Duration::minutes(1));
    end(&ada, &request, "unbook").await.problem(409, "slot-over");
    act(&ada, &request, "move", &later).await.problem(409, "slot-over");
    assert_eq!(end(&ada, &request, "cancel").await.ok()["status"], "cancelled");
    Clinic { admin: clinic.admin.on_another_device().await, ..clinic }.recount().await;
}

#[tokio::test]
async fn a_slot_can_require_an_invitation_or_a_notice() {
    let app = TestApp::start_with(BACKEND, &[("CARE4U__BOOKING__NOTICE_MINUTES", "120")]).await;
    let clinic = Clinic::open(&app).await;
    let (ada, request) = clinic.approved().await;
    let (soon, invited) = (clinic.slot(1, 1).await, clinic.slot(48, 1).await);
    book(&ada, &request, &soon).await.problem(409, "slot-over");
    // The staff of the centre may.
    book(&clinic.admin, &request, &soon).await.ok();
    end(&clinic.admin, &request, "unbook").await.ok();
    clinic.admin.patch(&format!("/slots/{invited}"), json!({ "invited_only": true })).await.ok();
    book(&ada, &request, &invited).await.problem(409, "invitation-required");
    clinic.admin.patch(&format!("/slots/{invited}"), json!({ "invited_only": false })).await.ok();
    book(&ada, &request, &invited).await.ok();
    clinic.recount().await;
}
