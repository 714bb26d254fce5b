//! Walk-ins: people who come without a booking.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

use super::clinic::{Clinic, book};
use crate::BACKEND;
use crate::support::app::TestApp;
use crate::support::response::TestResponse;

async fn walk_in(clinic: &Clinic<'_>, body: Value) -> TestResponse {
    clinic.admin.post(&format!("/centres/{}/walk-ins", clinic.centre), body).await
}

fn person() -> Value {
    json!({ "given_name": "Ada", "family_name": "Lovelace", "birth_date": "1985-12-10" })
}

#[tokio::test]
async fn somebody_without_an_account_is_vaccinated() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let lot = clinic.lot("FLU", 5).await;
    let flu = app.vaccine("FLU").await;
    let body = json!({ "person": person(), "vaccine_id": flu, "identified_by": "driving licence" });
    let answer = walk_in(&clinic, body).await;
    let request = answer.created();
    let id = request["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), format!("/api/v1/vaccine-requests/{id}"));
    assert_eq!(
        (&request["status"], &request["slot"], &request["user_id"]),
        (&json!("approved"), &Value::Null, &Value::Null)
    );
    assert_eq!(request["patient"]["relation"], "walk_in");
    assert_eq!(request["patient"]["name"], "Ada Lovelace");
    assert!(request["checked_in_at"].is_string() && request["code"].is_string());
    clinic.recount().await;
    let given = clinic.give(id, &lot).await.ok();
    assert_eq!((&given["status"], &given["immunization"]["counts"]), (&json!("administered"), &json!(true)));
    let undone = given["immunization"]["id"].as_str().unwrap();
    clinic.admin.post_empty(&format!("/immunizations/{undone}/entered-in-error")).await.ok();
    let back = clinic.admin.get(&format!("/vaccine-requests/{id}")).await.ok();
    assert_eq!((&back["status"], back["checked_in_at"].is_string()), (&json!("approved"), true));
    clinic.give(id, &lot).await.ok();
    clinic.recount().await;
    // The same person comes again, and is found.
    let patient = &request["patient"]["id"];
    let again = json!({ "patient_id": patient, "vaccine_id": flu });
    let refused = walk_in(&clinic, again).await.problem(409, "not-eligible");
    assert_eq!(refused["eligibility"]["history"][0]["counts"], true);
    let found = clinic.admin.get("/patients?q=lovel&purpose=walk-in").await.ok();
    assert_eq!(found["items"][0]["id"], *patient);
}

#[tokio::test]
async fn somebody_without_papers_has_no_birth_date() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let flu = app.vaccine("FLU").await;
    let name = json!({ "given_name": "A", "family_name": "B" });
    let request = walk_in(&clinic, json!({ "person": name, "vaccine_id": flu })).await.created();
    assert_eq!((&request["identified_by"], &request["patient"]["birth_year"]), (&Value::Null, &Value::Null));
    let lot = clinic.lot("FLU", 5).await;
    // The vaccine has a minimum age: that is not known, and staff see the person.
    clinic.give(request["id"].as_str().unwrap(), &lot).await.ok();
    let year = json!({ "given_name": "A", "family_name": "B", "birth_year": 1950 });
    let request = walk_in(&clinic, json!({ "person": year, "vaccine_id": flu })).await.created();
    assert_eq!((&request["patient"]["birth_year"], &request["patient"]["birth_month"]), (&json!(1950), &Value::Null));
    for (body, violations) in [
        (json!({ "vaccine_id": flu }), &[("patient_id", "required")][..]),
        (json!({ "vaccine_id": flu, "person": person(), "patient_id": uuid::Uuid::now_v7() }), &[("person", "both")]),
        (json!({ "vaccine_id": flu, "patient_id": uuid::Uuid::now_v7() }), &[("patient_id", "unknown")]),
        (json!({ "vaccine_id": uuid::Uuid::now_v7(), "person": person() }), &[("vaccine_id", "unknown")]),
        (
            json!({ "vaccine_id": flu, "person": {} }),
            &[("person.family_name", "blank"), ("person.given_name", "blank")],
        ),
        (json!({ "vaccine_id": flu, "person": person(), "slot_id": uuid::Uuid::now_v7() }), &[("slot_id", "unknown")]),
    ] {
        walk_in(&clinic, body).await.violates(violations);
    }
    let future = json!({ "given_name": "A", "family_name": "B", "birth_date": "2199-01-01" });
    assert_eq!(walk_in(&clinic, json!({ "vaccine_id": flu, "person": future })).await.status, 422);
}

