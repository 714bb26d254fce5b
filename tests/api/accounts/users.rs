//! Accounts: the caller's own, and for admins all accounts.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::BACKEND;
use crate::support::app::{PASSWORD, TestApp};

#[tokio::test]
async fn account_endpoints_require_a_token() {
    let app = TestApp::start(BACKEND).await;
    for (method, path) in [
        (Method::GET, "/users/me"),
        (Method::PATCH, "/users/me"),
        (Method::DELETE, "/users/me"),
        (Method::PUT, "/users/me/password"),
        (Method::GET, "/users"),
        (Method::GET, "/users/01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10"),
        (Method::PATCH, "/users/01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10"),
    ] {
        let response = app.send(app.request(method, &format!("/api/v1{path}"))).await;
        response.problem(401, "unauthenticated");
        assert_eq!(response.header("www-authenticate"), "Bearer realm=\"care4u\"");
    }
}

#[tokio::test]
async fn a_profile_is_updated_by_a_merge_patch() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let set = json!({ "name": " Ada King ", "nid": "1912", "phone_number": "+44 20 7946", "birth_date": "1985-12-10" });
    let after = patient.patch("/users/me", set).await.ok();
    assert_eq!((&after["name"], &after["nid"]), (&json!("Ada King"), &json!("1912")));

    let patch = patient
        .request(Method::PATCH, "/users/me")
        .header("content-type", "application/merge-patch+json")
        .body(r#"{"nid": null, "address": "Ockham Park"}"#);
    let after = app.send(patch).await.ok();
    assert_eq!((&after["nid"], &after["address"]), (&Value::Null, &json!("Ockham Park")));
    assert_eq!((&after["phone_number"], &after["birth_date"]), (&json!("+44 20 7946"), &json!("1985-12-10")));
    assert_eq!(patient.get("/users/me").await.ok(), after);
    assert_eq!(patient.patch("/users/me", json!({})).await.ok()["name"], "Ada King");
}

#[tokio::test]
async fn members_that_an_owner_may_not_change_are_rejected() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let before = patient.get("/users/me").await.ok();
    for field in ["role", "email", "id", "email_verified_at", "password", "created_at"] {
        let response = patient.patch("/users/me", json!({ "name": "Changed", field: "admin" })).await;
        response.violates(&[(field, "unknown")]);
    }
    patient.patch("/users/me", json!({ "name": null })).await.violates(&[("name", "type")]);
    let invalid = json!({ "name": "", "nid": "", "phone_number": "1", "birth_date": "1850-01-01" });
    patient.patch("/users/me", invalid).await.violates(&[
        ("birth_date", "range"),
        ("name", "blank"),
        ("nid", "blank"),
        ("phone_number", "phone_number"),
    ]);
    patient.patch("/users/me", json!({ "birth_date": "2001-02-30" })).await.violates(&[("birth_date", "type")]);
    assert_eq!(patient.get("/users/me").await.ok(), before);
}

#[tokio::test]
async fn a_national_id_of_another_account_is_a_conflict() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob) = (app.patient().await, app.patient().await);
    ada.patch("/users/me", json!({ "nid": "1912" })).await.ok();
    bob.patch("/users/me", json!({ "nid": "1912" })).await.problem(409, "nid-taken");
}

#[tokio::test]
async fn a_password_change_requires_the_current_password_and_ends_other_sessions() {
    let app = TestApp::start(BACKEND).await;
    let here = app.patient().await;
    let there = here.on_another_device().await;
    let change = |current: &str, new: &str| json!({ "current_password": current, "new_password": new });
    here.put("/users/me/password", change("not my password", "another good one"))
        .await
        .violates(&[("current_password", "wrong")]);
    here.put("/users/me/password", change("", "short"))
        .await
        .violates(&[("current_password", "length"), ("new_password", "length")]);
    there.get("/users/me").await.ok();

    here.put("/users/me/password", change(PASSWORD, "another good one")).await.no_content();
    here.get("/users/me").await.ok();
    app.refresh(&here.refresh_token).await.ok();
    there.get("/users/me").await.problem(401, "invalid-token");
    app.refresh(&there.refresh_token).await.problem(401, "invalid-token");
    let login = |password: &str| json!({ "email": here.email, "password": password });
    app.post("/api/v1/auth/login", login(PASSWORD)).await.problem(401, "wrong-credentials");
    app.post("/api/v1/auth/login", login("another good one")).await.ok();
}

#[tokio::test]
async fn of_concurrent_password_changes_one_succeeds() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let changes = (0..6).map(|number| {
        let body = json!({ "current_password": PASSWORD, "new_password": format!("new password {number}") });
        patient.put("/users/me/password", body)
    });
    let responses = futures_util::future::join_all(changes).await;
    assert_eq!(responses.iter().filter(|response| response.status == 204).count(), 1);
    assert_eq!(responses.iter().filter(|response| response.status == 422).count(), 5);
}

