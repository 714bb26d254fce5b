//! Staff: they change bookings and slots only in their own centres, and what they do is recorded.

use std::collections::BTreeSet;

use chrono::Duration;
use serde_json::{Value, json};

use super::clinic::{Clinic, act, add_centre, book, end};
use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::TestApp;

async fn assign(clinic: &Clinic<'_>, centre: &str, staff: &Actor<'_>) {
    clinic.admin.put_empty(&format!("/centres/{centre}/staff/{}", staff.id)).await.no_content();
}

#[tokio::test]
async fn staff_of_another_centre_change_nothing() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (slot, later) = (clinic.slot(48, 2).await, clinic.slot(50, 2).await);
    let (ada, request) = clinic.approved().await;
    book(&ada, &request, &slot).await.ok();
    let staff = app.staff().await;
    let own = add_centre(&clinic.admin, "UTC").await;
    assign(&clinic, &own, &staff).await;

    let start = app.clock.now() + Duration::hours(60);
    let new = |vaccine| json!({ "vaccine_id": vaccine, "starts_at": start, "ends_at": start + Duration::hours(1), "capacity": 1 });
    let new = new(app.vaccine("FLU").await);
    let not_found = async |path: String, body: Value| staff.post(&path, body).await.problem(404, "not-found");
    not_found(format!("/centres/{}/slots", clinic.centre), new.clone()).await;
    not_found(format!("/centres/{}/close-day", clinic.centre), json!({ "date": start.date_naive() })).await;
    not_found(format!("/slots/{slot}/close"), json!({})).await;
    not_found(format!("/vaccine-requests/{request}/move"), json!({ "slot_id": later })).await;
    for path in [
        format!("/slots/{slot}/reopen"),
        format!("/vaccine-requests/{request}/unbook"),
        format!("/vaccine-requests/{request}/cancel"),
    ] {
        staff.post_empty(&path).await.problem(404, "not-found");
    }
    for changes in [json!({ "capacity": 9 }), json!({})] {
        staff.patch(&format!("/slots/{slot}"), changes).await.problem(404, "not-found");
    }
    assert_eq!((clinic.free(&slot).await, clinic.free(&later).await), (json!(1), json!(2)));

    // From the own centre to another one: the place is kept.
    let in_own = staff.post(&format!("/centres/{own}/slots"), new).await.created()["id"].clone();
    act(&ada, &request, "move", in_own.as_str().unwrap()).await.ok();
    act(&staff, &request, "move", &slot).await.problem(404, "not-found");
    let kept = ada.get(&format!("/vaccine-requests/{request}")).await.ok();
    assert_eq!((&kept["status"], &kept["slot"]["id"]), (&json!("booked"), &in_own));
    clinic.recount().await;
}

/// The actions that an actor has performed, apart from sign-ins.
async fn actions(admin: &Actor<'_>, actor: &Actor<'_>) -> Vec<(String, Value, Value)> {
    let events = admin.get(&format!("/audit-events?actor_id={}&limit=100", actor.id)).await.ok();
    let events = events["items"].as_array().unwrap().iter().rev();
    let action = |event: &Value| event["action"].as_str().unwrap().to_owned();
    let all = events.map(|event| (action(event), event["subject_id"].clone(), event["object_id"].clone()));
    all.filter(|(action, ..)| action != "login_succeeded").collect()
}

#[tokio::test]
async fn what_staff_do_is_recorded() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (slot, later) = (clinic.slot(48, 2).await, clinic.slot(50, 2).await);
    let (ada, staff) = (app.patient().await, app.staff().await);
    assign(&clinic, &clinic.centre, &staff).await;
    let request = ada.ask_for("FLU").await;
    staff.post_empty(&format!("/vaccine-requests/{request}/approve")).await.ok();
    book(&staff, &request, &slot).await.ok();
    act(&staff, &request, "move", &later).await.ok();
    end(&staff, &request, "unbook").await.ok();
    end(&staff, &request, "cancel").await.ok();
    staff.patch(&format!("/slots/{slot}"), json!({ "capacity": 3 })).await.ok();
    // Nothing changes, so nothing is recorded.
    staff.patch(&format!("/slots/{slot}"), json!({})).await.ok();
    for action in ["close", "close", "reopen", "reopen"] {
        staff.post(&format!("/slots/{slot}/{action}"), json!({})).await.ok();
    }
    let day = json!({ "date": (app.clock.now() + Duration::days(9)).date_naive() });
    staff.post(&format!("/centres/{}/close-day", clinic.centre), day).await.ok();
    let patient = ada.get("/patients").await.ok()["items"][0]["id"].clone();
    staff.patch(&format!("/patients/{}", patient.as_str().unwrap()), json!({ "name": "Ada King" })).await.ok();

    let recorded = actions(&clinic.admin, &staff).await;
    let (ada_id, request, slot) = (json!(ada.id), json!(request), json!(slot));
    let event = |action: &str, subject: &Value, object: &Value| (action.to_owned(), subject.clone(), object.clone());
    let expected = [
        event("request_approved", &ada_id, &request),
        event("request_booked", &ada_id, &request),
        event("request_moved", &ada_id, &request),
        event("request_unbooked", &ada_id, &request),
        event("request_cancelled", &ada_id, &request),
        event("slot_changed", &Value::Null, &slot),
        event("slot_closed", &Value::Null, &slot),
        event("slot_reopened", &Value::Null, &slot),
        event("day_closed", &Value::Null, &json!(clinic.centre)),
        event("patient_changed", &ada_id, &patient),
    ];
    assert_eq!(recorded, expected);

    let of_admin: BTreeSet<String> =
        actions(&clinic.admin, &clinic.admin).await.into_iter().map(|event| event.0).collect();
    let expected = ["centre_created", "centre_staff_added", "slot_created"];
    assert!(expected.iter().all(|action| of_admin.contains(*action)), "{of_admin:?}");

    // The owner's own changes.
    let before = actions(&clinic.admin, &ada).await.len();
    let request = ada.ask_for("MMR").await;
    ada.get(&format!("/vaccine-requests/{request}")).await.ok();
    ada.patch(&format!("/patients/{}", patient.as_str().unwrap()), json!({ "name": "Ada Lovelace" })).await.ok();
    end(&ada, &request, "cancel").await.ok();
    // The place was given to this person, so that change is recorded.
    let recorded = actions(&clinic.admin, &ada).await;
    assert_eq!(recorded[before..], [event("patient_changed", &ada_id, &patient)]);
}
