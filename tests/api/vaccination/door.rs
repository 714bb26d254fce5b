//! The door: checking in, giving doses, undoing them, and bookings to which nobody came.

use chrono::{Duration, NaiveDate};
use futures_util::future::join_all;
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use super::clinic::{Clinic, add_centre, book, deadlocks, end};
use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::TestApp;
use crate::support::response::TestResponse;

async fn undo(actor: &Actor<'_>, dose: &Value) -> TestResponse {
    actor.post_empty(&format!("/immunizations/{}/entered-in-error", dose.as_str().unwrap())).await
}

async fn check_in(actor: &Actor<'_>, request: &str, body: Value) -> TestResponse {
    actor.post(&format!("/vaccine-requests/{request}/check-in"), body).await
}

async fn administer(actor: &Actor<'_>, request: &str, body: Value) -> TestResponse {
    actor.post(&format!("/vaccine-requests/{request}/administer"), body).await
}

/// Puts the first schedule of the course of a vaccine.
async fn put_schedule(clinic: &Clinic<'_>, vaccine: &str, schedule: &Value) {
    let vaccine = clinic.app.vaccine(vaccine).await;
    let course = clinic.app.get(&format!("/api/v1/vaccines/{vaccine}")).await.ok()["course_id"].clone();
    let path = format!("/courses/{}/schedule", course.as_str().unwrap());
    let request = clinic.admin.request(Method::PUT, &path).header("If-Match", "\"0\"").json(schedule);
    clinic.app.send(request).await.ok();
}

fn today(app: &TestApp) -> NaiveDate {
    // In London in winter; tests do not run long enough for another date to matter.
    app.clock.now().date_naive()
}

/// Two doses, the second 28 days after the first, with a grace of four days.
fn two_doses() -> Value {
    json!({ "series": [{ "name": "2 doses", "doses": [
        {},
        { "intervals": [{ "from": "previous", "absolute_minimum": "24 days", "minimum": "28 days" }] },
    ] }] })
}

#[tokio::test]
async fn a_booking_becomes_a_dose_that_counts() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (ada, request) = clinic.booked().await;
    let lot = clinic.lot("FLU", 10).await;
    let body = json!({ "identified_by": "passport" });
    let checked_in = check_in(&clinic.admin, &request, body).await.ok();
    assert_eq!((&checked_in["status"], &checked_in["identified_by"]), (&json!("booked"), &json!("passport")));
    assert_eq!(checked_in["checked_in_centre_id"], clinic.centre.as_str());
    let body = json!({ "lot_id": lot, "site": "LA", "route": "IM" });
    let given = administer(&clinic.admin, &request, body).await.ok();
    assert_eq!((&given["status"], &given["next_dose"]), (&json!("administered"), &Value::Null));
    let dose = &given["immunization"];
    let lot_number = clinic.admin.get(&format!("/lots/{lot}")).await.ok()["lot_number"].clone();
    for (member, value) in [
        ("counts", json!(true)),
        ("dose_number", json!(1)),
        ("rule", Value::Null),
        ("source", json!("given_here")),
        ("status", json!("completed")),
        ("request_id", json!(request)),
        ("centre_id", json!(clinic.centre)),
        ("lot_id", json!(lot)),
        ("lot_number", lot_number),
        ("expires_on", json!("2099-12-31")),
        ("site", json!("LA")),
        ("route", json!("IM")),
        ("performer_id", json!(clinic.admin.id)),
        ("administered_on", json!(today(&app))),
        ("override_reason", Value::Null),
    ] {
        assert_eq!(dose[member], value, "{member}");
    }
    assert!(dose["administered_at"].is_string());
    assert_eq!(clinic.left(&lot).await, 9);
    assert_eq!(ada.get("/immunizations").await.ok()["items"][0]["id"], dose["id"]);
    // The dose is closed in every respect.
    for action in ["cancel", "unbook"] {
        end(&ada, &request, action).await.problem(409, "request-status");
    }
    clinic.give(&request, &lot).await.problem(409, "dose-recorded");
    assert_eq!(clinic.left(&lot).await, 9);
    clinic.recount().await;
}

