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

/// Ten people of the staff of the centre, who work with one or two instances of the service.
async fn vaccinators<'a>(clinic: &Clinic<'a>, other: &'a TestApp) -> Vec<Actor<'a>> {
    let mut all = Vec::new();
    for number in 0..10 {
        let staff = clinic.app.staff().await;
        clinic.admin.put_empty(&format!("/centres/{}/staff/{}", clinic.centre, staff.id)).await.no_content();
        all.push(if number % 2 == 0 { staff } else { Actor { app: other, ..staff } });
    }
    all
}

#[tokio::test]
async fn ten_vaccinators_at_once_give_one_dose() {
    let app = TestApp::start(BACKEND).await;
    let other = app.another_instance().await;
    let clinic = Clinic::open(&app).await;
    let vaccinators = vaccinators(&clinic, &other).await;
    let (ada, request) = clinic.booked().await;
    let lot = clinic.lot("FLU", 100).await;
    let before = deadlocks(&app).await;
    let body = json!({ "lot_id": lot });
    for _ in 0..3 {
        let answers = join_all(vaccinators.iter().map(|staff| administer(staff, &request, body.clone()))).await;
        let given: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(given.len(), 1);
        for refused in answers.iter().filter(|answer| answer.status != 200) {
            refused.problem(409, "dose-recorded");
        }
        assert_eq!(clinic.left(&lot).await, 99);
        // All press undo at once, too.
        let dose = given[0].ok()["immunization"]["id"].clone();
        for undone in join_all(vaccinators.iter().map(|staff| undo(staff, &dose))).await {
            assert_eq!(undone.ok()["status"], "entered_in_error");
        }
        assert_eq!(clinic.left(&lot).await, 100);
        clinic.recount().await;
    }
    clinic.give(&request, &lot).await.ok();
    let doses = ada.get("/immunizations").await.ok();
    let completed = doses["items"].as_array().unwrap().iter().filter(|dose| dose["status"] == "completed").count();
    assert_eq!(completed, 1);
    clinic.recount().await;
    assert_eq!(deadlocks(&app).await, before);
}

#[tokio::test]
async fn ten_vaccinators_at_once_take_the_last_dose_of_a_lot_once() {
    let app = TestApp::start(BACKEND).await;
    let other = app.another_instance().await;
    let clinic = Clinic::open(&app).await;
    let vaccinators = vaccinators(&clinic, &other).await;
    let lot = clinic.lot("FLU", 1).await;
    let slot = clinic.slot(1, 10).await;
    let mut requests = Vec::new();
    for _ in 0..10 {
        let (patient, request) = clinic.approved().await;
        book(&patient, &request, &slot).await.ok();
        requests.push(request);
    }
    let before = deadlocks(&app).await;
    let body = json!({ "lot_id": lot });
    let each = vaccinators.iter().zip(&requests).map(|(staff, request)| administer(staff, request, body.clone()));
    let answers = join_all(each).await;
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

/// Doses, undone ones, cancelled bookings, walk-ins, closed slots and erased accounts at the same time.
#[tokio::test]
async fn a_busy_day_leaves_all_counters_right() {
    let app = TestApp::start(BACKEND).await;
    let other = app.another_instance().await;
    let clinic = Clinic::open(&app).await;
    let vaccinators = vaccinators(&clinic, &other).await;
    let lot = clinic.lot("FLU", 5).await;
    let (slot, closing) = (clinic.slot(1, 6).await, clinic.slot(3, 4).await);
    let mut people = Vec::new();
    for number in 0..10 {
        let (patient, request) = clinic.approved().await;
        book(&patient, &request, if number < 6 { &slot } else { &closing }).await.ok();
        let id = patient.get("/patients").await.ok()["items"][0]["id"].clone();
        people.push((patient, request, id));
    }
    let before = deadlocks(&app).await;
    let flu = app.vaccine("FLU").await;
    let acts = vaccinators.iter().zip(&people).enumerate().map(async |(number, (staff, (patient, request, id)))| {
        let mut statuses = Vec::new();
        let given = administer(staff, request, json!({ "lot_id": lot })).await;
        statuses.push(given.status);
        if number % 2 == 0 && given.status == 200 {
            statuses.push(undo(staff, &given.ok()["immunization"]["id"]).await.status);
        }
        match number % 5 {
            0 => {
                let body = json!({ "password": crate::support::app::PASSWORD });
                statuses.push(patient.post("/users/me/deletion", body).await.status);
            }
            1 => statuses.push(end(staff, request, "cancel").await.status),
            2 => {
                let body = json!({ "patient_id": id, "vaccine_id": flu });
                statuses.push(staff.post(&format!("/centres/{}/walk-ins", clinic.centre), body).await.status);
            }
            3 => statuses.push(staff.post_empty(&format!("/slots/{closing}/close")).await.status),
            _ => statuses.push(end(patient, request, "unbook").await.status),
        }
        statuses
    });
    let statuses = join_all(acts).await.concat();
    assert!(statuses.iter().all(|status| [200, 201, 409, 422, 503].contains(status)), "{statuses:?}");
    assert_eq!(deadlocks(&app).await, before);
    clinic.recount().await;
}

#[tokio::test]
async fn a_dose_that_is_undone_after_its_slot_was_closed_is_given_again() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (ada, request) = clinic.approved().await;
    let slot = clinic.slot(2, 3).await;
    book(&ada, &request, &slot).await.ok();
    let lot = clinic.lot("FLU", 1).await;
    let dose = clinic.give(&request, &lot).await.ok()["immunization"]["id"].clone();
    clinic.admin.post_empty(&format!("/slots/{slot}/close")).await.ok();
    undo(&clinic.admin, &dose).await.ok();
    let back = ada.get(&format!("/vaccine-requests/{request}")).await.ok();
    assert_eq!((&back["status"], back["checked_in_at"].is_string()), (&json!("approved"), true));
    clinic.recount().await;
    clinic.give(&request, &lot).await.ok();
    clinic.recount().await;
}

