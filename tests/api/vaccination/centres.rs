//! Centres, their staff, and calendars of slots.

use chrono::Duration;
use serde_json::{Value, json};
use uuid::Uuid;

use super::clinic::add_centre;
use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::TestApp;

/// A calendar of every day around the clock change of Berlin in March 2027.
async fn calendar(app: &TestApp, changes: Value) -> Value {
    let mut body = json!({
        "vaccine_id": app.vaccine("FLU").await,
        "from": "2027-03-25", "to": "2027-04-02",
        "weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
        "opens": "08:00", "closes": "12:00", "slot_minutes": 60, "capacity": 3,
    });
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

async fn local_starts(app: &TestApp, centre: &str, from: &str, days: u32) -> Vec<String> {
    let path = format!("/api/v1/centres/{centre}/slots?from={from}&days={days}&limit=100");
    let slots = app.get(&path).await.ok();
    slots["items"].as_array().unwrap().iter().map(|slot| slot["local_start"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn centres_are_written_by_admins_and_read_by_anyone() {
    let app = TestApp::start(BACKEND).await;
    let (admin, staff) = (app.admin().await, app.staff().await);
    let body = json!({
        "name": "Town hall", "address": "1 Market Square", "city": "Berlin", "postal_code": "10115",
        "time_zone": "europe/BERLIN", "latitude": 52.52, "longitude": 13, "phone_number": "+49 30 123456",
    });
    staff.post("/centres", body.clone()).await.problem(403, "forbidden");
    let centre = admin.post("/centres", body.clone()).await.created();
    assert_eq!((&centre["time_zone"], &centre["longitude"]), (&json!("Europe/Berlin"), &json!(13.0)));
    let path = format!("/centres/{}", centre["id"].as_str().unwrap());
    assert_eq!(app.get(&format!("/api/v1{path}")).await.ok(), centre);
    for (member, value, code) in [
        ("time_zone", json!("Mars/Olympus"), "time_zone"),
        ("time_zone", json!("Factory"), "time_zone"),
        ("time_zone", json!("Etc/Unknown"), "time_zone"),
        ("latitude", json!(90.5), "range"),
        ("latitude", json!("north"), "type"),
        ("longitude", json!(null), "coordinates"),
        ("name", json!(" "), "blank"),
    ] {
        let mut wrong = body.clone();
        wrong[member] = value;
        admin.post("/centres", wrong).await.violates(&[(member, code)]);
    }
    admin.patch(&path, json!({ "latitude": null })).await.violates(&[("longitude", "coordinates")]);
    let changed = admin.patch(&path, json!({ "latitude": null, "longitude": null, "name": "Library" })).await.ok();
    assert_eq!((&changed["name"], &changed["latitude"]), (&json!("Library"), &Value::Null));
    assert_eq!(app.get("/api/v1/centres?active=true").await.ok()["items"], json!([changed]));
    admin.patch(&format!("/centres/{}", Uuid::now_v7()), json!({})).await.problem(404, "not-found");
}

#[tokio::test]
async fn the_time_zone_cannot_change_while_there_are_future_slots() {
    let app = TestApp::start(BACKEND).await;
    let admin = app.admin().await;
    let centre = add_centre(&admin, "Europe/Berlin").await;
    let path = format!("/centres/{centre}");
    admin.patch(&path, json!({ "time_zone": "Europe/Paris" })).await.ok();
    let start = app.clock.now() + Duration::hours(2);
    let slot = json!({
        "vaccine_id": app.vaccine("FLU").await, "starts_at": start, "ends_at": start + Duration::hours(1), "capacity": 1,
    });
    admin.post(&format!("{path}/slots"), slot.clone()).await.created();
    admin.post(&format!("{path}/slots"), slot).await.problem(409, "slot-exists");
    admin.patch(&path, json!({ "time_zone": "Europe/Berlin" })).await.problem(409, "centre-has-slots");
    admin.patch(&path, json!({ "time_zone": "Europe/Paris", "name": "Same zone" })).await.ok();
    app.clock.advance(Duration::hours(3));
    admin.on_another_device().await.patch(&path, json!({ "time_zone": "Europe/Berlin" })).await.ok();
}

#[tokio::test]
async fn staff_act_only_in_their_centres_until_they_lose_the_role() {
    let app = TestApp::start(BACKEND).await;
    let (admin, staff, patient) = (app.admin().await, app.staff().await, app.patient().await);
    let (own, other) = (add_centre(&admin, "UTC").await, add_centre(&admin, "UTC").await);
    let assign = |centre: &str, user: Uuid| format!("/centres/{centre}/staff/{user}");
    staff.put_empty(&assign(&own, staff.id)).await.problem(403, "forbidden");
    admin.put_empty(&assign(&own, patient.id)).await.problem(409, "not-staff");
    admin.put_empty(&assign(&own, Uuid::now_v7())).await.problem(404, "not-found");
    for _ in 0..2 {
        admin.put_empty(&assign(&own, staff.id)).await.no_content();
    }
    let listed = admin.get(&format!("/centres/{own}/staff")).await.ok();
    assert_eq!(listed["items"][0]["user_id"], staff.id.to_string());
    let body = calendar(&app, json!({ "dry_run": true })).await;
    let add =
        async |actor: &Actor<'_>, centre: &str| actor.post(&format!("/centres/{centre}/calendar"), body.clone()).await;
    add(&staff, &own).await.ok();
    add(&staff, &other).await.problem(404, "not-found");
    add(&patient, &own).await.problem(403, "forbidden");
    admin.patch(&format!("/users/{}", staff.id), json!({ "role": "patient" })).await.ok();
    admin.patch(&format!("/users/{}", staff.id), json!({ "role": "staff" })).await.ok();
    add(&staff.on_another_device().await, &own).await.problem(404, "not-found");
    admin.delete(&assign(&own, staff.id)).await.problem(404, "not-found");
}

#[tokio::test]
async fn a_calendar_keeps_local_times_over_a_clock_change_and_can_be_sent_twice() {
    let app = TestApp::start(BACKEND).await;
    let admin = app.admin().await;
    let centre = add_centre(&admin, "Europe/Berlin").await;
    let path = format!("/centres/{centre}/calendar");
    let body = calendar(&app, json!({ "closed_days": ["2027-03-29"] })).await;
    let dry = admin.post(&path, calendar(&app, json!({ "dry_run": true })).await).await.ok();
    assert_eq!((&dry["created"], local_starts(&app, &centre, "2027-03-25", 9).await.len()), (&json!(36), 0));
    let report = admin.post(&path, body.clone()).await.ok();
    assert_eq!((&report["created"], &report["existing"]), (&json!(32), &json!(0)));
    assert_eq!(report["skipped"], json!([{ "local": "2027-03-29", "why": "closed_day" }]));
    assert_eq!(report["first"], "2027-03-25T07:00:00Z");
    let starts = local_starts(&app, &centre, "2027-03-25", 9).await;
    assert_eq!(starts.len(), 32);
    assert!(starts.iter().step_by(4).all(|start| start.contains("T08:00:00+0")), "{starts:?}");
    let again = admin.post(&path, body.clone()).await.ok();
    assert_eq!((&again["created"], &again["existing"], &again["reopened"]), (&json!(0), &json!(32), &json!(0)));
    let day = json!({ "date": "2027-03-28" });
    assert_eq!(admin.post(&format!("/centres/{centre}/close-day"), day).await.ok()["closed"], 4);
    assert_eq!(local_starts(&app, &centre, "2027-03-28", 1).await.len(), 0);
    assert_eq!(admin.post(&path, body).await.ok()["reopened"], 4);
    assert_eq!(local_starts(&app, &centre, "2027-03-28", 1).await.len(), 4);
}

#[tokio::test]
async fn one_calendar_covers_both_clock_changes() {
    let app = TestApp::start(BACKEND).await;
    let admin = app.admin().await;
    let centre = add_centre(&admin, "Europe/Berlin").await;
    let path = format!("/centres/{centre}/calendar");
    let year = json!({ "from": "2027-03-01", "to": "2027-11-30", "closes": "09:00" });
    assert_eq!(admin.post(&path, calendar(&app, year).await).await.ok()["created"], 275);
    for (from, offset) in
        [("2027-03-27", "+01:00"), ("2027-03-28", "+02:00"), ("2027-10-30", "+02:00"), ("2027-10-31", "+01:00")]
    {
        let starts = local_starts(&app, &centre, from, 1).await;
        assert_eq!(starts, [format!("{from}T08:00:00{offset}")]);
    }
    for (date, opens, slots, warnings) in [
        ("2027-03-28", "01:00", 2, 0),
        ("2027-10-31", "01:00", 4, 0),
        ("2027-06-01", "01:00", 3, 0),
        ("2027-03-28", "02:30", 1, 1),
    ] {
        let day = json!({ "from": date, "to": date, "opens": opens, "closes": "04:00", "dry_run": true });
        let report = admin.post(&path, calendar(&app, day).await).await.ok();
        let warned = report["warnings"].as_array().unwrap().len();
        assert_eq!((&report["created"], warned), (&json!(slots), warnings), "{date} {opens} {report}");
    }
    let never = json!({ "from": "2027-06-01", "to": "2027-06-01", "weekdays": ["sunday"] });
    let report = admin.post(&path, calendar(&app, never).await).await.ok();
    assert_eq!((&report["created"], report["warnings"].as_array().unwrap().len()), (&json!(0), 1));
}

#[tokio::test]
async fn an_inactive_centre_gets_no_slots() {
    let app = TestApp::start(BACKEND).await;
    let admin = app.admin().await;
    let centre = add_centre(&admin, "UTC").await;
    admin.patch(&format!("/centres/{centre}"), json!({ "active": false })).await.ok();
    let body = calendar(&app, json!({})).await;
    admin.post(&format!("/centres/{centre}/calendar"), body).await.problem(409, "centre-inactive");
    admin.patch(&format!("/centres/{centre}"), json!({ "active": true })).await.ok();
}

#[tokio::test]
async fn slots_are_listed_in_pages_by_time() {
    let app = TestApp::start(BACKEND).await;
    let admin = app.admin().await;
    let centre = add_centre(&admin, "Asia/Kathmandu").await;
    admin.post(&format!("/centres/{centre}/calendar"), calendar(&app, json!({})).await).await.ok();
    let all = local_starts(&app, &centre, "2027-03-25", 2).await;
    assert_eq!((all.len(), all[0].as_str()), (8, "2027-03-25T08:00:00+05:45"));
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/centres/{centre}/slots?from=2027-03-25&days=2&limit=3{cursor}");
        let page = app.get(&path).await.ok();
        paged.extend(
            page["items"].as_array().unwrap().iter().map(|slot| slot["local_start"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, all);
    let count = async |query: String| {
        let page = app.get(&format!("/api/v1/centres/{centre}/slots?from=2027-03-25&days=2{query}")).await.ok();
        page["items"].as_array().unwrap().len()
    };
    let (flu, mmr) = (app.vaccine("FLU").await, app.vaccine("MMR").await);
    assert_eq!((count(format!("&vaccine_id={flu}")).await, count(format!("&vaccine_id={mmr}")).await), (8, 0));
    for (query, field, code) in [
        ("days=32", "days", "range"),
        ("from=2027-02-30", "from", "type"),
        ("cursor=x", "cursor", "cursor"),
        // A time hundreds of thousands of years ago.
        ("cursor=kPpKYsTgAAAAAAAAAAAAAAAAAAAAAAAA", "cursor", "cursor"),
    ] {
        app.get(&format!("/api/v1/centres/{centre}/slots?{query}")).await.violates(&[(field, code)]);
    }
    app.get(&format!("/api/v1/centres/{}/slots", Uuid::now_v7())).await.problem(404, "not-found");
}

#[tokio::test]
async fn a_calendar_that_makes_no_sense_is_refused_by_field() {
    let app = TestApp::start(BACKEND).await;
    let admin = app.admin().await;
    let centre = add_centre(&admin, "Europe/Berlin").await;
    let path = format!("/centres/{centre}/calendar");
    for (changes, field, code) in [
        (json!({ "from": "2020-01-01" }), "from", "past"),
        (json!({ "to": "2027-03-01" }), "to", "order"),
        (json!({ "to": "2028-06-01" }), "to", "range"),
        (json!({ "closes": "08:00" }), "closes", "order"),
        (json!({ "opens": "25:00" }), "opens", "time_of_day"),
        (json!({ "slot_minutes": 0 }), "slot_minutes", "range"),
        (json!({ "slot_minutes": -30 }), "slot_minutes", "range"),
        (json!({ "capacity": 100_001 }), "capacity", "range"),
        (json!({ "weekdays": [] }), "weekdays", "items"),
        (json!({ "weekdays": ["someday"] }), "weekdays[0]", "type"),
        (json!({ "breaks": [{ "from": "10:00", "to": "09:00" }] }), "breaks.to", "order"),
        (json!({ "closed_days": ["2027-02-29"] }), "closed_days[0]", "type"),
        (json!({ "vaccine_id": Uuid::now_v7() }), "vaccine_id", "unknown"),
        (
            json!({ "to": "2028-04-01", "opens": "00:00", "closes": "24:00", "slot_minutes": 5 }),
            "slot_minutes",
            "range",
        ),
    ] {
        admin.post(&path, calendar(&app, changes.clone()).await).await.violates(&[(field, code)]);
    }
    assert_eq!(local_starts(&app, &centre, "2027-03-25", 9).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_slot_has_times_of_microseconds_and_its_creation_can_be_repeated_late() {
    let app = TestApp::start(BACKEND).await;
    let admin = app.admin().await;
    let path = format!("/centres/{}/slots", add_centre(&admin, "UTC").await);
    let start = app.clock.now() + Duration::minutes(5);
    let slot = |start: &str, end: &str| json!({ "vaccine_id": Uuid::nil(), "starts_at": start, "ends_at": end, "capacity": 1 });
    admin
        .post(&path, slot("2027-12-01T08:00:00.0000001Z", "2027-12-01T08:00:00.0000002Z"))
        .await
        .violates(&[("ends_at", "order")]);
    let body = json!({
        "vaccine_id": app.vaccine("FLU").await, "starts_at": start, "ends_at": start + Duration::minutes(5), "capacity": 1,
    });
    for (changes, field, code) in [
        (json!({ "starts_at": start - Duration::hours(1) }), "starts_at", "past"),
        (
            json!({ "starts_at": start + Duration::days(801), "ends_at": start + Duration::days(802) }),
            "starts_at",
            "range",
        ),
        (json!({ "ends_at": start + Duration::hours(25) }), "ends_at", "range"),
        (json!({ "capacity": -1 }), "capacity", "range"),
        (json!({ "capacity": 1e300 }), "capacity", "type"),
    ] {
        let mut wrong = body.clone();
        changes.as_object().unwrap().iter().for_each(|(name, value)| wrong[name] = value.clone());
        admin.post(&path, wrong).await.violates(&[(field, code)]);
    }
    let send = async |actor: &Actor<'_>| {
        app.send(actor.request(reqwest::Method::POST, &path).header("idempotency-key", "late").json(&body)).await
    };
    let created = send(&admin).await;
    created.created();
    app.clock.advance(Duration::minutes(10));
    let again = send(&admin.on_another_device().await).await;
    assert_eq!((again.created(), again.header("idempotency-replayed")), (created.json(), "true"));
}