#[tokio::test]
async fn only_the_staff_of_the_centre_act_at_the_door() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (ada, request) = clinic.booked().await;
    let lot = clinic.lot("FLU", 1).await;
    let (staff, other) = (app.staff().await, app.staff().await);
    clinic.admin.put_empty(&format!("/centres/{}/staff/{}", clinic.centre, staff.id)).await.no_content();
    let elsewhere = add_centre(&clinic.admin, "Europe/London").await;
    clinic.admin.put_empty(&format!("/centres/{elsewhere}/staff/{}", other.id)).await.no_content();
    let code = ada.get(&format!("/vaccine-requests/{request}")).await.ok()["code"].as_str().unwrap().to_owned();
    let (centre, path) = (&clinic.centre, format!("/vaccine-requests/{request}"));
    let posts = [
        (format!("{path}/check-in"), json!({ "identified_by": "passport" })),
        (format!("{path}/administer"), json!({ "lot_id": lot })),
        (format!("{path}/miss"), Value::Null),
        (format!("{path}/reopen"), Value::Null),
        (format!("/lots/{lot}/recall"), Value::Null),
        (
            format!("/centres/{centre}/lots"),
            json!({ "vaccine_id": app.vaccine("FLU").await, "lot_number": "A", "expires_on": "2099-01-01" }),
        ),
        (
            format!("/centres/{centre}/walk-ins"),
            json!({ "person": { "given_name": "A", "family_name": "B" }, "vaccine_id": app.vaccine("FLU").await }),
        ),
    ];
    for (path, body) in posts {
        let post = async |actor: &Actor<'_>| match &body {
            Value::Null => actor.post_empty(&path).await,
            body => actor.post(&path, body.clone()).await,
        };
        post(&ada).await.problem(403, "forbidden");
        post(&other).await.problem(404, "not-found");
    }
    let gets = ["day", "lots", &format!("arrivals/{code}")].map(|path| format!("/centres/{centre}/{path}"));
    for path in gets.iter().chain(&[format!("/lots/{lot}"), format!("/lots/{lot}/immunizations")]) {
        ada.get(path).await.problem(403, "forbidden");
        other.get(path).await.problem(404, "not-found");
        staff.get(path).await.ok();
        app.get(&format!("/api/v1{path}")).await.problem(401, "unauthenticated");
    }
    // Another centre does not have this code.
    other.get(&format!("/centres/{elsewhere}/arrivals/{code}")).await.problem(404, "not-found");
    let given = administer(&staff, &request, json!({ "lot_id": lot })).await.ok();
    let dose = &given["immunization"]["id"];
    undo(&ada, dose).await.problem(403, "forbidden");
    undo(&other, dose).await.problem(404, "not-found");
    undo(&app.patient().await, dose).await.problem(404, "not-found");
    undo(&staff, dose).await.ok();
}

#[tokio::test]
async fn a_dose_is_given_and_undone_any_number_of_times() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (ada, request) = clinic.booked().await;
    let lot = clinic.lot("FLU", 1).await;
    for _ in 0..3 {
        let dose = clinic.give(&request, &lot).await.ok()["immunization"]["id"].clone();
        assert_eq!(clinic.left(&lot).await, 0);
        clinic.recount().await;
        let undone = undo(&clinic.admin, &dose).await.ok();
        assert_eq!((&undone["status"], &undone["counts"]), (&json!("entered_in_error"), &json!(false)));
        // The button is pressed again: nothing changes.
        assert_eq!(undo(&clinic.admin, &dose).await.ok(), undone);
        assert_eq!(clinic.left(&lot).await, 1);
        let back = ada.get(&format!("/vaccine-requests/{request}")).await.ok();
        assert_eq!((&back["status"], back["slot"].is_object()), (&json!("booked"), true));
        clinic.recount().await;
    }
    clinic.give(&request, &lot).await.ok();
    assert_eq!(clinic.left(&lot).await, 0);
    let page = ada.get("/immunizations").await.ok();
    let doses = page["items"].as_array().unwrap();
    let completed = doses.iter().filter(|dose| dose["status"] == "completed").count();
    assert_eq!((doses.len(), completed), (4, 1));
    clinic.recount().await;
}

#[tokio::test]
async fn a_dose_can_be_undone_within_some_hours() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (ada, request) = clinic.booked().await;
    let lot = clinic.lot("FLU", 1).await;
    let dose = clinic.give(&request, &lot).await.ok()["immunization"]["id"].clone();
    app.clock.advance(Duration::hours(12) + Duration::minutes(1));
    let admin = clinic.admin.on_another_device().await;
    undo(&admin, &dose).await.problem(409, "too-late");
    assert_eq!(admin.get(&format!("/lots/{lot}")).await.ok()["left"], 0);
    let ada = ada.on_another_device().await;
    assert_eq!(ada.get(&format!("/vaccine-requests/{request}")).await.ok()["status"], "administered");
}

