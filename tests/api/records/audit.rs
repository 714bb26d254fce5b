//! Audit trail: recorded events, who can list them, and immutability.

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::{PASSWORD, TestApp};

async fn events(actor: &Actor<'_>, path: &str) -> Vec<Value> {
    actor.get(path).await.ok()["items"].as_array().expect("a list has items").clone()
}

/// Returns the actions of the caller's events, newest first.
async fn actions(actor: &Actor<'_>) -> Vec<String> {
    let events = events(actor, "/users/me/activity").await;
    events.iter().map(|event| event["action"].as_str().expect("actions are text").to_owned()).collect()
}

#[tokio::test]
async fn logins_and_logouts_are_audited_with_the_client() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let guess = json!({ "email": patient.email, "password": "a guess" });
    let request = app.request(reqwest::Method::POST, "/api/v1/auth/login").header("user-agent", "A burglar");
    app.send(request.json(&guess)).await.problem(401, "wrong-credentials");
    let other = patient.on_another_device().await;
    other.post_empty("/auth/logout").await.no_content();
    let listed = events(&patient, "/users/me/activity").await;
    assert_eq!(
        actions(&patient).await,
        ["logged_out", "login_succeeded", "login_failed", "login_succeeded", "registered"]
    );
    let (failed, succeeded) = (&listed[2], &listed[3]);
    assert_eq!((&failed["user_agent"], &failed["ip"]), (&json!("A burglar"), &json!("127.0.0.1")));
    assert_eq!((&failed["actor_id"], &failed["subject_id"]), (&Value::Null, &json!(patient.id)));
    assert_eq!((&succeeded["actor_id"], &succeeded["subject_id"]), (&json!(patient.id), &json!(patient.id)));
    assert!(succeeded["object_id"].is_string() && succeeded["occurred_at"].is_string());
}

#[tokio::test]
async fn changes_of_an_account_are_audited() {
    let app = TestApp::start(BACKEND).await;
    let (patient, admin) = (app.patient().await, app.admin().await);
    let change = json!({ "current_password": PASSWORD, "new_password": "a longer sentence" });
    patient.put("/users/me/password", change).await.no_content();
    let path = format!("/users/{}", patient.id);
    admin.patch(&path, json!({ "role": "staff" })).await.ok();
    admin.patch(&path, json!({ "disabled": true })).await.ok();
    admin.patch(&path, json!({ "disabled": false })).await.ok();
    let listed = events(&admin, &format!("/audit-events?subject_id={}&actor_id={}", patient.id, admin.id)).await;
    let found: Vec<_> = listed.iter().map(|event| (event["action"].clone(), event["detail"].clone())).collect();
    let expected = [("user_enabled", Value::Null), ("user_disabled", Value::Null), ("role_changed", json!("staff"))];
    assert_eq!(found, expected.map(|(action, detail)| (json!(action), detail)));
    let listed = events(&admin, &format!("/audit-events?subject_id={}&action=password_changed", patient.id)).await;
    assert_eq!((listed.len(), &listed[0]["actor_id"]), (1, &json!(patient.id)));
}

#[tokio::test]
async fn reuse_of_a_refresh_token_is_audited() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let stolen = patient.on_another_device().await;
    let next = app.refresh(&stolen.refresh_token).await.ok();
    app.refresh(next["refresh_token"].as_str().unwrap()).await.ok();
    app.refresh(&stolen.refresh_token).await.problem(401, "invalid-token");
    let event = &events(&patient, "/users/me/activity").await[0];
    assert_eq!((&event["action"], &event["actor_id"]), (&json!("refresh_reused"), &Value::Null));
    app.refresh(&stolen.refresh_token).await.problem(401, "invalid-token");
    assert_eq!(actions(&patient).await.iter().filter(|action| *action == "refresh_reused").count(), 1);
}

#[tokio::test]
async fn decisions_of_staff_are_audited_and_those_of_the_owner_are_not() {
    let app = TestApp::start(BACKEND).await;
    let (patient, staff) = (app.patient().await, app.staff().await);
    let mut requests = Vec::new();
    for vaccine in ["MMR", "FLU", "BCG"] {
        requests.push(patient.ask_for(vaccine).await);
    }
    let step = |request: usize, verb: &str| format!("/vaccine-requests/{}/{verb}", requests[request]);
    staff.post_empty(&step(0, "approve")).await.ok();
    staff.post(&step(1, "reject"), json!({ "reason": "not in season" })).await.ok();
    staff.post_empty(&step(0, "cancel")).await.ok();
    patient.post_empty(&step(2, "cancel")).await.ok();
    // A failed operation is not recorded.
    staff.post_empty(&step(0, "approve")).await.problem(409, "request-status");
    let listed = events(&patient, "/users/me/activity").await;
    let decisions: Vec<_> = listed.iter().filter(|event| event["actor_id"] == json!(staff.id)).collect();
    let found: Vec<_> =
        decisions.iter().map(|event| (event["action"].as_str().unwrap(), &event["object_id"])).collect();
    let (approved, rejected) = (json!(requests[0]), json!(requests[1]));
    assert_eq!(
        found,
        [("request_cancelled", &approved), ("request_rejected", &rejected), ("request_approved", &approved)]
    );
}

