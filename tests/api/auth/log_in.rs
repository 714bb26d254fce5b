//! Login and logout.

use reqwest::Method;
use sea_orm::{ConnectionTrait as _, EntityTrait as _};
use serde_json::{Value, json};

use crate::BACKEND;
use crate::support::app::{PASSWORD, TestApp};

fn ada() -> Value {
    json!({ "name": "Ada Lovelace", "email": "Ada@Example.org", "password": PASSWORD })
}

#[tokio::test]
async fn an_unknown_email_and_a_wrong_password_get_the_same_response() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let mut responses = Vec::new();
    for email in [patient.email.as_str(), "nobody@example.org"] {
        let body = json!({ "email": email, "password": "not the password" });
        let response = app.post("/api/v1/auth/login", body).await;
        assert_eq!(response.header("www-authenticate"), "Bearer realm=\"care4u\"");
        let mut problem = response.problem(401, "wrong-credentials");
        problem["request_id"] = Value::Null;
        responses.push(problem);
    }
    assert_eq!(responses[0], responses[1]);
}

#[tokio::test]
async fn login_requires_email_and_password() {
    let app = TestApp::start(BACKEND).await;
    let body = json!({ "email": "not an address", "password": "" });
    app.post("/api/v1/auth/login", body).await.violates(&[("email", "email"), ("password", "length")]);
}

#[tokio::test]
async fn every_character_of_a_long_password_is_significant() {
    let app = TestApp::start(BACKEND).await;
    let password = "ড়".repeat(127) + "xy";
    let mut body = ada();
    body["password"] = json!(password);
    app.post("/api/v1/auth/register", body).await.created();
    let login = |password: &str| json!({ "email": "ada@example.org", "password": password });
    app.post("/api/v1/auth/login", login(&password)).await.ok();
    for wrong in
        [password.replace('y', "z"), password.replace('y', ""), format!("{password}y"), format!("{password}\0")]
    {
        app.post("/api/v1/auth/login", login(&wrong)).await.problem(401, "wrong-credentials");
    }
}

#[tokio::test]
async fn a_password_of_the_release_before_is_renewed_at_the_login() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let older = "$2b$04$UEpNK/0n8sZpTQNhXVCMberLWpIIf0eOLmNF6V1JxY63rr7xmNCCm";
    let sql = format!("UPDATE users SET password_hash = '{older}'");
    app.state().db.execute_unprepared(&sql).await.unwrap();
    app.log_in(&patient.email, "correct horse batterz").await.problem(401, "wrong-credentials");
    for _ in 0..2 {
        app.log_in(&patient.email, "correct horse battery").await.ok();
        let user = entity::users::Entity::find_by_id(patient.id).one(&app.state().db).await.unwrap().unwrap();
        assert!(user.password_hash.0.starts_with("$bcrypt-sha256$v=2,t=2b,r=4$"));
    }
}

#[tokio::test]
async fn logout_revokes_both_tokens_and_no_other_session() {
    let app = TestApp::start(BACKEND).await;
    let here = app.patient().await;
    let there = here.on_another_device().await;
    here.post_empty("/auth/logout").await.no_content();
    let response = here.get("/users/me").await;
    response.problem(401, "invalid-token");
    assert_eq!(response.header("www-authenticate"), "Bearer realm=\"care4u\", error=\"invalid_token\"");
    app.refresh(&here.refresh_token).await.problem(401, "invalid-token");
    there.get("/users/me").await.ok();
}

#[tokio::test]
async fn logout_requires_a_token() {
    let app = TestApp::start(BACKEND).await;
    app.send(app.request(Method::POST, "/api/v1/auth/logout")).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn concurrent_logins_all_succeed_while_one_renews_the_hash() {
    let app = TestApp::start(BACKEND).await;
    let email = app.patient().await.email;
    let app = TestApp::start_on(app.database, &[("CARE4U__AUTH__BCRYPT_COST", "5")]).await;
    let body = json!({ "email": email, "password": PASSWORD });
    let responses = (0..8).map(|_| app.post("/api/v1/auth/login", body.clone()));
    for response in futures_util::future::join_all(responses).await {
        response.ok();
    }
}

#[tokio::test]
async fn a_hash_of_lower_cost_is_renewed_at_the_next_login() {
    use sea_orm::EntityTrait;
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let id = patient.id;
    let email = patient.email.clone();
    drop(patient);
    let app = TestApp::start_on(app.database, &[("CARE4U__AUTH__BCRYPT_COST", "5")]).await;
    for _ in 0..2 {
        app.post("/api/v1/auth/login", json!({ "email": email, "password": PASSWORD })).await.ok();
        let user = entity::users::Entity::find_by_id(id).one(&app.state().db).await.unwrap().unwrap();
        assert!(user.password_hash.0.starts_with("$bcrypt-sha256$v=2,t=2b,r=5$"));
    }
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
        assert!(user.password_hash.0.starts_with("$bcrypt-sha256$v=2,t=2b,r=5$"), "{imported} was not renewed");
        patient.on_another_device().await;
    }
}
