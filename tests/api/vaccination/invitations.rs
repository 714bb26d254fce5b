//! Invitations: create, list, revoke, and their use for a request.

use std::sync::Arc;

use care4u::domain::vaccination::invitation_codes;
use chrono::Duration;
use futures_util::future::join_all;
use reqwest::Method;
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, EntityTrait, PaginatorTrait, QueryFilter as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::clinic::{Clinic, add_centre, book, deadlocks, end};
use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::response::TestResponse;

/// A code that no invitation has.
const WRONG: &str = "0000-0000-0000";

/// Returns the id of the course of a vaccine.
pub(super) async fn course(app: &TestApp, vaccine: &str) -> Value {
    let vaccine = app.vaccine(vaccine).await;
    app.get(&format!("/api/v1/vaccines/{vaccine}")).await.ok()["course_id"].clone()
}

/// The body of an invitation for FLU that ends in a month, with more members.
async fn body(app: &TestApp, members: Value) -> Value {
    let valid_until = app.clock.now() + Duration::days(30);
    let mut body = json!({ "course_id": course(app, "FLU").await, "valid_until": valid_until });
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body
}

async fn invite(staff: &Actor<'_>, members: Value) -> Value {
    staff.post("/invitations", body(staff.app, members).await).await.created()
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap()
}

async fn ask(patient: &Actor<'_>, code: &str) -> TestResponse {
    let body = json!({ "vaccine_id": patient.app.vaccine("FLU").await, "invitation_code": code });
    patient.post("/vaccine-requests", body).await
}

async fn attach(patient: &Actor<'_>, request: &str, code: &str) -> TestResponse {
    patient.put(&format!("/vaccine-requests/{request}/invitation"), json!({ "invitation_code": code })).await
}

#[track_caller]
fn is_refused(response: &TestResponse) {
    response.violates(&[("invitation_code", "unknown")]);
}

async fn stored(app: &TestApp, invitation: &Value) -> entity::invitations::Model {
    let id: Uuid = text(invitation, "id").parse().unwrap();
    entity::invitations::Entity::find_by_id(id).one(&app.state().db).await.unwrap().unwrap()
}

/// The invitation of a request.
async fn invitation_of(app: &TestApp, request: &str) -> Option<Uuid> {
    let id: Uuid = request.parse().unwrap();
    let request = entity::vaccine_requests::Entity::find_by_id(id).one(&app.state().db).await.unwrap();
    request.unwrap().invitation_id
}

#[tokio::test]
async fn staff_invite_and_see_who_came() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob, eve, staff) = (app.patient().await, app.patient().await, app.patient().await, app.staff().await);
    let response = staff.post("/invitations", body(&app, json!({ "max_uses": 2, "label": "Nurses" })).await).await;
    let created = response.created();
    let (path, code) = (format!("/invitations/{}", text(&created, "id")), text(&created, "code"));
    assert_eq!(response.header("location"), format!("/api/v1{path}"));
    assert_eq!(response.header("cache-control"), "no-store");
    assert_eq!(code.split('-').map(str::len).collect::<Vec<_>>(), [4, 4, 4]);
    assert_eq!((&created["label"], &created["creator_id"]), (&json!("Nurses"), &json!(staff.id)));

    // In another spelling.
    let first = ask(&ada, &format!(" {} ", code.to_lowercase().replace('-', " "))).await.created();
    let shown = staff.get(&path).await.ok();
    assert_eq!((&shown["used"], &shown["max_uses"], shown.get("code")), (&json!(1), &json!(2), None));
    let uses = shown["uses"].as_array().unwrap();
    assert_eq!((uses.len(), &uses[0]["request_id"]), (1, &first["id"]));
    assert_eq!(uses[0]["patient_id"], first["patient"]["id"]);
    assert_eq!(staff.get("/invitations").await.ok()["items"], json!([shown]));
    assert_eq!(invitation_of(&app, text(&first, "id")).await.map(|id| json!(id)), Some(created["id"].clone()));

    // The same person uses it again, without being counted, also when it is used up.
    let second = ask(&bob, code).await.created();
    end(&ada, text(&first, "id"), "cancel").await.ok();
    let again = ask(&ada, code).await.created();
    is_refused(&ask(&eve, code).await);
    let shown = staff.get(&path).await.ok();
    let requests: Vec<_> = shown["uses"].as_array().unwrap().iter().map(|one| &one["request_id"]).collect();
    assert_eq!((&shown["used"], requests), (&json!(2), vec![&second["id"], &again["id"]]));

    // The code is nowhere in clear.
    let rows = entity::invitations::Entity::find().all(&app.state().db).await.unwrap();
    let rows = format!("{rows:?}");
    assert!(!rows.contains(code) && !rows.contains(&code.replace('-', "")), "{rows}");
}