#[tokio::test]
async fn users_list_their_own_events_and_admins_filter_all() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob, staff, admin) = (app.patient().await, app.patient().await, app.staff().await, app.admin().await);
    app.log_in("nobody@example.org", "a guess").await.problem(401, "wrong-credentials");
    assert!(events(&ada, "/users/me/activity").await.iter().all(|event| event["subject_id"] == json!(ada.id)));
    let promote = json!({ "role": "patient", "disabled": true });
    admin.patch(&format!("/users/{}", bob.id), promote).await.ok();
    // Events that the caller caused in other accounts are listed too.
    assert_eq!(actions(&admin).await, ["user_disabled", "login_succeeded", "registered"]);
    assert_eq!(actions(&staff).await, ["login_succeeded", "registered"]);
    let page = admin.get("/users/me/activity?limit=1").await.ok();
    let next = format!("/users/me/activity?limit=1&cursor={}", page["next_cursor"].as_str().unwrap());
    assert_eq!(admin.get(&next).await.ok()["items"][0]["action"], "login_succeeded");
    // The client address of an admin is shown to admins only.
    let bobs = app.request(reqwest::Method::GET, &format!("/api/v1/audit-events?subject_id={}", bob.id));
    let disabled = &app.send(bobs.bearer_auth(&admin.access_token)).await.ok()["items"][0];
    assert_eq!((&disabled["action"], &disabled["ip"]), (&json!("user_disabled"), &json!("127.0.0.1")));
    admin.patch(&format!("/users/{}", bob.id), json!({ "disabled": false })).await.ok();
    let theirs = events(&bob.on_another_device().await, "/users/me/activity").await;
    assert_eq!((&theirs[1]["action"], &theirs[1]["ip"]), (&json!("user_enabled"), &Value::Null));
    assert_eq!((&theirs[0]["action"], &theirs[0]["ip"]), (&json!("login_succeeded"), &json!("127.0.0.1")));
    for actor in [&ada, &staff] {
        actor.get("/audit-events").await.problem(403, "forbidden");
    }
    app.get("/api/v1/audit-events").await.problem(401, "unauthenticated");
    assert_eq!(events(&admin, "/audit-events").await.len(), 12);
    let failed = events(&admin, "/audit-events?action=login_failed").await;
    assert_eq!((failed.len(), &failed[0]["subject_id"]), (1, &Value::Null));
    let of_bob = events(&admin, &format!("/audit-events?actor_id={}", bob.id)).await;
    assert_eq!((of_bob.len(), &of_bob[1]["action"]), (2, &json!("login_succeeded")));
    let time = of_bob[1]["occurred_at"].as_str().unwrap();
    let before = events(&admin, &format!("/audit-events?occurred_before={time}")).await;
    let from = events(&admin, &format!("/audit-events?occurred_from={time}")).await;
    assert_eq!((before.len() + from.len(), from.last().unwrap()), (12, &of_bob[1]));
    admin.get("/audit-events?action=nothing").await.violates(&[("action", "type")]);
    let page = admin.get("/audit-events?limit=4").await.ok();
    let next = admin.get(&format!("/audit-events?limit=8&cursor={}", page["next_cursor"].as_str().unwrap())).await.ok();
    assert_eq!(next["items"].as_array().unwrap().len(), 8);
}

#[tokio::test]
async fn audit_events_cannot_be_updated_or_deleted() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let db = &app.state().db;
    for statement in [
        "DELETE FROM audit_events",
        "UPDATE audit_events SET action = 'logged_out'",
        "UPDATE audit_events SET subject_id = NULL",
        "UPDATE audit_events SET ip = '192.0.2.1'",
        "UPDATE audit_events SET ip = NULL, user_agent = 'somebody else'",
        "UPDATE audit_events SET occurred_at = '2020-01-01T00:00:00+00:00'",
    ] {
        let refused = db.execute_unprepared(statement).await.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{statement}: {refused}");
    }
    assert_eq!(actions(&patient).await, ["login_succeeded", "registered"]);
}
