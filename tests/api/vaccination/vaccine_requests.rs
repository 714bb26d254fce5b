//! Vaccine requests: create, list, update while pending, and review.

use chrono::{DateTime, Duration, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::TestApp;

async fn status_of(actor: &Actor<'_>, request: &str) -> Value {
    actor.get(&format!("/vaccine-requests/{request}")).await.ok()["status"].clone()
}

/// Returns the ids on all pages of a list.
async fn ids(actor: &Actor<'_>, query: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = actor.get(&format!("/vaccine-requests?limit=3{query}{cursor}")).await.ok();
        let items = page["items"].as_array().expect("a list has items");
        ids.extend(items.iter().map(|item| item["id"].as_str().expect("ids are text").to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

#[tokio::test]
async fn staff_approve_the_request_of_a_patient() {
    let app = TestApp::start(BACKEND).await;
    let (patient, staff) = (app.patient().await, app.staff().await);
    let vaccine = app.vaccine("MMR").await;
    patient.post("/immunizations", json!({ "vaccine_id": vaccine, "administered_on": "2020-05-29" })).await.created();
    let body = json!({ "vaccine_id": vaccine, "dose_number": 2, "note": "Mondays,\nplease" });
    let response = patient.post("/vaccine-requests", body).await;
    let request = response.created();
    let id = request["id"].as_str().unwrap();
    assert_eq!(response.header("location"), format!("/api/v1/vaccine-requests/{id}"));
    assert_eq!((&request["status"], &request["dose_number"]), (&json!("pending"), &json!(2)));
    assert_eq!(request["user_id"], patient.id.to_string());
    assert_eq!(patient.get(&format!("/vaccine-requests/{id}")).await.ok(), request);

    let approved = staff.post_empty(&format!("/vaccine-requests/{id}/approve")).await.ok();
    assert_eq!((&approved["status"], &approved["reviewer_id"]), (&json!("approved"), &json!(staff.id.to_string())));
    staff.post_empty(&format!("/vaccine-requests/{id}/approve")).await.problem(409, "request-status");
    assert_eq!(status_of(&patient, id).await, "approved");
}

#[tokio::test]
async fn staff_reject_with_a_reason_that_the_patient_reads() {
    let app = TestApp::start(BACKEND).await;
    let (patient, staff) = (app.patient().await, app.staff().await);
    let id = patient.ask_for("MMR").await;
    let path = format!("/vaccine-requests/{id}/reject");
    staff.post(&path, json!({})).await.violates(&[("reason", "blank")]);
    staff.post(&path, json!({ "reason": "  " })).await.violates(&[("reason", "blank")]);
    staff.post(&path, json!({ "reason": "x".repeat(1001) })).await.violates(&[("reason", "length")]);
    assert_eq!(status_of(&patient, &id).await, "pending");
    staff.post(&path, json!({ "reason": "given last month" })).await.ok();
    let request = patient.get(&format!("/vaccine-requests/{id}")).await.ok();
    assert_eq!((&request["status"], &request["reason"]), (&json!("rejected"), &json!("given last month")));
    // After a rejection, the same dose can be requested again.
    patient.ask_for("MMR").await;
}

#[tokio::test]
async fn only_staff_can_review_requests() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let id = patient.ask_for("MMR").await;
    patient.post_empty(&format!("/vaccine-requests/{id}/approve")).await.problem(403, "forbidden");
    let reason = json!({ "reason": "no" });
    patient.post(&format!("/vaccine-requests/{id}/reject"), reason).await.problem(403, "forbidden");
    let approve = app.request(Method::POST, &format!("/api/v1/vaccine-requests/{id}/approve"));
    app.send(approve).await.problem(401, "unauthenticated");
    assert_eq!(status_of(&patient, &id).await, "pending");
    app.admin().await.post_empty(&format!("/vaccine-requests/{id}/approve")).await.ok();
}

#[tokio::test]
async fn another_users_request_is_not_found() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob) = (app.patient().await, app.patient().await);
    let path = format!("/vaccine-requests/{}", ada.ask_for("MMR").await);
    bob.get(&path).await.problem(404, "not-found");
    bob.patch(&path, json!({ "note": "mine now" })).await.problem(404, "not-found");
    bob.post_empty(&format!("{path}/cancel")).await.problem(404, "not-found");
    assert_eq!(ids(&bob, "").await, Vec::<String>::new());
    assert_eq!(ids(&bob, &format!("&user_id={}", ada.id)).await, Vec::<String>::new());
    // Staff can read it, but not update it.
    app.staff().await.patch(&path, json!({ "note": "mine now" })).await.problem(404, "not-found");
    assert_eq!(ada.get(&path).await.ok()["note"], Value::Null);
}

#[tokio::test]
async fn a_vaccine_or_dose_outside_the_catalogue_cannot_be_requested() {
    let app = TestApp::start(BACKEND).await;
    let (patient, admin) = (app.patient().await, app.admin().await);
    let mmr = app.vaccine("MMR").await;
    let ask = |vaccine_id: Value, dose_number: Value| {
        patient.post("/vaccine-requests", json!({ "vaccine_id": vaccine_id, "dose_number": dose_number }))
    };
    ask(json!(Uuid::now_v7()), json!(1)).await.violates(&[("vaccine_id", "unknown")]);
    ask(json!(mmr), json!(3)).await.violates(&[("dose_number", "range")]);
    ask(json!(mmr), json!(0)).await.violates(&[("dose_number", "range")]);
    ask(json!(mmr), json!("first")).await.violates(&[("dose_number", "type")]);
    ask(json!("mmr"), json!(1)).await.violates(&[("vaccine_id", "type")]);
    patient.post("/vaccine-requests", json!({})).await.violates(&[("vaccine_id", "required")]);
    admin.patch(&format!("/vaccines/{mmr}"), json!({ "active": false })).await.ok();
    ask(json!(mmr), json!(1)).await.violates(&[("vaccine_id", "unknown")]);
    assert_eq!(ids(&patient, "").await, Vec::<String>::new());
}

#[tokio::test]
async fn of_concurrent_requests_for_one_dose_one_is_created() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let body = json!({ "vaccine_id": app.vaccine("MMR").await });
    let responses = (0..16).map(|_| patient.post("/vaccine-requests", body.clone()));
    let responses = futures_util::future::join_all(responses).await;
    assert_eq!(responses.iter().filter(|response| response.status == 201).count(), 1);
    for refused in responses.iter().filter(|response| response.status != 201) {
        refused.problem(409, "request-open");
    }
    // The dose before is not recorded.
    let another = json!({ "vaccine_id": body["vaccine_id"], "dose_number": 2 });
    patient.post("/vaccine-requests", another).await.problem(409, "not-eligible");
    patient.ask_for("FLU").await;
}

