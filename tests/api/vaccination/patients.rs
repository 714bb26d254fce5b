//! Patients: who asks, and how staff find them.

use chrono::Datelike as _;
use serde_json::{Value, json};

use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::TestApp;

async fn found(staff: &Actor<'_>, query: &[(&str, &str)]) -> Vec<String> {
    let request = staff.request(reqwest::Method::GET, "/vaccine-requests").query(query);
    let page = staff.app.send(request).await.ok();
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn staff_see_who_asks_and_find_people() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob, staff) = (app.patient().await, app.patient().await, app.staff().await);
    let profile = json!({
        "name": "Augusta Ada King-Noël", "nid": "19121815-AL", "birth_date": "1985-12-10", "phone_number": "+44 20 7946 0018",
    });
    ada.patch("/users/me", profile).await.ok();
    let request = ada.ask_for("MMR").await;
    bob.patch("/users/me", json!({ "name": "Bob Bobson" })).await.ok();
    bob.ask_for("MMR").await;
    let seen = staff.get(&format!("/vaccine-requests/{request}")).await.ok()["patient"].clone();
    assert_eq!((&seen["name"], &seen["relation"]), (&json!("Augusta Ada King-Noël"), &json!("self")));
    assert_eq!(
        (&seen["birth_year"], &seen["birth_day"], &seen["nid"]),
        (&json!(1985), &json!(10), &json!("19121815-AL"))
    );
    for query in [
        [("q", "ada")],
        [("q", "NOE\u{308}L aug")],
        [("q", "kin")],
        [("email", ada.email.as_str())],
        [("phone_number", "+44-20-7946-0018")],
        [("nid", "19121815 al")],
    ] {
        assert_eq!(found(&staff, &query).await, [request.as_str()], "{query:?}");
    }
    for query in [[("q", "oel")], [("nid", "1912")], [("phone_number", "+44 20 7946")], [("q", "ada bob")]] {
        assert_eq!(found(&staff, &query).await, Vec::<String>::new(), "{query:?}");
    }
    // Looking is recorded, for each person.
    let activity = ada.get("/users/me/activity").await.ok();
    let reads = activity["items"].as_array().unwrap().iter().filter(|event| event["action"] == "patient_read");
    assert!(reads.count() >= 7, "{activity}");
    let counts = staff.get("/vaccine-requests/counts").await.ok();
    assert_eq!((&counts["pending"], &counts["booked"]), (&json!(2), &json!(0)));
    bob.get("/vaccine-requests/counts").await.problem(403, "forbidden");
}

