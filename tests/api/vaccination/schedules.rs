//! Schedules, doses that were given elsewhere, and what follows for the next dose. The test cases of CDC are in
//! `tests/schedules`.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use reqwest::Method;
use sea_orm::{EntityTrait as _, Set};
use serde_json::{Value, json};
use uuid::Uuid;

use super::clinic::{Clinic, book};
use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::response::TestResponse;

/// Cases whose earliest day differs; `docs/schedules.md` has the reasons.
const DIFFERENT: [&str; 2] = ["2013-0208", "2013-0539"];

/// Courses of each CVX code: that of the vaccine first.
const PRODUCTS: [(&str, &[&str]); 29] = [
    ("03", &["MMR"]),
    ("05", &["MMR"]),
    ("06", &["OTHER"]),
    ("07", &["OTHER"]),
    ("08", &["HEPB"]),
    ("104", &["HEPB", "HEPA"]),
    ("110", &["HEPB"]),
    ("116", &["ROTA"]),
    ("119", &["ROTA"]),
    ("121", &["ZOSTER", "VAR"]),
    ("122", &["ROTA"]),
    ("136", &["MENACWY"]),
    ("147", &["MENACWY"]),
    ("149", &["OTHER"]),
    ("162", &["MENB"]),
    ("163", &["MENB"]),
    ("164", &["MENB"]),
    ("187", &["ZOSTER"]),
    ("189", &["HEPB"]),
    ("203", &["MENACWY"]),
    ("21", &["VAR"]),
    ("220", &["HEPB"]),
    ("316", &["MENACWY", "MENB"]),
    ("328", &["MENACWY", "MENB"]),
    ("43", &["HEPB"]),
    ("45", &["HEPB"]),
    ("51", &["HEPB"]),
    ("52", &["HEPA"]),
    ("94", &["MMR", "VAR"]),
];

