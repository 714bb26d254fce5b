//! The list of a day at a centre, and looking up a booking by its code.

use chrono::{Duration, NaiveDate};
use serde_json::{Value, json};

use super::clinic::{Clinic, book};
use crate::BACKEND;
use crate::support::app::TestApp;

async fn day(clinic: &Clinic<'_>, query: &str) -> Value {
    clinic.admin.get(&format!("/centres/{}/day{query}", clinic.centre)).await.ok()
}

fn local_date(app: &TestApp) -> NaiveDate {
    app.clock.now().date_naive()
}

/// Hours until noon of tomorrow in London in winter, so that slots near it are on one day.
fn until_noon(app: &TestApp) -> i64 {
    let noon = (local_date(app) + Duration::days(1)).and_hms_opt(12, 0, 0).unwrap().and_utc();
    (noon - app.clock.now()).num_hours()
}

#[tokio::test]
async fn the_day_is_listed_by_time_in_pages() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let noon = until_noon(&app);
    let mut expected = Vec::new();
    for (hours, people) in [(2, 2), (0, 1), (1, 1)] {
        let slot = clinic.slot(noon + hours, 5).await;
        for _ in 0..people {
            let (patient, request) = clinic.approved().await;
            book(&patient, &request, &slot).await.ok();
            expected.push((hours, request));
        }
    }
    // Of another day.
    let slot = clinic.slot(noon + 24, 5).await;
    let (patient, request) = clinic.approved().await;
    book(&patient, &request, &slot).await.ok();
    expected.sort();
    let date = local_date(&app) + Duration::days(1);
    let mut listed = Vec::new();
    let mut query = format!("?date={date}&limit=1");
    loop {
        let page = day(&clinic, &query).await;
        for item in page["items"].as_array().unwrap() {
            listed.push(item["request_id"].as_str().unwrap().to_owned());
            assert_eq!(
                (&item["status"], &item["dose_number"], &item["course"]),
                (&json!("booked"), &json!(1), &json!("FLU"))
            );
            assert_eq!((&item["eligibility"]["verdict"], &item["superseded"]), (&json!("eligible"), &json!(false)));
            assert!(item["patient"]["name"].is_string());
            assert_eq!(item["eligibility"]["on"], json!(date));
        }
        match page["next_cursor"].as_str() {
            Some(cursor) => query = format!("?date={date}&limit=1&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(listed, expected.into_iter().map(|(_, request)| request).collect::<Vec<_>>());
    assert_eq!(day(&clinic, &format!("?date={}", date + Duration::days(7))).await["items"], json!([]));
    let events = clinic.admin.get("/audit-events?action=patient_read").await.ok();
    assert!(events["items"][0]["subject_id"].is_string(), "{events}");
    for wrong in ["?date=tomorrow", "?cursor=x", "?limit=0"] {
        assert_eq!(clinic.admin.get(&format!("/centres/{}/day{wrong}", clinic.centre)).await.status, 422, "{wrong}");
    }
}

/// A dose that was given elsewhere makes the booking pointless: the list says so, and the dose is refused.
#[tokio::test]
async fn the_list_says_if_a_recorded_dose_makes_a_booking_pointless() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (ada, request) = clinic.booked().await;
    let (_, other) = clinic.booked_at(2).await;
    let body =
        json!({ "vaccine_id": app.vaccine("FLU").await, "administered_on": local_date(&app) - Duration::days(30) });
    ada.post("/immunizations", body).await.created();
    let mut items = Vec::new();
    for date in [local_date(&app), local_date(&app) + Duration::days(1)] {
        items.extend(day(&clinic, &format!("?date={date}")).await["items"].as_array().unwrap().clone());
    }
    let of = |id: &str| items.iter().find(|item| item["request_id"] == id).unwrap().clone();
    assert_eq!((&of(&request)["superseded"], &of(&other)["superseded"]), (&json!(true), &json!(false)));
    assert_eq!(of(&request)["eligibility"]["verdict"], "not_eligible");
    let lot = clinic.lot("FLU", 5).await;
    let refused = clinic.give(&request, &lot).await.problem(409, "not-eligible");
    let rules = refused["eligibility"]["rules"].as_array().unwrap();
    assert!(rules.iter().any(|rule| rule["rule"] == "already_given" && rule["outcome"] == "failed"));
}

#[tokio::test]
async fn walk_ins_and_doses_are_in_the_list() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (_, request) = clinic.booked().await;
    let lot = clinic.lot("FLU", 5).await;
    clinic.give(&request, &lot).await.ok();
    let body = json!({ "person": { "given_name": "A", "family_name": "B" }, "vaccine_id": app.vaccine("FLU").await });
    let walk_in = clinic.admin.post(&format!("/centres/{}/walk-ins", clinic.centre), body).await.created();
    let mut items = Vec::new();
    for date in [local_date(&app), local_date(&app) + Duration::days(1)] {
        let mut query = format!("?date={date}&limit=1");
        loop {
            let page = day(&clinic, &query).await;
            items.extend(page["items"].as_array().unwrap().clone());
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            query = format!("?date={date}&limit=1&cursor={cursor}");
        }
    }
    let of = |id: &Value| items.iter().find(|item| item["request_id"] == *id).unwrap().clone();
    assert_eq!(items.len(), 2);
    let given = of(&json!(request));
    assert_eq!((&given["status"], &given["eligibility"]), (&json!("administered"), &Value::Null));
    let came = of(&walk_in["id"]);
    assert_eq!((&came["slot_id"], &came["time"]), (&Value::Null, &walk_in["checked_in_at"]));
    assert_eq!(came["eligibility"]["verdict"], "unknown");
}