#[tokio::test]
async fn deleting_an_account_deletes_its_sessions_and_requests() {
    let app = TestApp::start(BACKEND).await;
    let (patient, staff) = (app.patient().await, app.staff().await);
    let request = patient.ask_for("MMR").await;
    let other = app.another_instance().await;
    patient.post("/users/me/deletion", json!({ "password": PASSWORD })).await.ok();
    patient.get("/users/me").await.problem(401, "invalid-token");
    app.refresh(&patient.refresh_token).await.problem(401, "invalid-token");
    app.post("/api/v1/auth/login", json!({ "email": patient.email, "password": PASSWORD }))
        .await
        .problem(401, "wrong-credentials");
    staff.get(&format!("/vaccine-requests/{request}")).await.problem(404, "not-found");
    // An instance that has not read the revocation yet does not return the account either.
    let me = other.request(Method::GET, "/api/v1/users/me").bearer_auth(&patient.access_token);
    other.send(me).await.problem(401, "invalid-token");
    let ask = json!({ "vaccine_id": other.vaccine("MMR").await });
    let ask = other.request(Method::POST, "/api/v1/vaccine-requests").bearer_auth(&patient.access_token).json(&ask);
    other.send(ask).await.problem(401, "invalid-token");
}

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
async fn admins_search_accounts_by_parts_of_name_and_email() {
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
    for found in ["жук", "ЁЛК", "eetle@"] {
        assert_eq!(find(&[("q", found)]).await, ["beetle@example.org"], "{found}");
    }
    for found in ["% é", "N_V", "VITAL@EXAMPLE"] {
        assert_eq!(find(&[("q", found)]).await, ["vital@example.org"], "{found}");
    }
    for nobody in ["%b", "_ital@", "\\"] {
        assert_eq!(find(&[("q", nobody)]).await, Vec::<String>::new(), "{nobody}");
    }
    assert_eq!(find(&[("role", "admin")]).await, [admin.email.as_str()]);
    assert_eq!(find(&[("disabled", "true")]).await, Vec::<String>::new());
    assert_eq!(find(&[("disabled", "false"), ("q", "example.org"), ("role", "patient")]).await.len(), 2);
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

#[tokio::test]
async fn concurrent_logins_succeed_while_the_hash_is_renewed() {
    use sea_orm::{ActiveModelTrait, Set, Unchanged};
    let app = TestApp::start_with(BACKEND, &[("CARE4U__AUTH__BCRYPT_COST", "5")]).await;
    let patient = app.patient().await;
    for _ in 0..5 {
        let cheap = "$2b$04$UEpNK/0n8sZpTQNhXVCMberLWpIIf0eOLmNF6V1JxY63rr7xmNCCm".to_owned();
        let user = entity::users::ActiveModel {
            id: Unchanged(patient.id),
            password_hash: Set(entity::PasswordHash(cheap)),
            ..Default::default()
        };
        user.update(&app.state().db).await.unwrap();
        let responses = futures_util::future::join_all((0..8).map(|_| app.log_in(&patient.email, PASSWORD))).await;
        assert!(responses.iter().all(|response| response.status == 200), "{responses:#?}");
    }
}

#[tokio::test]
async fn a_hash_of_another_system_is_accepted_and_renewed() {
    use sea_orm::{ActiveModelTrait, EntityTrait, Set, Unchanged};
    let app = TestApp::start_with(BACKEND, &[("CARE4U__AUTH__BCRYPT_COST", "5")]).await;
    let patient = app.patient().await;
    for imported in [
        "$2y$04$yaAzvoCospvQNxNjASm/muQABgoXKi9ohwXngSSe7TLDJvkheRlaK",
        "$2b$04$UEpNK/0n8sZpTQNhXVCMberLWpIIf0eOLmNF6V1JxY63rr7xmNCCm",
        "$2a$04$DA18eUhmplMXYD4Qw.Ml0O7YEN6bPy8OtknkXOWkJw8vln9VfOPIa",
    ] {
        let hash = entity::PasswordHash(imported.to_owned());
        let user =
            entity::users::ActiveModel { id: Unchanged(patient.id), password_hash: Set(hash), ..Default::default() };
        user.update(&app.state().db).await.unwrap();
        let wrong = json!({ "email": patient.email, "password": "another password" });
        app.post("/api/v1/auth/login", wrong).await.problem(401, "wrong-credentials");
        patient.on_another_device().await;
        let user = entity::users::Entity::find_by_id(patient.id).one(&app.state().db).await.unwrap().unwrap();
        assert!(user.password_hash.0.starts_with("$2b$05$"), "{imported} was not renewed");
        patient.on_another_device().await;
    }
}