#[tokio::test]
async fn a_pending_request_can_be_edited_and_a_reviewed_one_cannot() {
    let app = TestApp::start(BACKEND).await;
    let (patient, staff) = (app.patient().await, app.staff().await);
    let id = patient.ask_for("MMR").await;
    let path = format!("/vaccine-requests/{id}");
    let flu = app.vaccine("FLU").await;
    patient.patch(&path, json!({ "note": "Tuesdays" })).await.ok();
    let changed = patient.patch(&path, json!({ "vaccine_id": flu })).await.ok();
    assert_eq!((&changed["vaccine_id"], &changed["note"]), (&json!(flu), &json!("Tuesdays")));
    assert_eq!(patient.patch(&path, json!({ "note": null })).await.ok()["note"], Value::Null);
    // Influenza has one dose.
    patient.patch(&path, json!({ "dose_number": 2 })).await.violates(&[("dose_number", "range")]);
    patient.patch(&path, json!({ "vaccine_id": Uuid::now_v7() })).await.violates(&[("vaccine_id", "unknown")]);
    patient.patch(&path, json!({ "vaccine_id": null })).await.violates(&[("vaccine_id", "type")]);
    patient.patch(&path, json!({ "status": "approved" })).await.violates(&[("status", "unknown")]);
    patient.ask_for("MMR").await;
    let taken = json!({ "vaccine_id": app.vaccine("MMR").await });
    patient.patch(&path, taken).await.problem(409, "request-open");

    staff.post_empty(&format!("{path}/approve")).await.ok();
    patient.patch(&path, json!({ "note": "too late" })).await.problem(409, "request-status");
    let request = patient.get(&path).await.ok();
    assert_eq!((&request["status"], &request["vaccine_id"]), (&json!("approved"), &json!(flu)));
}

#[tokio::test]
async fn the_owner_or_staff_can_cancel_an_open_request() {
    let app = TestApp::start(BACKEND).await;
    let (patient, staff) = (app.patient().await, app.staff().await);
    let pending = patient.ask_for("MMR").await;
    assert_eq!(patient.post_empty(&format!("/vaccine-requests/{pending}/cancel")).await.ok()["status"], "cancelled");
    patient.post_empty(&format!("/vaccine-requests/{pending}/cancel")).await.problem(409, "request-status");
    staff.post_empty(&format!("/vaccine-requests/{pending}/approve")).await.problem(409, "request-status");
    let approved = patient.ask_for("MMR").await;
    staff.post_empty(&format!("/vaccine-requests/{approved}/approve")).await.ok();
    let cancelled = staff.post_empty(&format!("/vaccine-requests/{approved}/cancel")).await.ok();
    // A cancellation does not change the reviewer.
    assert_eq!((&cancelled["status"], &cancelled["reviewer_id"]), (&json!("cancelled"), &json!(staff.id.to_string())));
}

