//! Patients: who asks, and how staff find them.

use chrono::Datelike as _;
use sea_orm::{EntityTrait as _, PaginatorTrait as _};
use serde_json::{Value, json};

use super::clinic::{Clinic, book};
use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::{PASSWORD, TestApp};

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
    // Looking is recorded, for each person, and also if nobody is found.
    let activity = ada.get("/users/me/activity").await.ok();
    let reads = activity["items"].as_array().unwrap().iter().filter(|event| event["action"] == "patient_read");
    assert_eq!(reads.count(), 7, "{activity}");
    let searches = app.admin().await.get(&format!("/audit-events?actor_id={}&limit=100", staff.id)).await.ok();
    let empty = searches["items"].as_array().unwrap().iter().filter(|event| event["detail"] == "nobody found");
    assert_eq!(empty.count(), 4, "{searches}");
    bob.get("/vaccine-requests").await.ok();
    let activity = bob.get("/users/me/activity").await.ok();
    assert!(!activity.to_string().contains("patient_read"), "{activity}");
}

#[tokio::test]
async fn staff_see_how_many_requests_there_are_for_each_status() {
    let app = TestApp::start(BACKEND).await;
    let (ada, staff) = (app.patient().await, app.staff().await);
    let act = async |id: &str, action: &str, body: Value| {
        staff.post(&format!("/vaccine-requests/{id}/{action}"), body).await.ok();
    };
    let (_, approved, rejected) = (ada.ask_for("MMR").await, ada.ask_for("FLU").await, ada.ask_for("BCG").await);
    act(&approved, "approve", json!({})).await;
    act(&rejected, "reject", json!({ "reason": "Not needed." })).await;
    for vaccine in ["HEPB", "HPV"] {
        let id = ada.ask_for(vaccine).await;
        act(&id, "cancel", json!({})).await;
    }
    let expected = json!({
        "limit": 10_000, "pending": 1, "approved": 1, "rejected": 1, "booked": 0, "administered": 0, "missed": 0,
        "cancelled": 2,
    });
    assert_eq!(staff.get("/vaccine-requests/counts").await.ok(), expected);
    ada.get("/vaccine-requests/counts").await.problem(403, "forbidden");
}

