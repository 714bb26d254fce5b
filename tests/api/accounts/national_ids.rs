//! National ids: claims, which several accounts may make, and their verification by staff.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::{PASSWORD, TestApp};

async fn set(actor: &Actor<'_>, nid: &str) -> Value {
    actor.patch("/users/me", json!({ "nid": nid })).await.ok()
}

fn path(of: &Actor<'_>, action: &str) -> String {
    format!("/users/{}/{action}", of.id)
}

#[tokio::test]
async fn registration_and_profile_do_not_tell_whether_an_id_is_claimed_or_verified() {
    let app = TestApp::start(BACKEND).await;
    let (ada, eve, staff) = (app.patient().await, app.patient().await, app.staff().await);
    set(&ada, "19121815-AL").await;
    staff.post_empty(&path(&ada, "verify-nid")).await.ok();
    for nid in ["19121815-AL", "19121815-al", "19121815 AL"] {
        let account = set(&eve, nid).await;
        assert_eq!((&account["nid"], &account["nid_verified_at"]), (&json!(nid), &Value::Null));
    }
    let body = json!({ "name": "Eve", "email": "eve@example.org", "password": PASSWORD, "nid": "19121815AL" });
    app.post("/api/v1/auth/register", body).await.created();
    assert!(ada.get("/users/me").await.ok()["nid_verified_at"].is_string());
}

#[tokio::test]
async fn staff_verify_an_id_for_one_account_and_see_the_others_that_claim_it() {
    let app = TestApp::start(BACKEND).await;
    let (ada, eve, staff) = (app.patient().await, app.patient().await, app.staff().await);
    set(&eve, "19121815 al").await;
    set(&ada, "19121815-AL").await;
    let verified = staff.post(&path(&ada, "verify-nid"), json!({ "nid": "19121815AL" })).await.ok();
    assert!(verified["nid_verified_at"].is_string());
    // Again: nothing changes.
    assert_eq!(staff.post_empty(&path(&ada, "verify-nid")).await.ok(), verified);
    staff.post_empty(&path(&eve, "verify-nid")).await.problem(409, "nid-taken");
    let claims = staff.get(&path(&eve, "nid-claims")).await.ok();
    assert_eq!(claims["items"].as_array().unwrap().len(), 1);
    assert_eq!((&claims["items"][0]["user_id"], &claims["items"][0]["nid"]), (&json!(ada.id), &json!("19121815-AL")));
    let activity = ada.get("/users/me/activity").await.ok();
    // The second verification only read the account.
    assert_eq!(activity["items"][0]["action"], "account_read");
    assert_eq!(
        (&activity["items"][1]["action"], &activity["items"][1]["actor_id"]),
        (&json!("nid_verified"), &json!(staff.id))
    );
}

#[tokio::test]
async fn a_changed_id_is_no_longer_verified_and_another_spelling_is() {
    let app = TestApp::start(BACKEND).await;
    let (ada, staff) = (app.patient().await, app.staff().await);
    set(&ada, "19121815-AL").await;
    staff.post_empty(&path(&ada, "verify-nid")).await.ok();
    assert!(set(&ada, "19121815 al").await["nid_verified_at"].is_string());
    assert!(set(&ada, "19121816-AL").await["nid_verified_at"].is_null());
    // Staff have seen the document with the first id.
    let seen = json!({ "nid": "19121815-AL" });
    staff.post(&path(&ada, "verify-nid"), seen).await.violates(&[("nid", "changed")]);
    staff.post_empty(&path(&ada, "verify-nid")).await.ok();
    let cleared = ada.patch("/users/me", json!({ "nid": null })).await.ok();
    assert_eq!((&cleared["nid"], &cleared["nid_verified_at"]), (&Value::Null, &Value::Null));
    staff.post_empty(&path(&ada, "verify-nid")).await.problem(409, "nid-missing");
    assert_eq!(staff.get(&path(&ada, "nid-claims")).await.ok()["items"], json!([]));
}

#[tokio::test]
async fn of_two_concurrent_verifications_of_one_id_one_succeeds() {
    let app = TestApp::start(BACKEND).await;
    let (ada, eve, staff) = (app.patient().await, app.patient().await, app.staff().await);
    set(&ada, "1912").await;
    set(&eve, "19-12").await;
    let (for_ada, for_eve) = (path(&ada, "verify-nid"), path(&eve, "verify-nid"));
    let (one, other) = tokio::join!(staff.post_empty(&for_ada), staff.post_empty(&for_eve));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

#[tokio::test]
async fn only_staff_verify_and_list_claims() {
    let app = TestApp::start(BACKEND).await;
    let (ada, staff) = (app.patient().await, app.staff().await);
    set(&ada, "1912").await;
    ada.post_empty(&path(&ada, "verify-nid")).await.problem(403, "forbidden");
    ada.get(&path(&ada, "nid-claims")).await.problem(403, "forbidden");
    app.post(&format!("/api/v1{}", path(&ada, "verify-nid")), json!({})).await.problem(401, "unauthenticated");
    let unknown = Uuid::now_v7();
    staff.post_empty(&format!("/users/{unknown}/verify-nid")).await.problem(404, "not-found");
    staff.get(&format!("/users/{unknown}/nid-claims")).await.problem(404, "not-found");
    staff.post(&path(&ada, "verify-nid"), json!({ "nid": "a;b" })).await.violates(&[("nid", "nid")]);
    staff.post(&path(&ada, "verify-nid"), json!({ "id": "1" })).await.violates(&[("id", "unknown")]);
}