/// An account is erased after a dose: what was given stays, without names; a mistake can still be undone.
#[tokio::test]
async fn doses_stay_without_names_when_an_account_is_erased() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (ada, request) = clinic.booked().await;
    let (bob, mistaken) = clinic.booked_at(2).await;
    let lot = clinic.lot("FLU", 5).await;
    check_in(&clinic.admin, &request, json!({ "identified_by": "passport of Ada" })).await.ok();
    let path = format!("/vaccine-requests/{request}/administer");
    let give =
        clinic.admin.request(Method::POST, &path).header("Idempotency-Key", "ada").json(&json!({ "lot_id": lot }));
    let dose = app.send(give).await.ok()["immunization"].clone();
    ada.post("/immunizations", json!({ "vaccine_id": app.vaccine("TDAP").await, "administered_on": "2020-01-01" }))
        .await
        .created();
    // Bob was given a dose by mistake only.
    let undone = clinic.give(&mistaken, &lot).await.ok()["immunization"]["id"].clone();
    undo(&clinic.admin, &undone).await.ok();
    let erase = async |actor: &Actor<'_>| {
        actor.post("/users/me/deletion", json!({ "password": crate::support::app::PASSWORD })).await.ok()
    };
    let erased = erase(&bob).await;
    assert_eq!((&erased["kept"], &erased["anonymised"]["patients"]), (&json!([]), &json!(0)));
    assert_eq!((&erased["erased"]["vaccine_requests"], &erased["erased"]["immunizations"]), (&json!(1), &json!(1)));
    clinic.recount().await;
    let erased = erase(&ada).await;
    assert_eq!(erased["kept"].as_array().unwrap().len(), 3, "{erased}");
    let kept = &erased["anonymised"];
    assert_eq!(
        (&kept["patients"], &kept["vaccine_requests"], &kept["immunizations"]),
        (&json!(1), &json!(1), &json!(2))
    );
    clinic.recount().await;
    let patient = clinic.admin.get(&format!("/patients/{}", dose["patient_id"].as_str().unwrap())).await.ok();
    assert_eq!(
        (&patient["name"], &patient["user_id"], &patient["birth_month"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(patient["birth_year"], 1985);
    let left = clinic.admin.get(&format!("/vaccine-requests/{request}")).await.ok();
    for member in ["user_id", "note", "reason", "code", "identified_by", "answers", "invitation_id"] {
        assert_eq!(left[member], Value::Null, "{member}");
    }
    assert_eq!((&left["status"], &left["slot"]["centre_id"]), (&json!("administered"), &json!(clinic.centre)));
    let listed = clinic.admin.get(&format!("/lots/{lot}/immunizations")).await.ok();
    let listed = listed["items"].as_array().unwrap();
    assert_eq!((listed.len(), &listed[0]["id"], &listed[0]["counts"]), (1, &dose["id"], &json!(true)));
    // Nothing in the database has the name.
    for table in ["patients", "vaccine_requests", "immunizations", "patient_words", "idempotency_keys"] {
        let rows = app.state().db.query_all_raw(sea_orm::Statement::from_string(
            app.state().db.get_database_backend(),
            format!("SELECT 1 FROM {table} WHERE {} LIKE '%Lovelace%'", text_of(table)),
        ));
        assert_eq!(rows.await.unwrap().len(), 0, "{table}");
    }
    // The mistake of a vaccinator can still be undone: the request is cancelled.
    undo(&clinic.admin, &dose["id"]).await.ok();
    let left = clinic.admin.get(&format!("/vaccine-requests/{request}")).await.ok();
    assert_eq!((&left["status"], &left["slot"]), (&json!("cancelled"), &Value::Null));
    clinic.recount().await;
}

/// All text of a row of a table in which a name could be.
fn text_of(table: &str) -> &'static str {
    match table {
        "patients" => "COALESCE(name, '') || COALESCE(given_name, '') || COALESCE(family_name, '')",
        "vaccine_requests" => "COALESCE(note, '') || COALESCE(reason, '') || COALESCE(identified_by, '')",
        "immunizations" => "COALESCE(override_reason, '')",
        "patient_words" => "word",
        _ => "COALESCE(body, '')",
    }
}

/// Dose 1 on 29 May, 28 days: a booking for 25 June is refused with the earliest day, the 26th works.
#[tokio::test]
async fn a_second_dose_is_booked_from_the_28th_day_on() {
    let app = TestApp::start(BACKEND).await;
    let year = chrono::Datelike::year(&app.clock.now()) + 1;
    let may = NaiveDate::from_ymd_opt(year, 5, 29).unwrap().and_hms_opt(8, 0, 0).unwrap().and_utc();
    app.clock.advance(may - app.clock.now());
    let clinic = Clinic::open(&app).await;
    put_schedule(&clinic, "FLU", &two_doses()).await;
    let (ada, request) = clinic.booked().await;
    let lot = clinic.lot("FLU", 5).await;
    clinic.give(&request, &lot).await.ok();
    let second = ada.ask_for("FLU").await;
    clinic.admin.post_empty(&format!("/vaccine-requests/{second}/approve")).await.ok();
    let slot_on = async |day: u32| {
        let start = NaiveDate::from_ymd_opt(year, 6, day).unwrap().and_hms_opt(9, 0, 0).unwrap().and_utc();
        clinic.slot_at(start, 1).await
    };
    let refused = book(&ada, &second, &slot_on(25).await).await.problem(409, "not-eligible");
    assert_eq!(refused["eligibility"]["earliest_on"], json!(format!("{year}-06-26")));
    book(&ada, &second, &slot_on(26).await).await.ok();
}

/// Too early elsewhere, then again in time: both are kept, the first does not count.
#[tokio::test]
async fn a_dose_that_was_too_early_elsewhere_is_given_again() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    put_schedule(&clinic, "FLU", &two_doses()).await;
    let ada = app.patient().await;
    let flu = app.vaccine("FLU").await;
    let mut numbers = Vec::new();
    for day in ["2024-01-01", "2024-01-15", "2024-02-15"] {
        let reported = ada.post("/immunizations", json!({ "vaccine_id": flu, "administered_on": day })).await.created();
        numbers.push((reported["counts"].clone(), reported["dose_number"].clone(), reported["rule"].clone()));
    }
    let expected = [(json!(true), json!(1)), (json!(false), Value::Null), (json!(true), json!(2))];
    for ((counts, number, _), expected) in numbers.iter().zip(&expected) {
        assert_eq!((counts, number), (&expected.0, &expected.1));
    }
    assert_eq!(numbers[1].2, "interval");
    assert_eq!(ada.get("/immunizations").await.ok()["items"].as_array().unwrap().len(), 3);
}