fn document(course: &str) -> Value {
    let path = format!("{}/tests/schedules/{}.json", env!("CARGO_MANIFEST_DIR"), course.to_lowercase());
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

async fn put(admin: &Actor<'_>, course: &Value, tag: &str, document: &Value) -> TestResponse {
    let path = format!("/courses/{}/schedule", course.as_str().unwrap());
    let request = admin.request(Method::PUT, &path).header("If-Match", tag).json(document);
    admin.app.send(request).await
}

/// Ids of the courses by code. Those that the catalogue does not have are created.
async fn courses(app: &TestApp, admin: &Actor<'_>) -> BTreeMap<String, Value> {
    for code in ["HEPA", "MENB", "ZOSTER", "OTHER"] {
        admin.post("/courses", json!({ "code": code, "name": code })).await.created();
    }
    let page = app.get("/api/v1/courses?limit=100").await.ok();
    let courses = page["items"].as_array().unwrap().iter();
    courses.map(|course| (course["code"].as_str().unwrap().to_owned(), course["id"].clone())).collect()
}

/// A person without an account.
async fn person(app: &TestApp, born: NaiveDate) -> Uuid {
    let (id, now) = (Uuid::now_v7(), app.clock.now());
    let patient = entity::patients::ActiveModel {
        id: Set(id),
        relation: Set(entity::PatientRelation::WalkIn),
        name: Set(Some("Ada".into())),
        birth_year: Set(i16::try_from(born.year()).ok()),
        birth_month: Set(i16::try_from(born.month()).ok()),
        birth_day: Set(i16::try_from(born.day()).ok()),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    entity::patients::Entity::insert(patient).exec_without_returning(&app.state().db).await.unwrap();
    id
}

/// A schedule of two doses, the second 28 days after the first.
fn two_doses() -> Value {
    json!({ "series": [{ "name": "2 doses", "doses": [
        { "age": { "absolute_minimum": "12 months - 4 days", "minimum": "12 months" } },
        { "intervals": [{ "from": "previous", "absolute_minimum": "24 days", "minimum": "28 days" }] },
    ] }] })
}

#[tokio::test]
async fn a_schedule_has_versions_and_is_put_after_the_one_that_was_read() {
    let app = TestApp::start(BACKEND).await;
    let (admin, staff, patient) = (app.admin().await, app.staff().await, app.patient().await);
    let course = courses(&app, &admin).await["MMR"].clone();
    let path = format!("/api/v1/courses/{}/schedule", course.as_str().unwrap());
    let none = app.get(&path).await;
    assert_eq!((none.header("etag"), &none.ok()["document"]), ("\"0\"", &Value::Null));
    put(&staff, &course, "\"0\"", &two_doses()).await.problem(403, "forbidden");
    put(&patient, &course, "\"0\"", &two_doses()).await.problem(403, "forbidden");
    let first = put(&admin, &course, "\"0\"", &two_doses()).await;
    assert_eq!((first.header("etag"), &first.ok()["version"]), ("\"1\"", &json!(1)));
    assert_eq!(app.get(&path).await.ok(), first.ok());
    for tag in ["\"2147483647\"", "\"0\"", "\"2\"", "*", "1", "W/\"1\"", "\"one\""] {
        put(&admin, &course, tag, &two_doses()).await.problem(412, "precondition-failed");
    }
    let without = admin.request(Method::PUT, &format!("/courses/{}/schedule", course.as_str().unwrap()));
    app.send(without.json(&two_doses())).await.violates(&[("If-Match", "required")]);
    let second = put(&admin, &course, "\"1\"", &two_doses()).await.ok();
    assert_eq!(second["version"], 2);
    put(&admin, &json!(Uuid::now_v7()), "\"0\"", &two_doses()).await.problem(404, "not-found");
    let answer = patient.post("/vaccine-requests/eligibility", json!({ "course_id": course })).await.ok();
    assert_eq!((&answer["schedule_version"], &answer["series"]), (&json!(2), &json!("2 doses")));
}

#[tokio::test]
async fn a_bad_document_is_refused_with_pointers() {
    let app = TestApp::start(BACKEND).await;
    let admin = app.admin().await;
    let course = courses(&app, &admin).await["MMR"].clone();
    let with = |doses: Value| json!({ "series": [{ "name": "one", "doses": doses }] });
    let later = json!([{}, { "intervals": [{ "from": 2, "minimum": "1 day" }] }]);
    for (document, pointer, code) in [
        (json!({}), "/series", "required"),
        // The whole document.
        (json!([]), ".", "type"),
        (json!({ "series": [] }), "/series", "length"),
        (json!({ "series": [{ "name": "one", "doses": [], "dozes": [] }] }), "/series/0/dozes", "type"),
        (with(json!([{ "age": { "minimum": "two moons" } }])), "/series/0/doses/0/age/minimum", "type"),
        (
            with(json!([{ "age": { "minimum": "2 years", "maximum": "12 months" } }])),
            "/series/0/doses/0/age/maximum",
            "order",
        ),
        (with(later), "/series/0/doses/1/intervals/0/from", "order"),
        (with(json!([{ "products": [{ "cvx": "MMR" }] }])), "/series/0/doses/0/products/0/cvx", "format"),
        (
            with(json!([{ "products": [{ "vaccine_id": Uuid::nil() }] }])),
            "/series/0/doses/0/products/0/vaccine_id",
            "unknown",
        ),
        (
            json!({ "series": [{ "name": "one", "doses": [{}] }], "conflicts": [{ "with": ["NONE"], "minimum": "28 days" }] }),
            "/conflicts/0/with/0",
            "unknown",
        ),
        (
            json!({ "series": [{ "name": "one", "doses": [{}] }], "window": { "from": "2026-10-01", "until": "2026-09-30" } }),
            "/window/until",
            "order",
        ),
    ] {
        let problem = put(&admin, &course, "\"0\"", &document).await.problem(422, "invalid");
        assert_eq!((&problem["errors"][0]["field"], &problem["errors"][0]["code"]), (&json!(pointer), &json!(code)));
    }
    let path = format!("/api/v1/courses/{}/schedule", course.as_str().unwrap());
    assert_eq!(app.get(&path).await.ok()["version"], 0);
}

#[tokio::test]
async fn doses_are_judged_by_date_and_anew_whenever_one_is_added() {
    let app = TestApp::start(BACKEND).await;
    let (admin, patient) = (app.admin().await, app.patient().await);
    let course = courses(&app, &admin).await["MMR"].clone();
    put(&admin, &course, "\"0\"", &two_doses()).await.ok();
    let vaccine = app.vaccine("MMR").await;
    patient.patch("/users/me", json!({ "birth_date": "1985-12-10" })).await.ok();
    let report = async |day: &str| {
        patient.post("/immunizations", json!({ "vaccine_id": vaccine, "administered_on": day })).await.created()
    };
    let second = json!({ "vaccine_id": vaccine, "dose_number": 2 });
    patient.post("/vaccine-requests", second.clone()).await.problem(409, "not-eligible");
    let late = report("2026-05-29").await;
    assert_eq!((&late["counts"], &late["dose_number"], &late["source"]), (&json!(true), &json!(1), &json!("reported")));
    // Twenty days before: now that is the first one, and the other is too early to be the second.
    let early = report("2026-05-09").await;
    assert_eq!((&early["counts"], &early["dose_number"]), (&json!(true), &json!(1)));
    let list = patient.get("/immunizations").await.ok();
    let of = |id: &Value| list["items"].as_array().unwrap().iter().find(|dose| dose["id"] == *id).unwrap().clone();
    let judged = of(&late["id"]);
    assert_eq!(
        (&judged["counts"], &judged["dose_number"], &judged["rule"]),
        (&json!(false), &Value::Null, &json!("interval"))
    );
    patient
        .post("/immunizations", json!({ "vaccine_id": vaccine, "administered_on": "2026-05-09" }))
        .await
        .problem(409, "dose-recorded");
    let tomorrow = app.clock.now().date_naive() + chrono::Days::new(2);
    patient
        .post("/immunizations", json!({ "vaccine_id": vaccine, "administered_on": tomorrow }))
        .await
        .violates(&[("administered_on", "future")]);
    // 28 days after the last dose, whether it counts or not.
    for (on, verdict) in [("2026-06-25", "not_eligible"), ("2026-06-26", "eligible")] {
        let body = json!({ "vaccine_id": vaccine, "on": on });
        let answer = patient.post("/vaccine-requests/eligibility", body).await.ok();
        assert_eq!((&answer["verdict"], &answer["earliest_on"]), (&json!(verdict), &json!("2026-06-26")), "{answer}");
        assert_eq!((&answer["dose_number"], answer["history"].as_array().unwrap().len()), (&json!(2), 2));
    }
    patient.post("/vaccine-requests", second).await.created();
    // Others do not see them; staff do, which is recorded.
    let eve = app.patient().await;
    let path = format!("/immunizations?patient_id={}", late["patient_id"].as_str().unwrap());
    assert_eq!(eve.get(&path).await.ok()["items"], json!([]));
    assert_eq!(app.staff().await.get(&path).await.ok()["items"].as_array().unwrap().len(), 2);
    let activity = patient.get("/users/me/activity").await.ok();
    assert!(activity["items"].as_array().unwrap().iter().any(|event| event["action"] == "patient_read"));
    assert_eq!(patient.get("/users/me/export").await.ok()["immunizations"].as_array().unwrap().len(), 2);
    let erased = patient.post("/users/me/deletion", json!({ "password": PASSWORD })).await.ok();
    assert_eq!(erased["erased"]["immunizations"], 2);
}

#[tokio::test]
async fn a_booking_keeps_the_interval_to_the_dose_before() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let flu = app.vaccine("FLU").await;
    let course = courses(&app, &clinic.admin).await["FLU"].clone();
    put(&clinic.admin, &course, "\"0\"", &two_doses()).await.ok();
    let patient = app.patient().await;
    let today = app.clock.now().date_naive();
    let day = today - chrono::Days::new(20);
    patient.post("/immunizations", json!({ "vaccine_id": flu, "administered_on": day })).await.created();
    let body = json!({ "vaccine_id": flu, "dose_number": 2 });
    let request = patient.post("/vaccine-requests", body).await.created()["id"].as_str().unwrap().to_owned();
    clinic.admin.post_empty(&format!("/vaccine-requests/{request}/approve")).await.ok();
    let earliest = (day + chrono::Days::new(28)).and_hms_opt(12, 0, 0).unwrap().and_utc();
    let slots = [clinic.slot_at(earliest - chrono::Duration::days(1), 1).await, clinic.slot_at(earliest, 1).await];
    let problem = book(&patient, &request, &slots[0]).await.problem(409, "not-eligible");
    assert_eq!(problem["eligibility"]["earliest_on"], json!(day + chrono::Days::new(28)));
    let rules = problem["eligibility"]["rules"].as_array().unwrap();
    let failed: Vec<_> = rules.iter().filter(|rule| rule["outcome"] == "grace").map(|rule| &rule["rule"]).collect();
    assert_eq!(failed, [&json!("interval")]);
    book(&patient, &request, &slots[1]).await.ok();
    clinic.recount().await;
}

#[tokio::test]
async fn cases_of_cdc_are_judged_and_planned_as_expected() {
    let app = TestApp::start(BACKEND).await;
    let (admin, staff) = (app.admin().await, app.staff().await);
    let courses = courses(&app, &admin).await;
    for course in ["HEPA", "HEPB", "MENACWY", "MENB", "MMR", "ROTA", "VAR", "ZOSTER"] {
        put(&admin, &courses[course], "\"0\"", &document(course)).await.ok();
    }
    let mut vaccines = BTreeMap::new();
    let (mut different, mut count) = (Vec::new(), 0);
    for line in include_str!("../../schedules/cases.csv").lines().skip(1) {
        let [case, course, born, on, doses, earliest_on] = line.split(',').collect::<Vec<_>>().try_into().unwrap();
        let patient = person(&app, born.parse().unwrap()).await;
        let mut expected = BTreeMap::new();
        // Reported in the opposite order: only the dates matter.
        for dose in doses.rsplit("; ").filter(|dose| !dose.is_empty()) {
            let [day, cvx, manufacturer, outcome] = dose.split(' ').collect::<Vec<_>>().try_into().unwrap();
            let key = format!("{cvx}-{manufacturer}");
            if !vaccines.contains_key(&key) {
                let of = PRODUCTS.iter().find(|(code, _)| *code == cvx).map_or(&["HEPA"][..], |(_, courses)| courses);
                let body = json!({
                    "code": key, "name": key, "manufacturer": manufacturer, "doses": 1, "cvx_code": cvx,
                    "course_id": courses[of[0]], "also_counts_for": of[1..],
                });
                vaccines.insert(key.clone(), admin.post("/vaccines", body).await.created()["id"].clone());
            }
            let body = json!({ "patient_id": patient, "vaccine_id": vaccines[&key], "administered_on": day });
            let reported = staff.post("/immunizations", body).await.created();
            if outcome != "other" {
                expected.insert(reported["id"].as_str().unwrap().to_owned(), outcome == "counts");
            }
        }
        let body = json!({ "patient_id": patient, "course_id": courses[course], "on": on });
        let answer = staff.post("/vaccine-requests/eligibility", body).await.ok();
        assert_eq!((&answer["course"], &answer["schedule_version"]), (&json!(course), &json!(1)));
        let counts: BTreeMap<_, _> = answer["history"]
            .as_array()
            .unwrap()
            .iter()
            .map(|dose| (dose["immunization_id"].as_str().unwrap().to_owned(), dose["counts"].as_bool().unwrap()))
            .collect();
        assert_eq!(counts, expected, "{case}: {answer}");
        if answer["earliest_on"].as_str().unwrap_or_default() != earliest_on {
            different.push(case);
        }
        count += 1;
    }
    assert_eq!((count, different.as_slice()), (209, DIFFERENT.as_slice()));
}