#[tokio::test]
async fn a_first_dose_is_not_undone_while_the_second_counts() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    put_schedule(&clinic, "FLU", &two_doses()).await;
    let (ada, request) = clinic.booked().await;
    let lot = clinic.lot("FLU", 5).await;
    let first = clinic.give(&request, &lot).await.ok();
    let next = (today(&app) + Duration::days(28)).to_string();
    assert_eq!((&first["next_dose"]["dose_number"], &first["next_dose"]["earliest_on"]), (&json!(2), &json!(next)));
    // The second is given too early, within the grace: it counts.
    let second = ada.ask_for("FLU").await;
    let approved = clinic.admin.post_empty(&format!("/vaccine-requests/{second}/approve")).await.ok();
    assert_eq!(approved["dose_number"], 2);
    let slot = clinic.slot(24 * 28 + 2, 1).await;
    book(&ada, &second, &slot).await.ok();
    app.clock.advance(Duration::days(25));
    let (ada, admin) = (ada.on_another_device().await, clinic.admin.on_another_device().await);
    let refused = administer(&admin, &second, json!({ "lot_id": lot })).await.problem(409, "not-eligible");
    let interval = rule(&refused["eligibility"], "interval");
    assert_eq!((&interval["outcome"], &interval["earliest_on"]), (&json!("grace"), &json!(next)));
    let body = json!({ "lot_id": lot, "override_reason": "She travels tomorrow." });
    let given = administer(&admin, &second, body).await.ok()["immunization"].clone();
    assert_eq!((&given["counts"], &given["rule"]), (&json!(true), &json!("interval")));
    undo(&admin, &first["immunization"]["id"]).await.problem(409, "later-dose");
    assert_eq!(ada.get("/immunizations").await.ok()["items"].as_array().unwrap().len(), 2);
    undo(&admin, &given["id"]).await.ok();
    // Given 25 days ago: that is too long.
    undo(&admin, &first["immunization"]["id"]).await.problem(409, "too-late");
}

fn rule(eligibility: &Value, name: &str) -> Value {
    let rules = eligibility["rules"].as_array().unwrap();
    rules.iter().find(|rule| rule["rule"] == name).unwrap_or_else(|| panic!("no rule {name}: {eligibility}")).clone()
}

#[tokio::test]
async fn a_dose_that_is_too_early_needs_a_reason_and_may_not_count() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    put_schedule(&clinic, "FLU", &two_doses()).await;
    let (ada, request) = clinic.booked().await;
    let lot = clinic.lot("FLU", 5).await;
    clinic.give(&request, &lot).await.ok();
    let second = ada.ask_for("FLU").await;
    clinic.admin.post_empty(&format!("/vaccine-requests/{second}/approve")).await.ok();
    let slot = clinic.slot(24 * 28 + 2, 1).await;
    book(&ada, &second, &slot).await.ok();
    app.clock.advance(Duration::days(10));
    let (ada, admin) = (ada.on_another_device().await, clinic.admin.on_another_device().await);
    let identified = json!({ "identified_by": "passport" });
    let refused = check_in(&admin, &second, identified).await.problem(409, "not-eligible");
    assert_eq!(rule(&refused["eligibility"], "interval")["outcome"], "failed");
    administer(&admin, &second, json!({ "lot_id": lot })).await.problem(409, "not-eligible");
    assert_eq!(admin.get(&format!("/lots/{lot}")).await.ok()["used"], 1);
    let reason = "He cannot come again.";
    check_in(&admin, &second, json!({ "identified_by": "passport", "override_reason": reason })).await.ok();
    let body = json!({ "lot_id": lot, "override_reason": reason });
    let given = administer(&admin, &second, body).await.ok();
    let dose = &given["immunization"];
    assert_eq!((&dose["counts"], &dose["dose_number"]), (&json!(false), &Value::Null));
    assert_eq!((&dose["rule"], &dose["override_reason"]), (&json!("interval"), &json!(reason)));
    // Its number is given again, 28 days after it.
    let next = (today(&app) + Duration::days(28)).to_string();
    assert_eq!((&given["next_dose"]["dose_number"], &given["next_dose"]["earliest_on"]), (&json!(2), &json!(next)));
    let events = admin.get("/audit-events?action=dose_overridden").await.ok();
    assert_eq!((&events["items"][0]["object_id"], &events["items"][0]["detail"]), (&dose["id"], &json!("interval")));
    let again = ada.ask_for("FLU").await;
    assert_eq!(ada.get(&format!("/vaccine-requests/{again}")).await.ok()["dose_number"], 2);
}