#[tokio::test]
async fn of_many_who_use_a_code_as_many_as_it_allows_succeed() {
    let app = TestApp::start(BACKEND).await;
    let staff = app.staff().await;
    let people = [app.patient().await, app.patient().await, app.patient().await];
    let before = deadlocks(&app).await;
    let (two, one) = (invite(&staff, json!({ "max_uses": 2 })).await, invite(&staff, json!({})).await);
    for (invitation, expected) in [(&two, 2), (&one, 1)] {
        let answers = join_all(people.iter().map(|patient| ask(patient, text(invitation, "code")))).await;
        for refused in answers.iter().filter(|answer| answer.status != 201) {
            is_refused(refused);
        }
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), expected);
        let shown = staff.get(&format!("/invitations/{}", text(invitation, "id"))).await.ok();
        assert_eq!((&shown["used"], shown["uses"].as_array().unwrap().len()), (&json!(expected), expected));
        for (answer, patient) in answers.iter().zip(&people).filter(|(answer, _)| answer.status == 201) {
            end(patient, text(&answer.json(), "id"), "cancel").await.ok();
        }
    }
    assert_eq!(deadlocks(&app).await, before);
}

#[tokio::test]
async fn a_bound_code_is_for_one_person_of_one_account() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob, staff) = (app.patient().await, app.patient().await, app.staff().await);
    let invitation = invite(&staff, json!({ "email": ada.email, "send_mail": true })).await;
    let code = text(&invitation, "code");
    assert!(app.mail.wait_for(&ada.email, 1).await.text.contains(code));
    let child = ada.post("/contacts", json!({ "first_name": "Byron", "last_name": "King" })).await.created();
    let for_child =
        json!({ "vaccine_id": app.vaccine("FLU").await, "contact_id": child["id"], "invitation_code": code });
    let answers = tokio::join!(ask(&ada, code), ada.post("/vaccine-requests", for_child), ask(&bob, code));
    is_refused(&answers.2);
    let of_ada = [&answers.0, &answers.1];
    assert_eq!(of_ada.iter().filter(|answer| answer.status == 201).count(), 1, "{of_ada:?}");
    of_ada.iter().filter(|answer| answer.status != 201).for_each(|answer| is_refused(answer));
    assert_eq!(staff.get(&format!("/invitations/{}", text(&invitation, "id"))).await.ok()["used"], 1);
}