#[tokio::test]
async fn of_concurrent_reviews_one_succeeds() {
    let app = TestApp::start(BACKEND).await;
    let (patient, staff) = (app.patient().await, app.staff().await);
    for _ in 0..4 {
        let id = patient.ask_for("MMR").await;
        let path = |step: &str| format!("/vaccine-requests/{id}/{step}");
        let (approve, reject, cancel) = (path("approve"), path("reject"), path("cancel"));
        let (approved, rejected, cancelled) = tokio::join!(
            staff.post_empty(&approve),
            staff.post(&reject, json!({ "reason": "no" })),
            patient.post_empty(&cancel),
        );
        let won = [&approved, &rejected, &cancelled].iter().filter(|response| response.status == 200).count();
        // An approved request can be cancelled; a rejected or cancelled one cannot change.
        let both = approved.status == 200 && cancelled.status == 200;
        assert!(won == 1 || (won == 2 && both), "{approved:?} {rejected:?} {cancelled:?}");
        if won == 1 && approved.status == 200 {
            patient.post_empty(&cancel).await.ok();
        }
    }
}

#[tokio::test]
async fn lists_are_newest_first_paged_and_filtered() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob, staff) = (app.patient().await, app.patient().await, app.staff().await);
    let mut all = Vec::new();
    for code in ["BCG", "HEPB", "FLU", "MMR"] {
        all.push(ada.ask_for(code).await);
        all.push(bob.ask_for(code).await);
    }
    let newest_first: Vec<_> = all.iter().rev().cloned().collect();
    let of = |parity: usize| all.iter().skip(parity).step_by(2).rev().cloned().collect::<Vec<_>>();
    assert_eq!(ids(&staff, "").await, newest_first);
    assert_eq!(ids(&ada, "").await, of(0));
    assert_eq!(ids(&staff, &format!("&user_id={}", bob.id)).await, of(1));
    let flu = format!("&vaccine_id={}", app.vaccine("FLU").await);
    assert_eq!(ids(&staff, &flu).await, [all[5].clone(), all[4].clone()]);
    staff.post_empty(&format!("/vaccine-requests/{}/approve", all[4])).await.ok();
    assert_eq!(ids(&staff, "&status=approved").await, [all[4].clone()]);
    assert_eq!(ids(&staff, &format!("{flu}&status=pending")).await, [all[5].clone()]);

    let request = staff.get(&format!("/vaccine-requests/{}", all[3])).await.ok();
    let created: DateTime<Utc> = request["created_at"].as_str().unwrap().parse().unwrap();
    let at = |time: DateTime<Utc>| time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    assert_eq!(ids(&staff, &format!("&created_from={}", at(created))).await, newest_first[..5]);
    assert_eq!(ids(&staff, &format!("&created_before={}", at(created))).await, newest_first[5..]);
    let later = at(created + Duration::days(1));
    assert_eq!(ids(&staff, &format!("&created_from={later}")).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_list_rejects_invalid_and_unknown_parameters() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    for (query, field, code) in [
        ("cursor=nonsense", "cursor", "cursor"),
        ("cursor=", "cursor", "cursor"),
        ("cursor=AAAA", "cursor", "cursor"),
        ("limit=ten", "limit", "type"),
        ("limit=-1", "limit", "range"),
        ("status=lost", "status", "type"),
        ("vaccine_id=mmr", "vaccine_id", "type"),
        ("created_from=yesterday", "created_from", "type"),
        ("order=asc", "order", "unknown"),
        ("limit=1&limit=2", "limit", "duplicate"),
    ] {
        patient.get(&format!("/vaccine-requests?{query}")).await.violates(&[(field, code)]);
    }
    for time in ["1969-12-31T23:59:59Z", "%2B262142-12-31T23:59:59Z", "-0001-01-01T00:00:00Z"] {
        for name in ["created_from", "created_before"] {
            patient.get(&format!("/vaccine-requests?{name}={time}")).await.violates(&[(name, "range")]);
        }
    }
    for query in ["limit=0", "limit=101"] {
        patient.get(&format!("/vaccine-requests?{query}")).await.violates(&[("limit", "range")]);
    }
    patient.get("/vaccine-requests/not-a-uuid").await.violates(&[("id", "type")]);
    patient.post_empty("/vaccine-requests/not-a-uuid/cancel").await.violates(&[("id", "type")]);
}