#[tokio::test]
async fn staff_search_patients_by_what_their_account_has() {
    let app = TestApp::start(BACKEND).await;
    let (ada, staff) = (app.patient().await, app.staff().await);
    ada.patch("/users/me", json!({ "nid": "19121815-AL", "phone_number": "+44 20 7946 0018", "name": "Zoë Müller" }))
        .await
        .ok();
    ada.ask_for("MMR").await;
    let child = ada.post("/contacts", json!({ "first_name": "Byron", "last_name": "King" })).await.created();
    let body = json!({ "vaccine_id": app.vaccine("MMR").await, "contact_id": child["id"] });
    ada.post("/vaccine-requests", body).await.created();
    let found = async |query: &[(&str, &str)]| {
        let request =
            staff.request(reqwest::Method::GET, "/patients").query(query).query(&[("purpose", "telephone call")]);
        let page = app.send(request).await.ok();
        let names = page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    // An account has several patients.
    for query in [("email", ada.email.as_str()), ("phone_number", "442079460018"), ("nid", "19121815al")] {
        assert_eq!(found(&[query]).await, ["Byron King", "Zoë Müller"], "{query:?}");
    }
    // With accents and without.
    for text in ["müller", "muller", "zoe mul", "ZOE\u{308}"] {
        assert_eq!(found(&[("q", text)]).await, ["Zoë Müller"], "{text}");
    }
    assert_eq!(found(&[("email", &ada.email), ("q", "byron")]).await, ["Byron King"]);
    assert_eq!(found(&[("nid", "1912")]).await, Vec::<String>::new());
    for (query, field) in [("q=ada", "purpose"), ("email=ada@example.org", "purpose"), ("purpose=test", "q")] {
        staff.get(&format!("/patients?{query}")).await.violates(&[(field, "required")]);
        ada.get(&format!("/patients?{query}")).await.problem(403, "forbidden");
    }
    let listed = ada.get("/patients").await.ok();
    assert_eq!(
        (&listed["items"][0]["contact_id"], &listed["items"][1]["user_id"]),
        (&child["id"], &json!(ada.id)),
        "{listed}"
    );
}

#[tokio::test]
async fn a_patient_follows_the_profile_or_the_contact() {
    let app = TestApp::start(BACKEND).await;
    let (ada, staff) = (app.patient().await, app.staff().await);
    let contact = ada.post("/contacts", json!({ "first_name": "Byron", "last_name": "King" })).await.created();
    let own = format!("/vaccine-requests/{}", ada.ask_for("MMR").await);
    let body = json!({ "vaccine_id": app.vaccine("ROTA").await, "contact_id": contact["id"] });
    let keyed = ada.request(reqwest::Method::POST, "/vaccine-requests").header("idempotency-key", "child");
    let created = app.send(keyed.json(&body)).await.created();
    let of_contact = format!("/vaccine-requests/{}", created["id"].as_str().unwrap());
    let patient = async |request: &str| ada.get(request).await.ok()["patient"].clone();

    ada.patch("/users/me", json!({ "birth_date": "1985-12-10" })).await.ok();
    assert_eq!(patient(&own).await["birth_year"], 1985);
    ada.patch("/users/me", json!({ "name": "Ada King" })).await.ok();
    let renamed = patient(&own).await;
    assert_eq!((&renamed["name"], &renamed["birth_day"]), (&json!("Ada King"), &json!(10)));
    assert_eq!(found(&staff, &[("q", "ada king")]).await.len(), 1);
    assert_eq!(found(&staff, &[("q", "lovelace")]).await.len(), 0);

    let path = format!("/contacts/{}", contact["id"].as_str().unwrap());
    ada.patch(&path, json!({ "last_name": "Noel", "birth_year": 2000, "birth_month": 5, "birth_day": 12 })).await.ok();
    let seen = ada.get(&of_contact).await.ok();
    assert_eq!((&seen["patient"]["name"], &seen["patient"]["birth_year"]), (&json!("Byron Noel"), &json!(2000)));
    assert_eq!((&seen["contact"]["last_name"], &seen["contact"]["birth_month"]), (&json!("Noel"), &json!(5)));
    assert_eq!(found(&staff, &[("q", "noel")]).await.len(), 1);
    // The rules see the new birth date.
    staff.post_empty(&format!("{of_contact}/approve")).await.problem(409, "not-eligible");
    // A change of the patient leaves the contact as it is.
    let of_patient = format!("/patients/{}", seen["patient"]["id"].as_str().unwrap());
    ada.patch(&of_patient, json!({ "name": "Byron Milbanke" })).await.ok();
    let seen = ada.get(&of_contact).await.ok();
    assert_eq!((&seen["patient"]["name"], &seen["contact"]["first_name"]), (&json!("Byron Milbanke"), &json!("Byron")));
    assert_eq!(seen["contact"]["last_name"], "Noel");

    // A new name leaves the birth date, and the other way round.
    ada.patch(&of_patient, json!({ "birth_year": 2019 })).await.ok();
    ada.patch(&path, json!({ "last_name": "Milbanke" })).await.ok();
    let seen = patient(&of_contact).await;
    assert_eq!((&seen["name"], &seen["birth_year"]), (&json!("Byron Milbanke"), &json!(2019)));
    ada.patch(&of_patient, json!({ "name": "Byron Noel Milbanke" })).await.ok();
    ada.patch(&path, json!({ "birth_day": 13 })).await.ok();
    let seen = patient(&of_contact).await;
    assert_eq!(
        (&seen["name"], &seen["birth_day"], &seen["birth_year"]),
        (&json!("Byron Noel Milbanke"), &json!(13), &json!(2000))
    );
    // Another member of the contact changes nothing.
    ada.patch(&path, json!({ "note": "Likes the sea." })).await.ok();
    assert_eq!(patient(&of_contact).await, seen);
    let activity = ada.get("/users/me/activity?limit=100").await.ok();
    let changes = activity["items"].as_array().unwrap().iter().filter(|event| event["action"] == "patient_changed");
    assert_eq!(changes.count(), 6, "{activity}");

    // With the contact, name and birth date are deleted.
    ada.delete(&path).await.problem(409, "contact-in-use");
    assert_eq!(patient(&of_contact).await["name"], "Byron Noel Milbanke");
    ada.post_empty(&format!("{of_contact}/cancel")).await.ok();
    ada.delete(&path).await.no_content();
    let left = ada.get(&of_contact).await.ok();
    assert_eq!((&left["patient"]["name"], &left["patient"]["birth_year"]), (&Value::Null, &Value::Null));
    assert_eq!((&left["for_contact"], &left["contact"]), (&json!(true), &Value::Null));
    assert_eq!(found(&staff, &[("q", "milbanke")]).await.len(), 0);
    // So is the stored response.
    assert_eq!(entity::idempotency_keys::Entity::find().count(&app.state().db).await.unwrap(), 0);
}

#[tokio::test]
async fn from_the_first_dose_on_a_patient_stays_as_it_is() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let ada = app.patient().await;
    let contact = ada.post("/contacts", json!({ "first_name": "Byron", "last_name": "King" })).await.created();
    let body = json!({ "vaccine_id": app.vaccine("FLU").await, "contact_id": contact["id"] });
    let of_contact = ada.post("/vaccine-requests", body).await.created()["id"].as_str().unwrap().to_owned();
    let own = ada.ask_for("FLU").await;
    let (slot, lot) = (clinic.slot(1, 2).await, clinic.lot("FLU", 2).await);
    for request in [&own, &of_contact] {
        clinic.admin.post_empty(&format!("/vaccine-requests/{request}/approve")).await.ok();
        book(&ada, request, &slot).await.ok();
        clinic.give(request, &lot).await.ok();
    }
    ada.patch("/users/me", json!({ "name": "Somebody Else", "birth_date": "1985-12-10" })).await.ok();
    let path = format!("/contacts/{}", contact["id"].as_str().unwrap());
    ada.patch(&path, json!({ "first_name": "Ralph" })).await.ok();
    ada.delete(&path).await.no_content();
    for (request, name) in [(&own, "Ada Lovelace"), (&of_contact, "Byron King")] {
        let patient = ada.get(&format!("/vaccine-requests/{request}")).await.ok()["patient"].clone();
        assert_eq!((&patient["name"], &patient["birth_year"]), (&json!(name), &Value::Null));
        // Only staff correct it.
        let path = format!("/patients/{}", patient["id"].as_str().unwrap());
        ada.patch(&path, json!({ "birth_year": 1990 })).await.problem(403, "forbidden");
        assert_eq!(clinic.admin.patch(&path, json!({ "birth_year": 1990 })).await.ok()["birth_year"], 1990);
    }
}