#[tokio::test]
async fn a_booking_is_found_by_its_code_in_any_spelling() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (ada, request) = clinic.booked().await;
    let code = ada.get(&format!("/vaccine-requests/{request}")).await.ok()["code"].as_str().unwrap().to_owned();
    let find = async |code: &str| clinic.admin.get(&format!("/centres/{}/arrivals/{code}", clinic.centre)).await;
    let arrival = find(&code).await.ok();
    assert_eq!((&arrival["id"], &arrival["eligibility"]["verdict"]), (&json!(request), &json!("eligible")));
    assert_eq!(arrival["questions"], json!([]));
    let spelling = code.to_lowercase().replace('0', "o").replace('1', "l");
    let (one, other) = spelling.split_at(4);
    assert_eq!(find(&format!("{one}-{other}%20")).await.ok()["id"], request.as_str());
    let events = ada.get("/users/me/activity").await.ok();
    assert!(events["items"].as_array().unwrap().iter().any(|event| event["action"] == "arrival_read"));
    for wrong in ["UUUUUUUU", "1234567", "123456789", "%F0%9F%98%80"] {
        find(wrong).await.problem(404, "not-found");
    }
}

#[tokio::test]
async fn wrong_codes_are_slowed_down() {
    let changes = [("CARE4U__THROTTLE__ENABLED", "true"), ("CARE4U__THROTTLE__ARRIVAL_PER_ACCOUNT", "3")];
    let app = TestApp::start_with(BACKEND, &changes).await;
    let clinic = Clinic::open(&app).await;
    let (ada, request) = clinic.booked().await;
    let code = ada.get(&format!("/vaccine-requests/{request}")).await.ok()["code"].as_str().unwrap().to_owned();
    let find = async |code: &str| clinic.admin.get(&format!("/centres/{}/arrivals/{code}", clinic.centre)).await;
    for _ in 0..3 {
        assert_eq!(find("00000000").await.status, 404);
    }
    let refused = find(&code).await;
    refused.problem(429, "too-many-requests");
    assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0);
    app.clock.advance(Duration::minutes(2));
    let clinic = Clinic { admin: clinic.admin.on_another_device().await, ..clinic };
    clinic.admin.get(&format!("/centres/{}/arrivals/{code}", clinic.centre)).await.ok();
}
