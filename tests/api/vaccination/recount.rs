//! Recount: the comparison of the counters with the requests finds what is wrong.

use chrono::Duration;
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use super::clinic::{Clinic, book};
use crate::BACKEND;
use crate::support::app::TestApp;

#[tokio::test]
async fn a_recount_reports_counters_that_are_wrong() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 2).await;
    let (ada, request) = clinic.approved().await;
    book(&ada, &request, &slot).await.ok();
    clinic.recount().await;
    for sql in ["UPDATE slots SET booked = 2", "UPDATE patients SET open_requests = 3"] {
        app.state().db.execute_unprepared(sql).await.unwrap();
    }
    let recount = async |token: &str| app.send(app.request(Method::GET, "/health/invariants").bearer_auth(token)).await;
    let report = recount(&clinic.admin.access_token).await.ok();
    let patient = ada.get("/patients").await.ok()["items"][0]["id"].clone();
    let expected = json!([
        { "invariant": "slots_booked", "id": slot, "stored": 2, "counted": 1 },
        { "invariant": "patients_open_requests", "id": patient, "stored": 3, "counted": 1 },
    ]);
    assert_eq!((&report["violations"], &report["slots"], &report["patients"]), (&expected, &json!(1), &json!(1)));
    recount(&ada.access_token).await.problem(403, "forbidden");
    recount("no token").await.problem(401, "invalid-token");
    assert!(app.clock.now() - report["checked_at"].as_str().map(at).unwrap() < Duration::minutes(5));
}

#[tokio::test]
async fn a_wrong_counter_of_used_doses_is_found() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (_, request) = clinic.booked().await;
    let lot = clinic.lot("FLU", 5).await;
    clinic.give(&request, &lot).await.ok();
    clinic.recount().await;
    app.state().db.execute_unprepared("UPDATE lots SET used = 3").await.unwrap();
    let request = app.request(Method::GET, "/health/invariants").bearer_auth(&clinic.admin.access_token);
    let report = app.send(request).await.ok();
    let expected = json!([{ "invariant": "lots_used", "id": lot, "stored": 3, "counted": 1 }]);
    assert_eq!((&report["violations"], &report["lots"], &report["doses"]), (&expected, &json!(1), &json!(1)));
}

fn at(time: &str) -> chrono::DateTime<chrono::Utc> {
    serde_json::from_value(Value::from(time)).unwrap()
}
