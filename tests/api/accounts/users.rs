//! Accounts of all users, for admins.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::BACKEND;
use crate::support::app::{PASSWORD, TestApp};

#[tokio::test]
async fn only_admins_list_accounts_and_change_roles() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    for actor in [&patient, &app.staff().await] {
        let response = actor.get("/users").await;
        response.problem(403, "forbidden");
        assert!(response.header("www-authenticate").contains("insufficient_scope"));
        let own = format!("/users/{}", actor.id);
        actor.patch(&own, json!({ "role": "admin" })).await.problem(403, "forbidden");
    }
    assert_eq!(patient.get("/users/me").await.ok()["role"], "patient");
}

#[tokio::test]
async fn another_users_account_is_not_found_except_by_admins() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob, staff, admin) = (app.patient().await, app.patient().await, app.staff().await, app.admin().await);
    let path = format!("/users/{}", ada.id);
    ada.get(&path).await.ok();
    bob.get(&path).await.problem(404, "not-found");
    staff.get(&path).await.problem(404, "not-found");
    assert_eq!(admin.get(&path).await.ok()["email"], ada.email);
    admin.get(&format!("/users/{}", Uuid::now_v7())).await.problem(404, "not-found");
    admin.get("/users/not-a-uuid").await.violates(&[("id", "type")]);
}

#[tokio::test]
async fn a_role_change_ends_all_sessions_of_the_account() {
    let app = TestApp::start(BACKEND).await;
    let (patient, admin) = (app.patient().await, app.admin().await);
    let path = format!("/users/{}", patient.id);
    assert_eq!(admin.patch(&path, json!({ "role": "staff" })).await.ok()["role"], "staff");
    patient.get("/users/me").await.problem(401, "invalid-token");
    app.refresh(&patient.refresh_token).await.problem(401, "invalid-token");
    let again = patient.on_another_device().await;
    assert_eq!(again.get("/users/me").await.ok()["role"], "staff");
    // Setting the same role again changes nothing and ends no session.
    assert_eq!(admin.patch(&path, json!({ "role": "staff" })).await.ok()["role"], "staff");
    again.get("/users/me").await.ok();

    admin.patch(&path, json!({ "role": "root" })).await.violates(&[("role", "type")]);
    assert_eq!(admin.patch(&path, json!({})).await.ok()["role"], "staff");
    admin.patch(&path, json!({ "role": null })).await.violates(&[("role", "type")]);
    admin.patch(&path, json!({ "disabled": "yes" })).await.violates(&[("disabled", "type")]);
    admin.patch(&path, json!({ "role": "staff", "email": "x@example.org" })).await.violates(&[("email", "unknown")]);
    admin.patch(&format!("/users/{}", Uuid::now_v7()), json!({ "role": "staff" })).await.problem(404, "not-found");
}