/// Somebody who never verified the address was vaccinated: whoever registers it next does not get the record.
#[tokio::test]
async fn a_vaccinated_patient_leaves_an_account_that_gets_another_owner() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (email, name) = ("victim@example.org", "Mallory");
    let account = json!({ "name": name, "email": email, "password": PASSWORD, "birth_date": "1985-12-10" });
    let account = app.post("/api/v1/auth/register", account).await.created()["id"].as_str().unwrap().to_owned();
    let mallory = Actor::log_in(&app, account.parse().unwrap(), email.to_owned()).await;
    let request = mallory.ask_for("FLU").await;
    clinic.admin.post_empty(&format!("/vaccine-requests/{request}/approve")).await.ok();
    let (slot, lot) = (clinic.slot(1, 1).await, clinic.lot("FLU", 1).await);
    book(&mallory, &request, &slot).await.ok();
    let dose = clinic.give(&request, &lot).await.ok()["immunization"].clone();
    let reported = json!({ "vaccine_id": app.vaccine("TDAP").await, "administered_on": "2020-01-01" });
    mallory.post("/immunizations", reported).await.created();
    let silent = [("CARE4U__REGISTRATION__ON_DUPLICATE", "silent")];
    let silent = TestApp::start_on(app.database.clone(), &silent).await;
    silent.register(email).await.accepted();
    let path = format!("/patients/{}", dose["patient_id"].as_str().unwrap());
    let patient = clinic.admin.get(&path).await.ok();
    assert_eq!((&patient["user_id"], &patient["name"]), (&Value::Null, &json!(name)));
    assert_eq!((&patient["relation"], &patient["birth_year"]), (&json!("walk_in"), &json!(1985)));
    let requests = clinic.admin.get(&format!("/vaccine-requests?user_id={account}")).await.ok();
    assert_eq!(requests["items"], json!([]));
    let doses = clinic.admin.get(&format!("/immunizations?patient_id={}", patient["id"].as_str().unwrap())).await.ok();
    assert_eq!(doses["items"].as_array().unwrap().len(), 2);
    clinic.recount().await;
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
    let searches = app.admin().await.get(&format!("/audit-events?actor_id={}", staff.id)).await.ok();
    let last = &searches["items"][0];
    assert_eq!(
        (&last["action"], &last["detail"], &last["object_id"]),
        (&json!("patient_read"), &json!("recall"), &Value::Null)
    );
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
}

