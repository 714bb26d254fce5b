//! Search for centres with places for a course.

use std::collections::BTreeSet;

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::availability::course_of;
use super::clinic::{Clinic, add_centre};
use crate::BACKEND;
use crate::support::app::TestApp;

/// A centre with coordinates, and its only slot, which starts in some hours.
async fn centre_with_slot(clinic: &Clinic<'_>, name: &str, longitude: Option<f64>, hours: i64) -> (String, String) {
    let latitude = longitude.map(|_| 52.0);
    let body = json!({
        "name": name, "address": "1 Market Square", "time_zone": "Europe/Berlin",
        "latitude": latitude, "longitude": longitude,
    });
    let centre = clinic.admin.post("/centres", body).await.created()["id"].as_str().unwrap().to_owned();
    let clinic = Clinic { app: clinic.app, admin: clinic.admin.on_another_device().await, centre };
    let slot = clinic.slot(hours, 2).await;
    (clinic.centre, slot)
}

#[tokio::test]
async fn centres_are_found_by_the_next_place_or_by_distance() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (far, far_slot) = centre_with_slot(&clinic, "Far", Some(20.0), 24).await;
    let (near, near_slot) = centre_with_slot(&clinic, "Near", Some(13.0), 48).await;
    let (nowhere, _) = centre_with_slot(&clinic, "Nowhere", None, 36).await;
    let (full, full_slot) = centre_with_slot(&clinic, "Full", Some(14.0), 12).await;
    clinic.admin.patch(&format!("/slots/{full_slot}"), json!({ "capacity": 0 })).await.ok();
    let (closed, _) = centre_with_slot(&clinic, "Closed", Some(13.0), 24).await;
    clinic.admin.patch(&format!("/centres/{closed}"), json!({ "active": false })).await.ok();
    let (_, invited) = centre_with_slot(&clinic, "Invited", Some(13.0), 24).await;
    clinic.admin.patch(&format!("/slots/{invited}"), json!({ "invited_only": true })).await.ok();
    centre_with_slot(&clinic, "Later", Some(13.0), 24 * 9).await;
    let course = course_of(&app, "FLU").await;
    let found = async |query: &str| {
        let found = app.get(&format!("/api/v1/slots?course_id={course}{query}")).await.ok();
        let centres = found["items"].as_array().unwrap().iter();
        (centres.map(|found| found["centre"]["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>(), found.clone())
    };
    let (centres, page) = found("").await;
    assert_eq!(centres, [&far, &nowhere, &near, &full].map(String::clone));
    assert_eq!((&page["items"][0]["next_slot"]["id"], &page["items"][0]["free"]), (&json!(far_slot), &json!(2)));
    assert_eq!((&page["items"][3]["next_slot"], &page["items"][3]["free"]), (&Value::Null, &json!(0)));
    assert_eq!(page["items"][0]["distance_km"], Value::Null);
    let (centres, page) = found("&near=52,13").await;
    assert_eq!(centres, [&near, &full, &far, &nowhere].map(String::clone));
    let slot = app.get(&format!("/api/v1/slots/{near_slot}")).await.ok();
    assert_eq!((&page["items"][0]["distance_km"], &page["items"][0]["next_slot"]), (&json!(0.0), &slot));
    let kilometres = page["items"][1]["distance_km"].as_f64().unwrap();
    assert!((68.0..69.0).contains(&kilometres), "{kilometres}");
    assert_eq!(page["items"][3]["distance_km"], Value::Null);
    assert_eq!(found("&limit=2").await.0, [&far, &nowhere].map(String::clone));
    assert_eq!(found("&days=10").await.0.len(), 5);
    assert_eq!(found("&from=1999-01-01").await.0, Vec::<String>::new());
    let mmr = course_of(&app, "MMR").await;
    assert_eq!(app.get(&format!("/api/v1/slots?course_id={mmr}")).await.ok()["items"], json!([]));
}

#[tokio::test]
async fn each_centre_of_a_search_has_the_days_of_its_time_zone() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let day = app.clock.now().date_naive() + chrono::Days::new(10);
    // Nine o'clock on that day in the zone of each centre, and the same time on the day after.
    let mut expected = BTreeSet::new();
    for (zone, east) in [("Pacific/Kiritimati", 14), ("Asia/Tokyo", 9), ("UTC", 0), ("Pacific/Honolulu", -10)] {
        let centre = add_centre(&clinic.admin, zone).await;
        let clinic = Clinic { app: &app, admin: clinic.admin.on_another_device().await, centre };
        let nine = day.and_hms_opt(9, 0, 0).unwrap().and_utc() - Duration::hours(east);
        let slot = clinic.slot_at(nine, 1).await;
        clinic.slot_at(nine + Duration::days(1), 10).await;
        expected.insert((clinic.centre, slot));
    }
    let course = course_of(&app, "FLU").await;
    let found = app.get(&format!("/api/v1/slots?course_id={course}&from={day}&days=1")).await.ok();
    let mut places = BTreeSet::new();
    for item in found["items"].as_array().unwrap() {
        assert_eq!(item["free"], 1, "{item}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        places.insert((text(&item["centre"]["id"]), text(&item["next_slot"]["id"])));
    }
    assert_eq!(places, expected);
}

#[tokio::test]
async fn a_search_has_a_tag_and_wrong_parameters_are_named() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    clinic.slot(48, 2).await;
    let course = course_of(&app, "FLU").await;
    let path = format!("/api/v1/slots?course_id={course}");
    let found = app.get(&path).await;
    let tag = found.header("etag");
    let known = app.send(app.request(Method::GET, &path).header("if-none-match", tag)).await;
    assert_eq!((known.is(304).header("etag"), known.header("cache-control")), (tag, "public, max-age=1"));
    let unknown = Uuid::now_v7();
    app.get("/api/v1/slots").await.violates(&[("course_id", "required")]);
    for _ in 0..2 {
        app.get(&format!("/api/v1/slots?course_id={unknown}")).await.violates(&[("course_id", "unknown")]);
    }
    for (query, field, code) in [
        ("near=52", "near", "coordinates"),
        ("near=north,east", "near", "coordinates"),
        ("near=90.1,0", "near", "range"),
        ("near=0,-181", "near", "range"),
        ("days=0", "days", "range"),
        ("limit=101", "limit", "range"),
        ("from=tomorrow", "from", "type"),
        ("far=1,1", "far", "unknown"),
    ] {
        app.get(&format!("{path}&{query}")).await.violates(&[(field, code)]);
    }
}