#[tokio::test]
async fn invitations_that_cannot_be_used_look_alike() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob, staff) = (app.patient().await, app.patient().await, app.staff().await);
    let now = app.clock.now();
    let used_up = invite(&staff, json!({})).await;
    ask(&bob, text(&used_up, "code")).await.created();
    let revoked = invite(&staff, json!({})).await;
    for _ in 0..2 {
        staff.delete(&format!("/invitations/{}", text(&revoked, "id"))).await.no_content();
    }
    let reasons = [
        ("used up", used_up),
        ("revoked", revoked),
        ("expired", invite(&staff, json!({ "valid_until": now + Duration::hours(1) })).await),
        ("not valid yet", invite(&staff, json!({ "valid_from": now + Duration::days(3) })).await),
        ("another course", invite(&staff, json!({ "course_id": course(&app, "MMR").await })).await),
        ("another address", invite(&staff, json!({ "email": bob.email })).await),
        ("another national id", invite(&staff, json!({ "nid": "19121815-AL" })).await),
        ("unknown", json!({ "code": WRONG })),
    ];
    app.clock.advance(Duration::hours(2));
    let (ada, staff) = (ada.on_another_device().await, staff.on_another_device().await);
    let mut answers = Vec::new();
    for (reason, invitation) in &reasons {
        answers.push((reason, ask(&ada, text(invitation, "code")).await));
    }
    assert_eq!(ada.get("/vaccine-requests").await.ok()["items"], json!([]));
    let request = ada.ask_for("FLU").await;
    for (reason, invitation) in &reasons {
        answers.push((reason, attach(&ada, &request, text(invitation, "code")).await));
    }
    for (reason, answer) in &answers {
        let mut problem = answer.problem(422, "invalid");
        problem.as_object_mut().unwrap().remove("request_id");
        let error = json!({ "field": "invitation_code", "code": "unknown", "message": "is not a valid invitation" });
        let expected = json!({
            "type": "urn:problem-type:care4u:invalid", "title": problem["title"], "status": 422,
            "detail": problem["detail"], "errors": [error],
        });
        assert_eq!(problem, expected, "{reason}");
    }
    assert_eq!(invitation_of(&app, &request).await, None);
    let used: Vec<_> = staff.get("/invitations").await.ok()["items"].as_array().unwrap().clone();
    assert_eq!(used.iter().filter(|invitation| invitation["used"] != 0).count(), 1);
    // Nobody learns by them whether another person has one.
    assert_eq!(entity::invitation_uses::Entity::find().count(&app.state().db).await.unwrap(), 1);
}

#[tokio::test]
async fn a_code_for_an_address_needs_the_verified_address() {
    let app = TestApp::start(BACKEND).await;
    let (staff, email) = (app.staff().await, "eve@example.org");
    let account = app.register(email).await.created();
    let id: Uuid = text(&account, "id").parse().unwrap();
    let eve = Actor::log_in(&app, id, email.to_owned()).await;
    let invitation = invite(&staff, json!({ "email": "EVE@example.org" })).await;
    assert_eq!(invitation["email"], email);
    is_refused(&ask(&eve, text(&invitation, "code")).await);
    let body = json!({ "email": email, "code": app.mail.code(email, 1).await, "password": PASSWORD });
    app.post("/api/v1/auth/verify-email", body).await.no_content();
    ask(&eve.on_another_device().await, text(&invitation, "code")).await.created();
}

#[tokio::test]
async fn a_code_for_a_national_id_needs_its_verified_owner() {
    let app = TestApp::start(BACKEND).await;
    let (ada, staff) = (app.patient().await, app.staff().await);
    let invitation = invite(&staff, json!({ "nid": "19121815 al" })).await;
    let code = text(&invitation, "code");
    assert_eq!(invitation["nid"], "19121815AL");
    ada.patch("/users/me", json!({ "nid": "19121815-AL" })).await.ok();
    is_refused(&ask(&ada, code).await);
    staff.post_empty(&format!("/users/{}/verify-nid", ada.id)).await.ok();
    // Not for somebody in her care.
    let child = ada.post("/contacts", json!({ "first_name": "Byron", "last_name": "King" })).await.created();
    let for_child =
        json!({ "vaccine_id": app.vaccine("FLU").await, "contact_id": child["id"], "invitation_code": code });
    is_refused(&ada.post("/vaccine-requests", for_child).await);
    ask(&ada, code).await.created();
}