#[tokio::test]
async fn ten_vaccinators_at_once_give_one_dose() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (ada, request) = clinic.booked().await;
    let lot = clinic.lot("FLU", 100).await;
    let before = deadlocks(&app).await;
    let answers = join_all((0..10).map(|_| clinic.give(&request, &lot))).await;
    let given = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(given, 1);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        refused.problem(409, "dose-recorded");
    }
    assert_eq!(clinic.left(&lot).await, 99);
    assert_eq!(ada.get("/immunizations").await.ok()["items"].as_array().unwrap().len(), 1);
    clinic.recount().await;
    assert_eq!(deadlocks(&app).await, before);
}

#[tokio::test]
async fn ten_vaccinators_at_once_take_the_last_dose_of_a_lot_once() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let lot = clinic.lot("FLU", 1).await;
    let slot = clinic.slot(1, 10).await;
    let mut requests = Vec::new();
    for _ in 0..10 {
        let (patient, request) = clinic.approved().await;
        book(&patient, &request, &slot).await.ok();
        requests.push(request);
    }
    let before = deadlocks(&app).await;
    let answers = join_all(requests.iter().map(|request| clinic.give(request, &lot))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(refused.problem(409, "lot-refused")["reason"], "empty");
    }
    assert_eq!(clinic.left(&lot).await, 0);
    let page = clinic.admin.get(&format!("/lots/{lot}/immunizations")).await.ok();
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    clinic.recount().await;
    assert_eq!(deadlocks(&app).await, before);
}

#[tokio::test]
async fn an_idempotency_key_gives_one_dose_with_the_same_answer() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (_, request) = clinic.booked().await;
    let lot = clinic.lot("FLU", 5).await;
    let send = async |key: &str, body: Value| {
        let path = format!("/vaccine-requests/{request}/administer");
        app.send(clinic.admin.request(Method::POST, &path).header("Idempotency-Key", key).json(&body)).await
    };
    let body = json!({ "lot_id": lot });
    let answers = join_all((0..5).map(|_| send("one", body.clone()))).await;
    let first = answers[0].text.clone();
    for answer in &answers {
        answer.is(200);
        assert_eq!(answer.text, first);
    }
    send("two", body.clone()).await.problem(409, "dose-recorded");
    let other = json!({ "lot_id": lot, "site": "RA" });
    send("one", other).await.problem(422, "idempotency-key-reused");
    assert_eq!(clinic.left(&lot).await, 4);
}

#[tokio::test]
async fn answers_to_the_questions_of_a_course_decide() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let mut schedule = json!({ "series": [{ "name": "1 dose", "doses": [{}] }] });
    schedule["questions"] = json!([
        { "id": "pregnant", "text": "Are you pregnant?", "yes": "not_eligible" },
        { "id": "fever", "text": "Do you have a fever?", "yes": "ask_staff" },
    ]);
    put_schedule(&clinic, "FLU", &schedule).await;
    let (ada, request) = clinic.booked().await;
    let lot = clinic.lot("FLU", 5).await;
    let code = ada.get(&format!("/vaccine-requests/{request}")).await.ok()["code"].as_str().unwrap().to_owned();
    let arrival = clinic.admin.get(&format!("/centres/{}/arrivals/{code}", clinic.centre)).await.ok();
    assert_eq!(arrival["questions"][1], json!({ "id": "fever", "text": "Do you have a fever?" }));
    let with = |answers: Value| json!({ "identified_by": "passport", "answers": answers });
    // Nobody was asked: staff must say why they give the dose all the same.
    let refused = clinic.give(&request, &lot).await.problem(409, "not-eligible");
    assert_eq!(rule(&refused["eligibility"], "question")["outcome"], "unknown");
    for (answers, code) in [
        (json!({ "pregnant": false }), "required"),
        (json!({ "pregnant": false, "fever": false, "other": true }), "unknown"),
    ] {
        check_in(&clinic.admin, &request, with(answers)).await.violates(&[("answers", code)]);
    }
    for wrong in [json!({ "pregnant": "no", "fever": false }), json!([true]), json!(true)] {
        assert_eq!(check_in(&clinic.admin, &request, with(wrong)).await.status, 422);
    }
    let pregnant = with(json!({ "pregnant": true, "fever": false }));
    let refused = check_in(&clinic.admin, &request, pregnant.clone()).await.problem(409, "not-eligible");
    assert_eq!(rule(&refused["eligibility"], "question")["outcome"], "failed");
    let mut despite = pregnant;
    despite["override_reason"] = json!("She asked for it.");
    check_in(&clinic.admin, &request, despite).await.problem(409, "not-eligible");
    let fever = with(json!({ "pregnant": false, "fever": true }));
    let checked_in = check_in(&clinic.admin, &request, fever).await.ok();
    assert_eq!(checked_in["answers"], json!({ "pregnant": false, "fever": true }));
    clinic.give(&request, &lot).await.problem(409, "not-eligible");
    let body = json!({ "lot_id": lot, "override_reason": "37.2 degrees" });
    let given = administer(&clinic.admin, &request, body).await.ok();
    assert_eq!((&given["immunization"]["counts"], &given["immunization"]["rule"]), (&json!(true), &Value::Null));
    let events = clinic.admin.get("/audit-events?action=dose_overridden").await.ok();
    assert_eq!(events["items"][0]["detail"], "question");
}

