//! Catalogue of vaccines: anyone can read it, admins write it.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::BACKEND;
use crate::support::app::TestApp;

fn yellow_fever() -> Value {
    json!({
        "code": "YF", "name": "Yellow fever", "manufacturer": "Northlight Vaccines", "doses": 1,
        "min_age_months": 9, "max_age_months": 720,
    })
}

#[tokio::test]
async fn anyone_can_list_the_catalogue_in_pages() {
    let app = TestApp::start(BACKEND).await;
    let first = app.get("/api/v1/vaccines?limit=10").await;
    let link = first.header("link").to_owned();
    let page = first.ok();
    assert_eq!(page["items"].as_array().unwrap().len(), 10);
    let next = link.strip_prefix('<').and_then(|link| link.split_once(">; rel=\"next\"")).expect("RFC 8288").0;
    assert!(next.contains("limit=10") && next.contains(page["next_cursor"].as_str().unwrap()), "{next}");
    let rest = app.get(next).await;
    assert!(rest.headers.get("link").is_none());
    let rest = rest.ok();
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next_cursor"]), (4, &Value::Null));

    let vaccine = &page["items"][0];
    let path = format!("/api/v1/vaccines/{}", vaccine["id"].as_str().unwrap());
    assert_eq!(&app.get(&path).await.ok(), vaccine);
    app.get(&format!("/api/v1/vaccines/{}", Uuid::now_v7())).await.problem(404, "not-found");
}

#[tokio::test]
async fn an_admin_creates_updates_and_deactivates_a_vaccine() {
    let app = TestApp::start(BACKEND).await;
    let admin = app.admin().await;
    let vaccine = admin.post("/vaccines", yellow_fever()).await.created();
    assert_eq!((&vaccine["active"], &vaccine["min_interval_days"]), (&json!(true), &json!(0)));
    let path = format!("/vaccines/{}", vaccine["id"].as_str().unwrap());
    let changed = admin.patch(&path, json!({ "doses": 2, "max_age_months": null, "active": false })).await.ok();
    assert_eq!((&changed["doses"], &changed["max_age_months"]), (&json!(2), &Value::Null));
    assert_eq!(admin.patch(&path, json!({})).await.ok(), changed);
    let codes = |list: Value| {
        let items = list["items"].as_array().unwrap().clone();
        items.iter().map(|vaccine| vaccine["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(codes(app.get("/api/v1/vaccines?active=false").await.ok()), ["YF"]);
    assert!(!codes(app.get("/api/v1/vaccines?active=true&limit=100").await.ok()).contains(&"YF".to_owned()));
}

#[tokio::test]
async fn a_code_is_unique() {
    let app = TestApp::start(BACKEND).await;
    let admin = app.admin().await;
    admin.post("/vaccines", yellow_fever()).await.created();
    admin.post("/vaccines", yellow_fever()).await.problem(409, "code-taken");
}

#[tokio::test]
async fn only_admins_write_the_catalogue() {
    let app = TestApp::start(BACKEND).await;
    let path = format!("/vaccines/{}", app.vaccine("MMR").await);
    for actor in [app.patient().await, app.staff().await] {
        actor.post("/vaccines", yellow_fever()).await.problem(403, "forbidden");
        actor.patch(&path, json!({ "active": false })).await.problem(403, "forbidden");
    }
    app.post("/api/v1/vaccines", yellow_fever()).await.problem(401, "unauthenticated");
    let patch = app.request(Method::PATCH, &format!("/api/v1{path}")).json(&json!({}));
    app.send(patch).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn an_impossible_vaccine_is_rejected() {
    let app = TestApp::start(BACKEND).await;
    let admin = app.admin().await;
    let nonsense = json!({
        "code": "", "name": "x".repeat(201), "manufacturer": "a\nb", "doses": 0, "min_interval_days": -1,
        "min_age_months": -1,
    });
    admin.post("/vaccines", nonsense).await.violates(&[
        ("code", "blank"),
        ("doses", "range"),
        ("manufacturer", "control"),
        ("min_age_months", "range"),
        ("min_interval_days", "range"),
        ("name", "length"),
    ]);
    let mut ages = yellow_fever();
    ages["max_age_months"] = json!(8);
    admin.post("/vaccines", ages).await.violates(&[("max_age_months", "order")]);
    let vaccine = admin.post("/vaccines", yellow_fever()).await.created();
    let path = format!("/vaccines/{}", vaccine["id"].as_str().unwrap());
    // The order can be checked only together with the stored value, so the database checks it.
    admin.patch(&path, json!({ "max_age_months": 8 })).await.violates(&[("max_age_months", "order")]);
    admin.patch(&path, json!({ "doses": null })).await.violates(&[("doses", "type")]);
    admin.patch(&path, json!({ "code": "YF2" })).await.violates(&[("code", "unknown")]);
    admin.patch(&format!("/vaccines/{}", Uuid::now_v7()), json!({ "doses": 2 })).await.problem(404, "not-found");
}