#[tokio::test]
async fn eligibility_is_checked_for_a_course_and_for_a_patient() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob, staff, admin) = (app.patient().await, app.patient().await, app.staff().await, app.admin().await);
    let rota = app.vaccine("ROTA").await;
    let course = app.get(&format!("/api/v1/vaccines/{rota}")).await.ok()["course_id"].clone();
    ada.patch("/users/me", json!({ "birth_date": "1985-12-10" })).await.ok();
    ada.ask_for("FLU").await;
    let patient = ada.get("/patients").await.ok()["items"][0]["id"].clone();
    let by_course = json!({ "course_id": course, "patient_id": patient });
    let judged = staff.post("/vaccine-requests/eligibility", by_course.clone()).await.ok();
    assert_eq!(judged["verdict"], "not_eligible");
    assert_eq!(ada.post("/vaccine-requests/eligibility", by_course.clone()).await.ok(), judged);
    // Another vaccine of the course has no age limit: then that is the answer.
    let adult = json!({
        "code": "ROTA-A", "name": "Rotavirus for adults", "manufacturer": "Northlight Vaccines", "doses": 2, "course_id": course,
    });
    admin.post("/vaccines", adult).await.created();
    assert_eq!(staff.post("/vaccine-requests/eligibility", by_course.clone()).await.ok()["verdict"], "eligible");
    let activity = ada.get("/users/me/activity").await.ok();
    let reads = activity["items"].as_array().unwrap().iter().filter(|event| event["action"] == "patient_read");
    assert_eq!(reads.count(), 2, "{activity}");

    let unknown = uuid::Uuid::now_v7();
    for (body, violation) in [
        (by_course, ("patient_id", "unknown")),
        (json!({}), ("vaccine_id", "required")),
        (json!({ "vaccine_id": unknown }), ("vaccine_id", "unknown")),
        (json!({ "course_id": unknown }), ("course_id", "unknown")),
        (json!({ "vaccine_id": rota, "course_id": course }), ("course_id", "both")),
        (json!({ "vaccine_id": rota, "contact_id": unknown }), ("contact_id", "unknown")),
        (json!({ "vaccine_id": rota, "contact_id": unknown, "patient_id": unknown }), ("patient_id", "both")),
    ] {
        bob.post("/vaccine-requests/eligibility", body).await.violates(&[violation]);
    }
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