#[tokio::test]
async fn a_booking_to_which_nobody_came_is_missed_only_by_staff() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    put_schedule(&clinic, "FLU", &two_doses()).await;
    let (ada, request) = clinic.booked().await;
    let path = format!("/vaccine-requests/{request}");
    clinic.admin.post_empty(&format!("{path}/miss")).await.problem(409, "slot-not-begun");
    app.clock.advance(Duration::days(2));
    let (ada, admin) = (ada.on_another_device().await, clinic.admin.on_another_device().await);
    let clinic = Clinic { admin, ..clinic };
    // The slot is over, and nobody came: that alone changes nothing.
    assert_eq!(ada.get(&path).await.ok()["status"], "booked");
    assert_eq!(ada.get("/immunizations").await.ok()["items"], json!([]));
    ada.post_empty(&format!("{path}/miss")).await.problem(403, "forbidden");
    clinic.admin.post_empty(&format!("{path}/reopen")).await.problem(409, "request-status");
    assert_eq!(clinic.admin.post_empty(&format!("{path}/miss")).await.ok()["status"], "missed");
    clinic.admin.post_empty(&format!("{path}/miss")).await.problem(409, "request-status");
    clinic.recount().await;
    // The patient asks again, for the same dose.
    let again = ada.ask_for("FLU").await;
    assert_eq!(ada.get(&format!("/vaccine-requests/{again}")).await.ok()["dose_number"], 1);
    clinic.admin.post_empty(&format!("{path}/reopen")).await.problem(409, "request-open");
    end(&ada, &again, "cancel").await.ok();
    // The patient has come after all.
    assert_eq!(clinic.admin.post_empty(&format!("{path}/reopen")).await.ok()["status"], "booked");
    clinic.recount().await;
    let lot = clinic.lot("FLU", 5).await;
    assert_eq!(clinic.give(&request, &lot).await.ok()["immunization"]["dose_number"], 1);
    clinic.admin.post_empty(&format!("{path}/reopen")).await.problem(409, "request-status");
    clinic.recount().await;
}

#[tokio::test]
async fn a_dose_is_given_at_a_booked_or_checked_in_request_only() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let lot = clinic.lot("FLU", 5).await;
    let ada = app.patient().await;
    let request = ada.ask_for("FLU").await;
    clinic.give(&request, &lot).await.problem(409, "request-status");
    clinic.admin.post_empty(&format!("/vaccine-requests/{request}/approve")).await.ok();
    clinic.give(&request, &lot).await.problem(409, "request-status");
    let body = json!({ "identified_by": "passport" });
    check_in(&clinic.admin, &request, body).await.problem(409, "request-status");
    let missing = format!("/vaccine-requests/{}/administer", uuid::Uuid::now_v7());
    clinic.admin.post(&missing, json!({ "lot_id": lot })).await.problem(404, "not-found");
    let slot = clinic.slot(1, 1).await;
    book(&ada, &request, &slot).await.ok();
    clinic.give(&request, &uuid::Uuid::now_v7().to_string()).await.violates(&[("lot_id", "unknown")]);
    administer(&clinic.admin, &request, json!({})).await.violates(&[("lot_id", "required")]);
    check_in(&clinic.admin, &request, json!({ "identified_by": " " })).await.violates(&[("identified_by", "blank")]);
    // A move or a cancellation ends the check-in.
    check_in(&clinic.admin, &request, json!({ "identified_by": "passport" })).await.ok();
    let later = clinic.slot(3, 1).await;
    let moved = super::clinic::act(&clinic.admin, &request, "move", &later).await.ok();
    assert_eq!((&moved["checked_in_at"], &moved["identified_by"]), (&Value::Null, &Value::Null));
    check_in(&clinic.admin, &request, json!({ "identified_by": "passport" })).await.ok();
    let unbooked = end(&clinic.admin, &request, "unbook").await.ok();
    assert_eq!((&unbooked["status"], &unbooked["checked_in_at"]), (&json!("approved"), &Value::Null));
    clinic.recount().await;
}

