//! Lots: added, changed, recalled, and refused by name.

use chrono::Duration;
use serde_json::{Value, json};

use super::clinic::{Clinic, add_centre};
use crate::BACKEND;
use crate::support::app::TestApp;

#[tokio::test]
async fn lots_of_a_centre_are_added_changed_and_listed() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let path = format!("/centres/{}/lots", clinic.centre);
    let body = json!({
        "vaccine_id": app.vaccine("FLU").await, "lot_number": " AB1234 ", "expires_on": "2029-06-30", "received": 10,
    });
    let created = clinic.admin.post(&path, body.clone()).await;
    let lot = created.created();
    let location = format!("/api/v1/lots/{}", lot["id"].as_str().unwrap());
    assert_eq!(
        (created.header("location"), &lot["lot_number"], &lot["left"]),
        (&*location, &json!("AB1234"), &json!(10))
    );
    clinic.admin.post(&path, body).await.problem(409, "lot-exists");
    let id = lot["id"].as_str().unwrap();
    let patch = async |body: Value| clinic.admin.patch(&format!("/lots/{id}"), body).await;
    let changed = patch(json!({ "wasted": 2, "expires_on": "2029-07-31" })).await.ok();
    assert_eq!((&changed["left"], &changed["expires_on"]), (&json!(8), &json!("2029-07-31")));
    patch(json!({ "received": 1 })).await.problem(409, "lot-below-used");
    patch(json!({ "wasted": 11 })).await.problem(409, "lot-below-used");
    assert_eq!(patch(json!({ "received": null })).await.ok()["left"], Value::Null);
    patch(json!({ "wasted": null })).await.violates(&[("wasted", "type")]);
    patch(json!({ "lot_number": "X" })).await.violates(&[("lot_number", "unknown")]);
    let wrong =
        json!({ "vaccine_id": "x", "lot_number": "123456789012345678901", "expires_on": "soon", "received": -1 });
    clinic.admin.post(&path, wrong).await.violates(&[
        ("expires_on", "type"),
        ("lot_number", "length"),
        ("received", "range"),
        ("vaccine_id", "type"),
    ]);
    let unknown = json!({ "vaccine_id": uuid::Uuid::now_v7(), "lot_number": "A", "expires_on": "2029-06-30" });
    clinic.admin.post(&path, unknown).await.violates(&[("vaccine_id", "unknown")]);
    let other = clinic.lot("MMR", 1).await;
    let ids = async |query: &str| {
        let page = clinic.admin.get(&format!("{path}{query}")).await.ok();
        page["items"].as_array().unwrap().iter().map(|lot| lot["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids("").await, [json!(other), json!(id)]);
    assert_eq!(ids(&format!("?vaccine_id={}", app.vaccine("FLU").await)).await, [json!(id)]);
    let page = clinic.admin.get(&format!("{path}?limit=1")).await.ok();
    let cursor = page["next_cursor"].as_str().unwrap();
    assert_eq!(ids(&format!("?limit=1&cursor={cursor}")).await, [json!(id)]);
    for action in ["lot_created", "lot_changed"] {
        let events = clinic.admin.get(&format!("/audit-events?action={action}")).await.ok();
        assert_ne!(events["items"], json!([]), "{action}");
    }
}

#[tokio::test]
async fn a_lot_is_refused_by_name() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (_, request) = clinic.booked().await;
    let reason = async |lot: &str| clinic.give(&request, lot).await.problem(409, "lot-refused")["reason"].clone();
    let empty = clinic.lot("FLU", 0).await;
    assert_eq!(reason(&empty).await, "empty");
    assert_eq!(reason(&clinic.lot("MMR", 5).await).await, "product");
    let recalled = clinic.lot("FLU", 5).await;
    let reply = clinic.admin.post_empty(&format!("/lots/{recalled}/recall")).await.ok();
    assert!(reply["recalled_at"].is_string());
    assert_eq!((&reply["doses"], &reply["has_more_doses"]), (&json!([]), &json!(false)));
    assert_eq!(reason(&recalled).await, "recalled");
    let elsewhere = add_centre(&clinic.admin, "Europe/London").await;
    let body = json!({ "vaccine_id": app.vaccine("FLU").await, "lot_number": "A", "expires_on": "2099-06-30" });
    let other = clinic.admin.post(&format!("/centres/{elsewhere}/lots"), body).await.created();
    assert_eq!(reason(other["id"].as_str().unwrap()).await, "other_centre");
    // Nothing was taken, and the request is as it was.
    clinic.recount().await;
    let good = clinic.lot("FLU", 1).await;
    clinic.give(&request, &good).await.ok();
}

/// A lot of another product than those that the schedule has for the dose.
#[tokio::test]
async fn a_product_that_the_schedule_does_not_allow_is_refused() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let flu = app.vaccine("FLU").await;
    let course = app.get(&format!("/api/v1/vaccines/{flu}")).await.ok()["course_id"].clone();
    let other = json!({
        "code": "FLU-2", "name": "Another one", "manufacturer": "M", "doses": 1, "course_id": course, "cvx_code": "999",
    });
    let other = clinic.admin.post("/vaccines", other).await.created()["id"].clone();
    let schedule = json!({ "series": [{ "name": "1", "doses": [{ "products": [{ "vaccine_id": flu }] }] }] });
    let path = format!("/courses/{}/schedule", course.as_str().unwrap());
    let put = clinic.admin.request(reqwest::Method::PUT, &path).header("If-Match", "\"0\"").json(&schedule);
    app.send(put).await.ok();
    let (_, request) = clinic.booked().await;
    let body = json!({ "vaccine_id": other, "lot_number": "A", "expires_on": "2099-06-30" });
    let lot = clinic.admin.post(&format!("/centres/{}/lots", clinic.centre), body).await.created();
    let refused = clinic.give(&request, lot["id"].as_str().unwrap()).await.problem(409, "lot-refused");
    assert_eq!(refused["reason"], "product");
    let right = clinic.lot("FLU", 1).await;
    clinic.give(&request, &right).await.ok();
}