#[tokio::test]
async fn a_code_can_be_used_for_an_open_request_of_one_s_own() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let invitation = invite(&clinic.admin, json!({ "max_uses": 5 })).await;
    let code = text(&invitation, "code");
    let (ada, request) = clinic.approved().await;
    attach(&ada, &request, "7KX2").await.violates(&[("invitation_code", "code")]);
    ada.put(&format!("/vaccine-requests/{request}/invitation"), json!({}))
        .await
        .violates(&[("invitation_code", "code")]);
    // Neither staff nor other people.
    attach(&clinic.admin, &request, code).await.problem(404, "not-found");
    attach(&app.patient().await, &request, code).await.problem(404, "not-found");
    attach(&ada, &Uuid::now_v7().to_string(), code).await.problem(404, "not-found");
    for _ in 0..2 {
        assert_eq!(attach(&ada, &request, code).await.ok()["id"], request);
    }
    assert_eq!(invitation_of(&app, &request).await.map(|id| json!(id)), Some(invitation["id"].clone()));
    let shown = clinic.admin.get(&format!("/invitations/{}", text(&invitation, "id"))).await.ok();
    assert_eq!((&shown["used"], &shown["uses"][0]["request_id"]), (&json!(1), &json!(request)));
    book(&ada, &request, &clinic.slot(48, 1).await).await.ok();
    attach(&ada, &request, code).await.problem(409, "request-status");
    end(&ada, &request, "cancel").await.ok();
    attach(&ada, &request, code).await.problem(409, "request-status");
    // A request for another course loses it.
    let pending = ask(&ada, code).await.created();
    let path = format!("/vaccine-requests/{}", text(&pending, "id"));
    ada.patch(&path, json!({ "note": "Mondays", "dose_number": 1 })).await.ok();
    assert!(invitation_of(&app, text(&pending, "id")).await.is_some());
    ada.patch(&path, json!({ "vaccine_id": app.vaccine("MMR").await })).await.ok();
    assert_eq!(invitation_of(&app, text(&pending, "id")).await, None);
    clinic.recount().await;
}

#[tokio::test]
async fn a_repeated_request_with_a_key_uses_its_code_once() {
    let changes = [("CARE4U__THROTTLE__ENABLED", "true"), ("CARE4U__THROTTLE__FIRST_WAIT_SECONDS", "60")];
    let app = TestApp::start_with(BACKEND, &changes).await;
    let (ada, staff) = (app.patient().await, app.staff().await);
    let invitation = invite(&staff, json!({ "max_uses": 5 })).await;
    let body = json!({ "vaccine_id": app.vaccine("FLU").await, "invitation_code": invitation["code"] });
    let send = async || {
        let request = ada.request(Method::POST, "/vaccine-requests").header("idempotency-key", "k").json(&body);
        app.send(request).await
    };
    let answers = join_all((0..5).map(|_| send())).await;
    let created = answers[0].created();
    assert!(answers.iter().all(|answer| (answer.status, &answer.text) == (201, &answers[0].text)));
    // A wait after wrong codes does not change a stored response.
    for _ in 0..5 {
        is_refused(&attach(&ada, text(&created, "id"), WRONG).await);
    }
    assert_eq!(send().await.header("idempotency-replayed"), "true");
    let shown = staff.get(&format!("/invitations/{}", text(&invitation, "id"))).await.ok();
    assert_eq!((&shown["used"], shown["uses"].as_array().unwrap().len()), (&json!(1), 1));
}

#[tokio::test]
async fn wrong_codes_are_throttled_although_nothing_else_is_kept() {
    let changes = [("CARE4U__THROTTLE__ENABLED", "true"), ("CARE4U__THROTTLE__FIRST_WAIT_SECONDS", "60")];
    let app = TestApp::start_with(BACKEND, &changes).await;
    let (ada, bob, staff) = (app.patient().await, app.patient().await, app.staff().await);
    let invitation = invite(&staff, json!({ "max_uses": 5 })).await;
    let code = text(&invitation, "code");
    // What is no code is not counted.
    for _ in 0..6 {
        ask(&ada, "7KX2").await.violates(&[("invitation_code", "code")]);
    }
    for _ in 0..5 {
        is_refused(&ask(&ada, WRONG).await);
    }
    for tried in [WRONG, code] {
        let answer = ask(&ada, tried).await;
        answer.problem(429, "too-many-requests");
        assert!((30..=60).contains(&answer.header("retry-after").parse::<i64>().unwrap()));
    }
    // Requests without a code, and other accounts, do not wait.
    let request = ada.ask_for("FLU").await;
    attach(&ada, &request, code).await.problem(429, "too-many-requests");
    ask(&bob, code).await.created();
    app.clock.advance(Duration::seconds(60));
    attach(&ada, &request, code).await.ok();
    // The right code has not reset the counter.
    is_refused(&attach(&ada, &request, WRONG).await);
    attach(&ada, &request, code).await.problem(429, "too-many-requests");
}