#[tokio::test]
async fn a_second_dose_without_the_first_is_refused_with_the_rule() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    put_schedule(&clinic, "FLU", &two_doses()).await;
    let ada = app.patient().await;
    let body = json!({ "vaccine_id": app.vaccine("FLU").await, "dose_number": 2 });
    let refused = ada.post("/vaccine-requests", body).await.problem(409, "not-eligible");
    let previous = rule(&refused["eligibility"], "previous_dose");
    assert_eq!((&previous["outcome"], &previous["message"]), (&json!("failed"), &json!("Dose 1 is not recorded.")));
    // Dose 2 was booked after dose 1, which turns out to be a mistake.
    let lot = clinic.lot("FLU", 5).await;
    let (ada, request) = clinic.booked().await;
    let dose = clinic.give(&request, &lot).await.ok()["immunization"]["id"].clone();
    let second = ada.ask_for("FLU").await;
    clinic.admin.post_empty(&format!("/vaccine-requests/{second}/approve")).await.ok();
    let slot = clinic.slot(24 * 28 + 2, 1).await;
    book(&ada, &second, &slot).await.ok();
    undo(&clinic.admin, &dose).await.ok();
    let body = json!({ "lot_id": lot, "override_reason": "She says that she had the first one." });
    let refused = administer(&clinic.admin, &second, body).await.problem(409, "not-eligible");
    assert_eq!(rule(&refused["eligibility"], "previous_dose")["outcome"], "failed");
}

#[tokio::test]
async fn a_reported_dose_is_withdrawn_by_its_owner_and_by_staff() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let ada = app.patient().await;
    let body = |day: &str| json!({ "vaccine_id": "01900000-0000-7000-8000-000000000009", "administered_on": day });
    let first = ada.post("/immunizations", body("2020-01-01")).await.created();
    let second = ada.post("/immunizations", body("2020-03-01")).await.created();
    assert_eq!((&first["dose_number"], &second["dose_number"]), (&json!(1), &json!(2)));
    assert_eq!((&first["reported_by"], &first["verified_at"]), (&json!(ada.id), &Value::Null));
    undo(&ada, &first["id"]).await.problem(409, "later-dose");
    undo(&app.patient().await, &second["id"]).await.problem(404, "not-found");
    undo(&ada, &second["id"]).await.ok();
    app.clock.advance(Duration::days(1));
    let admin = clinic.admin.on_another_device().await;
    undo(&admin, &first["id"]).await.ok();
    let patient = first["patient_id"].clone();
    let mut again = body("2020-01-01");
    again["patient_id"] = patient;
    let verified = admin.post("/immunizations", again).await.created();
    assert!(verified["verified_at"].is_string());
    // The day is wrong only together with another dose: an older one is judged anew.
    let ada = ada.on_another_device().await;
    let older = ada.post("/immunizations", body("2019-12-20")).await.created();
    let page = ada.get("/immunizations").await.ok();
    let stored = page["items"].as_array().unwrap().iter().find(|dose| dose["id"] == verified["id"]).unwrap().clone();
    assert_eq!(
        (&older["dose_number"], &stored["dose_number"], &stored["rule"]),
        (&json!(1), &Value::Null, &json!("interval"))
    );
}

#[tokio::test]
async fn the_database_refuses_what_no_statement_should_write() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (_, request) = clinic.booked().await;
    let lot = clinic.lot("FLU", 2).await;
    clinic.give(&request, &lot).await.ok();
    for sql in [
        "UPDATE lots SET used = 3",
        "UPDATE lots SET used = -1",
        "UPDATE immunizations SET lot_id = NULL",
        "UPDATE immunizations SET dose_number = 0",
        "UPDATE vaccine_requests SET checked_in_at = created_at",
        "DELETE FROM lots",
    ] {
        assert!(app.state().db.execute_unprepared(sql).await.is_err(), "{sql}");
    }
}