/// The last day is one of the centre, and is still good: in Kiritimati it is the next day already.
#[tokio::test]
async fn a_lot_expires_at_the_end_of_its_day_at_the_centre() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let today = app.clock.now().date_naive();
    for (zone, offset) in [("Pacific/Kiritimati", 14), ("Pacific/Pago_Pago", -11)] {
        let local = (app.clock.now() + Duration::hours(offset)).date_naive();
        let centre = add_centre(&clinic.admin, zone).await;
        let at = Clinic { centre, admin: clinic.admin.on_another_device().await, app: &app };
        for (days, is_good) in [(-1, false), (0, true)] {
            let (_, request) = at.booked().await;
            let expires_on = local + Duration::days(days);
            let body = json!({
                "vaccine_id": app.vaccine("FLU").await, "lot_number": format!("{days}"), "expires_on": expires_on,
            });
            let lot = at.admin.post(&format!("/centres/{}/lots", at.centre), body).await.created();
            let answer = at.give(&request, lot["id"].as_str().unwrap()).await;
            if is_good {
                assert_eq!(answer.ok()["immunization"]["administered_on"], json!(local), "{zone} {today}");
            } else {
                assert_eq!(answer.problem(409, "lot-refused")["reason"], "expired", "{zone} {today}");
            }
            app.clock.advance(Duration::seconds(1));
        }
    }
}

#[tokio::test]
async fn a_recall_lists_the_doses() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let lot = clinic.lot("FLU", 5).await;
    let mut doses = Vec::new();
    for hours in [1, 2] {
        let (_, request) = clinic.booked_at(hours).await;
        doses.push(clinic.give(&request, &lot).await.ok()["immunization"]["id"].clone());
    }
    let recalled = clinic.admin.post_empty(&format!("/lots/{lot}/recall")).await.ok();
    let listed: Vec<_> = recalled["doses"].as_array().unwrap().iter().map(|dose| dose["id"].clone()).collect();
    assert_eq!(listed, doses);
    let again = clinic.admin.post_empty(&format!("/lots/{lot}/recall")).await.ok();
    assert_eq!(again["recalled_at"], recalled["recalled_at"]);
    let events = clinic.admin.get("/audit-events?action=lot_recalled").await.ok();
    assert_eq!(events["items"].as_array().unwrap().len(), 1);
    let page = clinic.admin.get(&format!("/lots/{lot}/immunizations?limit=1")).await.ok();
    let next = page["next_cursor"].as_str().unwrap();
    let rest = clinic.admin.get(&format!("/lots/{lot}/immunizations?limit=1&cursor={next}")).await.ok();
    assert_eq!((&rest["items"][0]["id"], &rest["next_cursor"]), (&doses[1], &Value::Null));
}