#[tokio::test]
async fn patients_are_listed_changed_and_searched_with_a_purpose() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob, staff) = (app.patient().await, app.patient().await, app.staff().await);
    ada.ask_for("MMR").await;
    let contact = json!({ "first_name": "Byron", "last_name": "King", "birth_month": 5, "birth_day": 12 });
    let contact = ada.post("/contacts", contact).await.created()["id"].clone();
    let body = json!({ "vaccine_id": app.vaccine("MMR").await, "contact_id": contact });
    ada.post("/vaccine-requests", body).await.created();
    let own = ada.get("/patients").await.ok()["items"].clone();
    assert_eq!(
        (own.as_array().unwrap().len(), &own[0]["name"], &own[0]["relation"]),
        (2, &json!("Byron King"), &json!("dependant"))
    );
    let path = format!("/patients/{}", own[0]["id"].as_str().unwrap());
    bob.get(&path).await.problem(404, "not-found");
    bob.patch(&path, json!({ "name": "Bob" })).await.problem(404, "not-found");
    ada.patch(&path, json!({ "birth_day": 31, "birth_month": 4 })).await.violates(&[("birth_day", "date")]);
    ada.patch(&path, json!({ "birth_year": 2019, "birth_month": null })).await.violates(&[("birth_day", "date")]);
    let changed = ada.patch(&path, json!({ "birth_year": 2019, "name": "Ralph Milbanke" })).await.ok();
    assert_eq!((&changed["birth_year"], &changed["birth_month"]), (&json!(2019), &json!(5)));
    staff.get("/patients?q=milb").await.violates(&[("purpose", "required")]);
    bob.get("/patients?q=milb&purpose=curiosity").await.problem(403, "forbidden");
    assert_eq!(staff.get("/patients?q=milb&purpose=recall").await.ok()["items"], json!([changed]));
    assert_eq!(staff.get("/patients?q=byron&purpose=recall").await.ok()["items"], json!([]));
    let activity = ada.get("/users/me/activity").await.ok();
    let read = activity["items"].as_array().unwrap().iter().find(|event| event["action"] == "patient_read").unwrap();
    assert_eq!((&read["detail"], &read["object_id"]), (&json!("recall"), &changed["id"]));
    let exported = ada.get("/users/me/export").await.ok();
    assert_eq!(exported["patients"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_account_has_a_limited_number_of_patients() {
    let app = TestApp::start_with(BACKEND, &[("CARE4U__BOOKING__PATIENTS_PER_ACCOUNT", "2")]).await;
    let ada = app.patient().await;
    let mmr = app.vaccine("MMR").await;
    let mut contacts = Vec::new();
    for name in ["One", "Two", "Three"] {
        let contact = ada.post("/contacts", json!({ "first_name": name, "last_name": "King" })).await.created();
        contacts.push(contact["id"].clone());
    }
    let ask = contacts
        .iter()
        .map(|contact| ada.post("/vaccine-requests", json!({ "vaccine_id": mmr, "contact_id": contact })));
    let attempts = futures_util::future::join_all(ask).await;
    assert_eq!(attempts.iter().filter(|attempt| attempt.status == 201).count(), 2);
    attempts.iter().find(|attempt| attempt.status != 201).unwrap().problem(409, "too-many-patients");
}

#[tokio::test]
async fn eligibility_explains_and_rules_can_review() {
    let app = TestApp::start_with(BACKEND, &[("CARE4U__REQUESTS__REVIEW", "rules")]).await;
    let ada = app.patient().await;
    let check = async |body: Value| ada.post("/vaccine-requests/eligibility", body).await.ok();
    let rota = json!({ "vaccine_id": app.vaccine("ROTA").await });
    assert_eq!(check(rota.clone()).await["verdict"], "unknown");
    ada.patch("/users/me", json!({ "birth_date": "1985-12-10" })).await.ok();
    let judged = check(rota.clone()).await;
    assert_eq!((&judged["verdict"], &judged["earliest_on"]), (&json!("not_eligible"), &Value::Null));
    let problem = ada.post("/vaccine-requests", rota).await.problem(409, "not-eligible");
    assert_eq!(problem["eligibility"], judged);
    let mmr = json!({ "vaccine_id": app.vaccine("MMR").await, "on": "2027-01-01" });
    let judged = check(mmr).await;
    assert_eq!(
        (&judged["verdict"], &judged["on"], &judged["earliest_on"]),
        (&json!("eligible"), &json!("2027-01-01"), &json!("1986-09-10"))
    );
    let request = ada.post("/vaccine-requests", json!({ "vaccine_id": app.vaccine("MMR").await })).await.created();
    assert_eq!(request["status"], "approved");
    assert_eq!(check(json!({ "vaccine_id": app.vaccine("MMR").await })).await["verdict"], "not_eligible");
    let flu = ada.ask_for("FLU").await;
    assert_eq!(ada.get(&format!("/vaccine-requests/{flu}")).await.ok()["status"], "approved");
    ada.post("/vaccine-requests/eligibility", json!({ "vaccine_id": uuid::Uuid::now_v7() }))
        .await
        .violates(&[("vaccine_id", "unknown")]);
}

#[tokio::test]
async fn a_request_cannot_become_one_that_the_rules_forbid() {
    let app = TestApp::start(BACKEND).await;
    let (ada, staff) = (app.patient().await, app.staff().await);
    ada.patch("/users/me", json!({ "birth_date": "1985-12-10" })).await.ok();
    let request = format!("/vaccine-requests/{}", ada.ask_for("MMR").await);
    let rota = json!({ "vaccine_id": app.vaccine("ROTA").await });
    ada.patch(&request, rota).await.problem(409, "not-eligible");
    assert_eq!(ada.get(&request).await.ok()["vaccine_id"], app.vaccine("MMR").await.to_string());
    // The birth date becomes known only after the request.
    let child =
        ada.post("/contacts", json!({ "first_name": "Byron", "last_name": "King" })).await.created()["id"].clone();
    let body = json!({ "vaccine_id": app.vaccine("ROTA").await, "contact_id": child });
    let asked = ada.post("/vaccine-requests", body).await.created();
    let patient = format!("/patients/{}", asked["patient"]["id"].as_str().unwrap());
    ada.patch(&patient, json!({ "birth_year": 2000, "birth_month": 5, "birth_day": 12 })).await.ok();
    let approve = format!("/vaccine-requests/{}/approve", asked["id"].as_str().unwrap());
    staff.post_empty(&approve).await.problem(409, "not-eligible");
    let born = app.clock.now().date_naive() - chrono::Months::new(3);
    let parts = json!({ "birth_year": born.year(), "birth_month": born.month(), "birth_day": born.day() });
    ada.patch(&patient, parts).await.ok();
    assert_eq!(staff.post_empty(&approve).await.ok()["status"], "approved");
}