#[tokio::test]
async fn admins_find_accounts_by_email_and_list_all_pages() {
    let app = TestApp::start(BACKEND).await;
    let admin = app.admin().await;
    let mut emails = vec![admin.email.clone()];
    for _ in 0..4 {
        emails.push(app.patient().await.email);
    }
    let found = admin.get(&format!("/users?email={}", emails[2].to_uppercase())).await.ok();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    assert_eq!(found["items"][0]["email"], emails[2]);

    let mut seen = Vec::new();
    let mut path = "/users?limit=2".to_owned();
    loop {
        let page = admin.get(&path).await.ok();
        seen.extend(page["items"].as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/users?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    emails.reverse();
    assert_eq!(seen, emails);
}

#[tokio::test]
async fn admins_search_accounts_by_the_beginning_of_words() {
    let app = TestApp::start(BACKEND).await;
    let admin = app.admin().await;
    for (name, email) in [("Жук Ёлка", "beetle@example.org"), ("100% Élan_vital", "vital@example.org")] {
        let body = json!({ "name": name, "email": email, "password": PASSWORD });
        app.post("/api/v1/auth/register", body).await.created();
    }
    let find = async |query: &[(&str, &str)]| {
        let request = admin.request(Method::GET, "/users").query(query);
        let page = app.send(request).await.ok();
        let items = page["items"].as_array().unwrap();
        items.iter().map(|user| user["email"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for found in ["жук", "ЁЛ жу", "beetle@"] {
        assert_eq!(find(&[("q", found)]).await, ["beetle@example.org"], "{found}");
    }
    for found in ["100% é", "ÉLAN_V", "E\u{301}lan", "VITAL@EXAMPLE"] {
        assert_eq!(find(&[("q", found)]).await, ["vital@example.org"], "{found}");
    }
    for nobody in ["%", "_", "lan", "ital@", "\\", "-", "beetle@ vital@"] {
        assert_eq!(find(&[("q", nobody)]).await, Vec::<String>::new(), "{nobody}");
    }
    assert_eq!(find(&[("role", "admin")]).await, [admin.email.as_str()]);
    assert_eq!(find(&[("disabled", "true")]).await, Vec::<String>::new());
    assert_eq!(find(&[("disabled", "false"), ("role", "patient")]).await.len(), 2);
    admin.get("/users?role=root").await.violates(&[("role", "type")]);
    admin.get("/users?q=").await.problem(422, "invalid");

    // The new name is found, and the old one is not.
    let bob = app.patient().await;
    bob.patch("/users/me", json!({ "name": "Бобр" })).await.ok();
    assert_eq!(find(&[("q", "бобр")]).await, [bob.email.as_str()]);
    assert_eq!(find(&[("q", "lovelace"), ("role", "patient")]).await, Vec::<String>::new());
    assert_eq!(find(&[("q", &bob.email)]).await, [bob.email.as_str()]);
}

#[tokio::test]
async fn disabling_an_account_ends_its_sessions_and_enabling_allows_login() {
    let app = TestApp::start(BACKEND).await;
    let (patient, admin) = (app.patient().await, app.admin().await);
    let path = format!("/users/{}", patient.id);
    let disabled = admin.patch(&path, json!({ "disabled": true })).await.ok();
    assert_eq!((&disabled["disabled"], disabled["disabled_at"].is_string()), (&json!(true), true));
    assert_eq!(admin.get(&path).await.ok(), disabled);
    patient.get("/users/me").await.problem(401, "invalid-token");
    app.refresh(&patient.refresh_token).await.problem(401, "invalid-token");
    let login = |password: &str| json!({ "email": patient.email, "password": password });
    app.post("/api/v1/auth/login", login(PASSWORD)).await.problem(403, "account-disabled");
    app.post("/api/v1/auth/login", login("a guess")).await.problem(401, "wrong-credentials");
    // Disabling it again changes nothing, not even the time.
    assert_eq!(admin.patch(&path, json!({ "disabled": true })).await.ok()["disabled_at"], disabled["disabled_at"]);
    let enabled = admin.patch(&path, json!({ "disabled": false })).await.ok();
    assert_eq!((&enabled["disabled"], &enabled["disabled_at"]), (&json!(false), &Value::Null));
    app.post("/api/v1/auth/login", login(PASSWORD)).await.ok();
    for actor in [&patient.on_another_device().await, &app.staff().await] {
        actor.patch(&path, json!({ "disabled": true })).await.problem(403, "forbidden");
    }
}

#[tokio::test]
async fn the_last_admin_cannot_be_demoted_disabled_or_deleted() {
    let app = TestApp::start(BACKEND).await;
    let admin = app.admin().await;
    let own = format!("/users/{}", admin.id);
    admin.patch(&own, json!({ "role": "staff" })).await.problem(409, "last-admin");
    admin.patch(&own, json!({ "disabled": true })).await.problem(409, "last-admin");
    admin.post("/users/me/deletion", json!({ "password": PASSWORD })).await.problem(409, "last-admin");
    assert_eq!(admin.get("/users/me").await.ok()["role"], "admin");
    // An admin who cannot log in does not count.
    let second = app.admin().await;
    admin.patch(&format!("/users/{}", second.id), json!({ "disabled": true })).await.ok();
    admin.patch(&own, json!({ "role": "staff" })).await.problem(409, "last-admin");
    admin.patch(&format!("/users/{}", second.id), json!({ "disabled": false })).await.ok();
    admin.patch(&own, json!({ "role": "staff" })).await.ok();
}

#[tokio::test]
async fn of_admins_who_demote_each_other_concurrently_one_remains() {
    let app = TestApp::start(BACKEND).await;
    for _ in 0..5 {
        let (ada, bob) = (app.admin().await, app.admin().await);
        let others = app.state().db.clone();
        demote_all_but(&others, &[ada.id, bob.id]).await;
        let (to_bob, to_ada) = (format!("/users/{}", bob.id), format!("/users/{}", ada.id));
        let patient = json!({ "role": "patient" });
        let (one, other) =
            futures_util::future::join(ada.patch(&to_bob, patient.clone()), bob.patch(&to_ada, patient)).await;
        let mut outcomes = [one.status, other.status];
        outcomes.sort_unstable();
        // The later request is refused, although its token has the role admin.
        assert!(outcomes == [200, 403] || outcomes == [200, 401], "{outcomes:?}");
    }
}

async fn demote_all_but(db: &care4u::db::Db, kept: &[Uuid]) {
    use sea_orm::sea_query::Expr;
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
    entity::users::Entity::update_many()
        .col_expr(entity::users::Column::Role, Expr::value(entity::Role::Patient))
        .filter(entity::users::Column::Id.is_not_in(kept.iter().copied()))
        .exec(db)
        .await
        .unwrap();
}