/// Born on 31 March, due at nine months: 31 December. Born on 29 February, at twelve months: not on 28 February, on 1 March.
#[tokio::test]
async fn months_are_added_as_cdc_does() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    for (months, born, no, yes) in [
        (9, "2025-03-31", "2025-12-30", "2025-12-31"),
        (12, "2024-02-29", "2025-02-28", "2025-03-01"),
        (6, "2024-10-31", "2025-04-30", "2025-05-01"),
    ] {
        let code = format!("M{months}");
        let body = json!({ "code": code, "name": code, "manufacturer": "M", "doses": 1, "min_age_months": months });
        let vaccine = clinic.admin.post("/vaccines", body).await.created()["id"].clone();
        let child = app.patient().await;
        child.patch("/users/me", json!({ "birth_date": born })).await.ok();
        for (on, verdict) in [(no, "not_eligible"), (yes, "eligible")] {
            let body = json!({ "vaccine_id": vaccine, "on": on });
            let answer = child.post("/vaccine-requests/eligibility", body).await.ok();
            assert_eq!((&answer["verdict"], &answer["earliest_on"]), (&json!(verdict), &json!(yes)), "{months} {on}");
        }
    }
}

/// A live vaccine yesterday: staff cannot call that grace, and the dose is stored with the rule that it breaks.
#[tokio::test]
async fn a_conflict_is_a_grace_only_if_the_dose_counts() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let mut schedule = json!({ "series": [{ "name": "1 dose", "doses": [{}] }] });
    schedule["conflicts"] = json!([{ "with": ["MMR"], "absolute": "24 days", "minimum": "28 days" }]);
    put_schedule(&clinic, "FLU", &schedule).await;
    let lot = clinic.lot("FLU", 5).await;
    for (days, outcome, counts) in [(1, "failed", false), (25, "grace", true)] {
        let (ada, request) = clinic.booked_at(days).await;
        let mmr = app.vaccine("MMR").await;
        let body = json!({ "vaccine_id": mmr, "administered_on": today(&app) - Duration::days(days) });
        ada.post("/immunizations", body).await.created();
        let refused = clinic.give(&request, &lot).await.problem(409, "not-eligible");
        assert_eq!(rule(&refused["eligibility"], "conflict")["outcome"], outcome);
        let body = json!({ "lot_id": lot, "override_reason": "An outbreak." });
        let dose = administer(&clinic.admin, &request, body).await.ok()["immunization"].clone();
        assert_eq!((&dose["counts"], &dose["rule"]), (&json!(counts), &json!("conflict")), "{days}");
    }
}