#[tokio::test]
async fn staff_see_and_revoke_invitations_of_their_centres_and_of_none() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (ada, staff) = (app.patient().await, app.staff().await);
    let own = add_centre(&clinic.admin, "UTC").await;
    clinic.admin.put_empty(&format!("/centres/{own}/staff/{}", staff.id)).await.no_content();
    let of_other = invite(&clinic.admin, json!({ "centre_id": clinic.centre, "email": ada.email })).await;
    let of_none = invite(&clinic.admin, json!({})).await;
    let of_own = invite(&staff, json!({ "centre_id": own })).await;
    for centre in [clinic.centre.clone(), Uuid::now_v7().to_string()] {
        let elsewhere = body(&app, json!({ "centre_id": centre })).await;
        staff.post("/invitations", elsewhere).await.violates(&[("centre_id", "unknown")]);
    }
    let ids = async |actor: &Actor<'_>, query: &str| {
        let page = actor.get(&format!("/invitations{query}")).await.ok();
        page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect::<Vec<_>>()
    };
    let [other, none, mine] = [&of_other, &of_none, &of_own].map(|invitation| invitation["id"].clone());
    assert_eq!(ids(&staff, "").await, [mine.clone(), none.clone()]);
    assert_eq!(ids(&clinic.admin, "").await, [mine.clone(), none.clone(), other.clone()]);
    assert_eq!(ids(&staff, &format!("?centre_id={}", clinic.centre)).await, Vec::<Value>::new());
    assert_eq!(ids(&staff, &format!("?centre_id={own}")).await, std::slice::from_ref(&mine));
    assert_eq!(ids(&clinic.admin, &format!("?email={}", ada.email)).await, std::slice::from_ref(&other));
    let flu = course(&app, "FLU").await;
    assert_eq!(ids(&staff, &format!("?course_id={}", flu.as_str().unwrap())).await, [mine.clone(), none.clone()]);
    let mmr = course(&app, "MMR").await;
    assert_eq!(ids(&staff, &format!("?course_id={}", mmr.as_str().unwrap())).await, Vec::<Value>::new());
    let first = clinic.admin.get("/invitations?limit=2").await.ok();
    assert_eq!(ids(&clinic.admin, &format!("?limit=2&cursor={}", text(&first, "next_cursor"))).await, [other]);

    let path = |invitation: &Value| format!("/invitations/{}", text(invitation, "id"));
    staff.get(&path(&of_other)).await.problem(404, "not-found");
    staff.delete(&path(&of_other)).await.problem(404, "not-found");
    staff.delete(&format!("/invitations/{}", Uuid::now_v7())).await.problem(404, "not-found");
    assert_eq!(stored(&app, &of_other).await.revoked_at, None);
    staff.delete(&path(&of_none)).await.no_content();
    let revoked = staff.get(&path(&of_none)).await.ok();
    assert!(revoked["revoked_at"].is_string());
    // Nothing changes, and nothing is recorded.
    staff.delete(&path(&of_none)).await.no_content();
    assert_eq!(staff.get(&path(&of_none)).await.ok(), revoked);
    let events = clinic.admin.get(&format!("/audit-events?actor_id={}", staff.id)).await.ok();
    let events: Vec<_> =
        events["items"].as_array().unwrap().iter().filter(|event| event["object_id"].is_string()).collect();
    let recorded: Vec<_> = events.iter().map(|event| (text(event, "action"), &event["object_id"])).collect();
    assert_eq!(recorded[..2], [("invitation_revoked", &none), ("invitation_created", &mine)]);

    for answer in [
        ada.get("/invitations").await,
        ada.get(&path(&of_none)).await,
        ada.delete(&path(&of_none)).await,
        ada.post("/invitations", body(&app, json!({})).await).await,
    ] {
        answer.problem(403, "forbidden");
    }
    app.get("/api/v1/invitations").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn an_invitation_with_wrong_values_is_refused() {
    let app = TestApp::start(BACKEND).await;
    let (staff, now) = (app.staff().await, app.clock.now());
    for (members, field, code) in [
        (json!({ "course_id": Uuid::now_v7() }), "course_id", "unknown"),
        (json!({ "valid_until": now }), "valid_until", "past"),
        (json!({ "valid_from": now + Duration::days(31) }), "valid_until", "order"),
        (json!({ "valid_until": now + Duration::days(801) }), "valid_until", "range"),
        (json!({ "max_uses": 0 }), "max_uses", "range"),
        (json!({ "max_uses": 100_001 }), "max_uses", "range"),
        (json!({ "max_uses": 2, "email": "ada@example.org" }), "max_uses", "bound"),
        (json!({ "max_uses": 2, "nid": "19121815-AL" }), "max_uses", "bound"),
        (json!({ "send_mail": true }), "email", "required"),
        (json!({ "email": "ada@localhost" }), "email", "email"),
        (json!({ "label": " " }), "label", "blank"),
        (json!({ "code": WRONG }), "code", "unknown"),
    ] {
        staff.post("/invitations", body(&app, members).await).await.violates(&[(field, code)]);
    }
    let several = body(&app, json!({ "max_uses": 2, "email": "ada@localhost", "valid_until": now })).await;
    let expected = [("email", "email"), ("max_uses", "bound"), ("valid_until", "past")];
    staff.post("/invitations", several).await.violates(&expected);
    staff.post("/invitations", json!({})).await.violates(&[("course_id", "required"), ("valid_until", "required")]);
    assert_eq!(staff.get("/invitations").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn codes_stay_valid_while_their_key_is_on_the_ring() {
    const KEYS: &str = "CARE4U__AUTH__KEYS";
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("the {name} secret of the tests, of 32 bytes or more")).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (old, new) = (file("old"), file("new"));
    let app = TestApp::start_with(BACKEND, &[(KEYS, &old)]).await;
    let (ada, bob, staff) = (app.patient().await, app.patient().await, app.staff().await);
    let invitation = invite(&staff, json!({ "max_uses": 3 })).await;
    let (code, row) = (text(&invitation, "code"), stored(&app, &invitation).await);

    let both = TestApp::start_on(Arc::clone(&app.database), &[(KEYS, &format!("{new},{old}"))]).await;
    assert_eq!(invitation_codes::of(both.state().auth.tokens.keys(), &row).as_deref(), Some(code));
    ask(&Actor::log_in(&both, ada.id, ada.email.clone()).await, code).await.created();

    let only_new = TestApp::start_on(Arc::clone(&app.database), &[(KEYS, &new)]).await;
    assert_eq!(invitation_codes::of(only_new.state().auth.tokens.keys(), &row), None);
    is_refused(&ask(&Actor::log_in(&only_new, bob.id, bob.email.clone()).await, code).await);
}

#[tokio::test]
async fn a_deleted_account_leaves_its_invitations_without_a_person() {
    let app = TestApp::start(BACKEND).await;
    let (ada, eve, staff) = (app.patient().await, app.patient().await, app.staff().await);
    ada.patch("/users/me", json!({ "nid": "19121815-AL" })).await.ok();
    // Somebody who only claims the id.
    eve.patch("/users/me", json!({ "nid": "19121815-AL" })).await.ok();
    staff.post_empty(&format!("/users/{}/verify-nid", ada.id)).await.ok();
    let unused = invite(&staff, json!({ "email": ada.email, "label": "Ada" })).await;
    let by_nid = invite(&staff, json!({ "nid": "19121815-AL" })).await;
    let used = invite(&staff, json!({ "email": ada.email })).await;
    let counted = invite(&staff, json!({ "max_uses": 5 })).await;
    let request = ask(&ada, text(&used, "code")).await.created();
    attach(&ada, text(&request, "id"), text(&counted, "code")).await.ok();

    eve.post("/users/me/deletion", json!({ "password": PASSWORD })).await.ok();
    assert!(stored(&app, &by_nid).await.nid_key.is_some());
    ada.post("/users/me/deletion", json!({ "password": PASSWORD })).await.ok();
    for (invitation, is_revoked) in [(&unused, true), (&by_nid, true), (&used, false), (&counted, false)] {
        let row = stored(&app, invitation).await;
        assert_eq!((row.email, row.nid_key, row.label), (None, None, None));
        assert_eq!(row.revoked_at.is_some(), is_revoked);
    }
    let shown = staff.get(&format!("/invitations/{}", text(&counted, "id"))).await.ok();
    assert_eq!((&shown["used"], &shown["uses"]), (&json!(1), &json!([])));
    // The invitation stays when the account of the staff is deleted.
    staff.post("/users/me/deletion", json!({ "password": PASSWORD })).await.ok();
    assert_eq!(stored(&app, &counted).await.created_by, None);
}

#[tokio::test]
async fn the_export_has_entries_of_the_waitlist_and_invitations() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (staff, (eve, other)) = (app.staff().await, clinic.approved().await);
    let ada = app.patient().await;
    let used = invite(&staff, json!({ "max_uses": 2, "label": "Nurses" })).await;
    let bound = invite(&staff, json!({ "email": ada.email, "label": "For Ada" })).await;
    let request = ask(&ada, text(&used, "code")).await.created()["id"].as_str().unwrap().to_owned();
    end(&clinic.admin, &request, "approve").await.ok();
    ada.post_empty(&format!("/vaccine-requests/{request}/wait")).await.is(201);
    let slot = clinic.slot(48, 1).await;

    let export = ada.get("/users/me/export").await.ok();
    let [entries, invitations, uses] =
        ["waitlist_entries", "invitations", "invitation_uses"].map(|member| export[member].as_array().unwrap());
    assert_eq!(entries.len(), 1);
    assert_eq!((&entries[0]["request_id"], &entries[0]["status"]), (&json!(request), &json!("offered")));
    assert_eq!(entries[0]["slot_id"], json!(slot));
    let labels: Vec<_> = invitations.iter().map(|invitation| text(invitation, "label")).collect();
    assert_eq!(labels, ["Nurses", "For Ada"]);
    assert_eq!((uses.len(), &uses[0]["request_id"]), (1, &json!(request)));
    assert_eq!(export["created_invitations"], json!([]));
    let codes = [text(&used, "code"), text(&bound, "code")];
    assert!(codes.iter().all(|code| !export.to_string().contains(code)), "the export has a code");

    let of_staff = staff.get("/users/me/export").await.ok();
    let mut created: Vec<_> = of_staff["created_invitations"].as_array().unwrap().clone();
    created.sort_by_key(ToString::to_string);
    let mut expected = vec![used["id"].clone(), bound["id"].clone()];
    expected.sort_by_key(ToString::to_string);
    assert_eq!(created, expected);
    let of_eve = eve.get("/users/me/export").await.ok();
    assert_eq!(of_eve["vaccine_requests"][0]["id"], json!(other));
    for member in ["waitlist_entries", "invitations", "created_invitations", "invitation_uses"] {
        assert_eq!(of_eve[member], json!([]), "{member}");
    }
}

/// More rows than a statement may have parameters, on either database.
#[tokio::test]
async fn an_account_that_has_imported_many_invitations_is_erased() {
    const COUNT: usize = 70_000;
    let app = TestApp::start(BACKEND).await;
    let staff = app.staff().await;
    let sample = stored(&app, &invite(&staff, json!({ "max_uses": 1 })).await).await;
    let db = &app.state().db;
    for batch in 0..COUNT / 1000 {
        let rows = (0..1000).map(|number| {
            let row = entity::invitations::Model {
                id: Uuid::now_v7(),
                code_hash: format!("{:064}", batch * 1000 + number),
                ..sample.clone()
            };
            entity::invitations::ActiveModel::from(row).reset_all()
        });
        entity::invitations::Entity::insert_many(rows).exec_without_returning(db).await.unwrap();
    }
    staff.post("/users/me/deletion", json!({ "password": PASSWORD })).await.ok();
    let left = entity::invitations::Entity::find()
        .filter(entity::invitations::Column::CreatedBy.is_not_null())
        .count(db)
        .await
        .unwrap();
    assert_eq!(left, 0);
}