#[tokio::test]
async fn a_walk_in_takes_a_place_of_a_slot_until_it_is_over() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(1, 1).await;
    let flu = app.vaccine("FLU").await;
    app.clock.advance(Duration::minutes(70));
    let clinic = Clinic { admin: clinic.admin.on_another_device().await, ..clinic };
    let body = json!({ "person": person(), "vaccine_id": flu, "slot_id": slot });
    let request = walk_in(&clinic, body.clone()).await.created();
    assert_eq!((&request["status"], &request["slot"]["id"]), (&json!("booked"), &json!(slot)));
    assert_eq!(clinic.free(&slot).await, 0);
    walk_in(&clinic, body.clone()).await.problem(409, "slot-full");
    clinic.recount().await;
    // Nobody was added by the refused ones.
    let found = clinic.admin.get("/patients?q=lovelace&purpose=walk-in").await.ok();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let mmr = json!({ "person": person(), "vaccine_id": app.vaccine("MMR").await, "slot_id": slot });
    walk_in(&clinic, mmr).await.violates(&[("slot_id", "course")]);
    let lot = clinic.lot("FLU", 1).await;
    clinic.give(request["id"].as_str().unwrap(), &lot).await.ok();
    app.clock.advance(Duration::minutes(30));
    let clinic = Clinic { admin: clinic.admin.on_another_device().await, ..clinic };
    walk_in(&clinic, body).await.problem(409, "slot-over");
    clinic.recount().await;
}

#[tokio::test]
async fn an_open_request_of_somebody_who_walks_in_is_used() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let ada = app.patient().await;
    let request = ada.ask_for("FLU").await;
    let patient = ada.get("/patients").await.ok()["items"][0]["id"].clone();
    let body = json!({ "patient_id": patient, "vaccine_id": app.vaccine("FLU").await, "identified_by": "passport" });
    let arrived = walk_in(&clinic, body.clone()).await.created();
    assert_eq!((&arrived["id"], &arrived["status"]), (&json!(request), &json!("approved")));
    clinic.recount().await;
    // A place that is booked for the dose is used, not a second one.
    let slot = clinic.slot(3, 1).await;
    let booked = book(&ada, &request, &slot).await.ok();
    assert_eq!(booked["checked_in_at"], Value::Null);
    walk_in(&clinic, body).await.problem(409, "request-open");
    clinic.recount().await;
}

#[tokio::test]
async fn somebody_on_the_waitlist_leaves_it_by_walking_in() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (ada, request) = clinic.approved().await;
    ada.post(&format!("/vaccine-requests/{request}/wait"), json!({})).await.is(201);
    let patient = ada.get("/patients").await.ok()["items"][0]["id"].clone();
    let slot = clinic.slot(1, 0).await;
    let body = json!({ "patient_id": patient, "vaccine_id": app.vaccine("FLU").await });
    let arrived = walk_in(&clinic, body).await.created();
    assert_eq!((&arrived["id"], &arrived["waitlist"]["status"]), (&json!(request), &json!("left")));
    clinic.admin.patch(&format!("/slots/{slot}"), json!({ "capacity": 1 })).await.ok();
    clinic.recount().await;
}

/// The place that is offered to somebody is theirs when they come, not that of the next in line.
#[tokio::test]
async fn somebody_who_walks_in_takes_the_place_that_is_offered_to_them() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let mut people = Vec::new();
    for _ in 0..2 {
        let (person, request) = clinic.approved().await;
        person.post(&format!("/vaccine-requests/{request}/wait"), json!({})).await.is(201);
        people.push((person, request));
    }
    let slot = clinic.slot(5, 1).await;
    let (ada, request) = &people[0];
    let patient = ada.get("/patients").await.ok()["items"][0]["id"].clone();
    let body = json!({ "patient_id": patient, "vaccine_id": app.vaccine("FLU").await, "slot_id": slot });
    let arrived = walk_in(&clinic, body).await.created();
    assert_eq!((&arrived["id"], &arrived["status"]), (&json!(request), &json!("booked")));
    assert_eq!(arrived["waitlist"]["status"], "accepted");
    assert_eq!(clinic.free(&slot).await, 0);
    clinic.recount().await;
}

/// Somebody in the care of an account whose contact was deleted still is a patient.
#[tokio::test]
async fn a_patient_whose_contact_was_deleted_walks_in() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let ada = app.patient().await;
    let contact = ada.post("/contacts", json!({ "first_name": "Byron", "last_name": "King" })).await.created();
    let flu = app.vaccine("FLU").await;
    let body = json!({ "vaccine_id": flu, "contact_id": contact["id"] });
    let request = ada.post("/vaccine-requests", body).await.created();
    ada.post_empty(&format!("/vaccine-requests/{}/cancel", request["id"].as_str().unwrap())).await.ok();
    ada.delete(&format!("/contacts/{}", contact["id"].as_str().unwrap())).await.no_content();
    let body = json!({ "patient_id": request["patient"]["id"], "vaccine_id": flu });
    let arrived = walk_in(&clinic, body).await.created();
    assert_eq!((&arrived["patient"]["id"], &arrived["user_id"]), (&request["patient"]["id"], &json!(ada.id)));
    clinic.recount().await;
}

#[tokio::test]
async fn a_walk_in_that_is_sent_twice_is_one() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let body = json!({ "person": person(), "vaccine_id": app.vaccine("FLU").await });
    let path = format!("/centres/{}/walk-ins", clinic.centre);
    let send = || {
        let request = clinic.admin.request(Method::POST, &path).header("Idempotency-Key", "k").json(&body);
        app.send(request)
    };
    let (one, other) = tokio::join!(send(), send());
    one.created();
    assert_eq!(one.text, other.text);
    let found = clinic.admin.get("/patients?q=lovelace&purpose=walk-in").await.ok();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
}