/// A combination is a product of each course for which it counts.
#[tokio::test]
async fn a_lot_of_a_combination_is_used_for_its_second_course() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let mmr = app.get(&format!("/api/v1/vaccines/{}", app.vaccine("MMR").await)).await.ok()["course_id"].clone();
    let body = json!({
        "code": "MMRV", "name": "MMRV", "manufacturer": "M", "doses": 2, "course_id": mmr, "cvx_code": "94",
        "also_counts_for": ["FLU"],
    });
    let mmrv = clinic.admin.post("/vaccines", body).await.created()["id"].clone();
    put_schedule(&clinic, "FLU", &two_doses()).await;
    let lot = json!({ "vaccine_id": mmrv, "lot_number": "C1", "expires_on": "2099-01-01" });
    let lot = clinic.admin.post(&format!("/centres/{}/lots", clinic.centre), lot).await.created()["id"].clone();
    let (ada, request) = clinic.booked().await;
    let given = clinic.give(&request, lot.as_str().unwrap()).await.ok();
    assert_eq!((&given["immunization"]["course_id"], &given["next_dose"]["dose_number"]), (&mmr, &json!(2)));
    let history =
        ada.post("/vaccine-requests/eligibility", json!({ "vaccine_id": app.vaccine("FLU").await })).await.ok();
    assert_eq!(history["history"][0]["dose_number"], 1);
    // A later dose of the other course counts: the combination is not undone.
    let later = json!({ "vaccine_id": app.vaccine("FLU").await, "administered_on": today(&app) + Duration::days(40) });
    app.clock.advance(Duration::days(40));
    let ada = ada.on_another_device().await;
    assert_eq!(ada.post("/immunizations", later).await.created()["dose_number"], 2);
    let admin = clinic.admin.on_another_device().await;
    undo(&admin, &given["immunization"]["id"]).await.problem(409, "later-dose");
}

/// Answers and identification are of the day on which they were given.
#[tokio::test]
async fn a_check_in_ends_with_the_day() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let mut schedule = json!({ "series": [{ "name": "1 dose", "doses": [{}] }] });
    schedule["questions"] = json!([{ "id": "fever", "text": "Do you have a fever?", "yes": "ask_staff" }]);
    put_schedule(&clinic, "FLU", &schedule).await;
    let (_, request) = clinic.booked_at(24 * 3).await;
    let lot = clinic.lot("FLU", 5).await;
    let person = json!({ "given_name": "A", "family_name": "B" });
    let walk_in = json!({ "person": person, "vaccine_id": app.vaccine("FLU").await, "answers": { "fever": false } });
    let came = clinic.admin.post(&format!("/centres/{}/walk-ins", clinic.centre), walk_in).await.created();
    let body = json!({ "identified_by": "passport", "answers": { "fever": false } });
    check_in(&clinic.admin, &request, body.clone()).await.ok();
    app.clock.advance(Duration::days(3));
    let clinic = Clinic { admin: clinic.admin.on_another_device().await, ..clinic };
    clinic.give(came["id"].as_str().unwrap(), &lot).await.problem(409, "request-status");
    let refused = clinic.give(&request, &lot).await.problem(409, "not-eligible");
    assert_eq!(rule(&refused["eligibility"], "question")["outcome"], "failed");
    check_in(&clinic.admin, &request, body).await.ok();
    clinic.give(&request, &lot).await.ok();
    // Somebody who left, and comes again.
    let again = json!({
        "patient_id": came["patient"]["id"], "vaccine_id": app.vaccine("FLU").await, "answers": { "fever": false },
    });
    let again = clinic.admin.post(&format!("/centres/{}/walk-ins", clinic.centre), again).await.created();
    assert_eq!(again["id"], came["id"]);
    clinic.give(came["id"].as_str().unwrap(), &lot).await.ok();
}

/// Somebody who came without a booking waits for a place, too: the dose ends that.
#[tokio::test]
async fn a_dose_ends_the_place_on_the_waitlist() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (ada, request) = clinic.approved().await;
    let patient = ada.get("/patients").await.ok()["items"][0]["id"].clone();
    let body = json!({ "patient_id": patient, "vaccine_id": app.vaccine("FLU").await });
    clinic.admin.post(&format!("/centres/{}/walk-ins", clinic.centre), body).await.created();
    ada.post(&format!("/vaccine-requests/{request}/wait"), json!({})).await.is(201);
    let slot = clinic.slot(5, 1).await;
    assert_eq!(clinic.free(&slot).await, 0, "the place is held for her");
    let lot = clinic.lot("FLU", 1).await;
    let given = clinic.give(&request, &lot).await.ok();
    assert_eq!(given["waitlist"]["status"], "left");
    assert_eq!(clinic.free(&slot).await, 1);
    clinic.recount().await;
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
    // Nobody was asked: no reason helps.
    let body = json!({ "lot_id": lot, "override_reason": "There was no time." });
    let refused = administer(&clinic.admin, &request, body).await.problem(409, "not-eligible");
    assert_eq!(rule(&refused["eligibility"], "question")["outcome"], "failed");
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
    let arrival = clinic.admin.get(&format!("/centres/{}/arrivals/{code}", clinic.centre)).await.ok();
    assert_eq!(rule(&arrival["eligibility"], "question")["outcome"], "unknown");
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
    // What staff have seen the evidence of, only they withdraw.
    undo(&ada.on_another_device().await, &verified["id"]).await.problem(403, "forbidden");
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
