//! Registration, login, logout, and the token endpoint.

use reqwest::Method;
use serde_json::{Value, json};

use crate::BACKEND;
use crate::support::app::{PASSWORD, TestApp};

fn ada() -> Value {
    json!({ "name": "Ada Lovelace", "email": "Ada@Example.org", "password": PASSWORD })
}

#[tokio::test]
async fn a_registered_user_can_log_in_and_get_their_account() {
    let app = TestApp::start(BACKEND).await;
    let body = json!({
        "name": " Ada Lovelace ", "email": " Ada@Example.org ", "password": PASSWORD, "nid": "1912-AL",
        "phone_number": "+44 20 7946 0018", "address": "12 St James's Square\nLondon", "birth_date": "1985-12-10",
    });
    let response = app.post("/api/v1/auth/register", body).await;
    let account = response.created();
    assert_eq!(response.header("location"), format!("/api/v1/users/{}", account["id"].as_str().unwrap()));
    assert_eq!(account["email"], "ada@example.org");
    assert_eq!(account["name"], "Ada Lovelace");
    assert_eq!(account["role"], "patient");
    assert_eq!(account["email_verified_at"], Value::Null);
    assert!(!response.text.contains("password"), "{}", response.text);

    let login = json!({ "email": "ADA@example.org", "password": PASSWORD });
    let response = app.post("/api/v1/auth/login", login).await;
    let pair = response.ok();
    assert_eq!(response.header("cache-control"), "no-store");
    assert_eq!((&pair["token_type"], &pair["expires_in"]), (&json!("Bearer"), &json!(900)));
    let me = app.request(Method::GET, "/api/v1/users/me").bearer_auth(pair["access_token"].as_str().unwrap());
    assert_eq!(app.send(me).await.ok(), account);
}

#[tokio::test]
async fn an_email_can_be_registered_once_in_any_letter_case() {
    let app = TestApp::start(BACKEND).await;
    app.post("/api/v1/auth/register", ada()).await.created();
    let mut again = ada();
    again["email"] = json!("aDA@eXAMPLE.ORG");
    app.post("/api/v1/auth/register", again).await.problem(409, "email-taken");
}

#[tokio::test]
async fn a_national_id_can_be_registered_once() {
    let app = TestApp::start(BACKEND).await;
    let with = |email: &str| json!({ "name": "Ada", "email": email, "password": PASSWORD, "nid": "19121815" });
    app.post("/api/v1/auth/register", with("a@example.org")).await.created();
    app.post("/api/v1/auth/register", with("b@example.org")).await.problem(409, "nid-taken");
}

#[tokio::test]
async fn of_concurrent_registrations_of_one_email_one_succeeds() {
    let app = TestApp::start(BACKEND).await;
    let responses = (0..8).map(|_| app.post("/api/v1/auth/register", ada()));
    let responses = futures_util::future::join_all(responses).await;
    let mut statuses: Vec<_> = responses.iter().map(|response| response.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn all_invalid_fields_of_a_registration_are_reported_at_once() {
    let app = TestApp::start(BACKEND).await;
    let body = json!({
        "name": " ", "email": "ada@", "password": "short", "nid": "a;b", "phone_number": "call me",
        "address": "nul\0", "birth_date": "2999-01-01",
    });
    app.post("/api/v1/auth/register", body).await.violates(&[
        ("address", "control"),
        ("birth_date", "range"),
        ("email", "email"),
        ("name", "blank"),
        ("nid", "nid"),
        ("password", "length"),
        ("phone_number", "phone_number"),
    ]);
    app.post("/api/v1/auth/register", json!({})).await.violates(&[
        ("email", "email"),
        ("name", "blank"),
        ("password", "length"),
    ]);
}

#[tokio::test]
async fn a_rejected_password_is_not_repeated_in_the_response() {
    let app = TestApp::start(BACKEND).await;
    for password in ["hunter2", "password1", &"ж".repeat(40)] {
        let mut body = ada();
        body["password"] = json!(password);
        let response = app.post("/api/v1/auth/register", body).await;
        response.problem(422, "invalid");
        assert!(!response.text.contains(password), "{}", response.text);
    }
}

#[tokio::test]
async fn members_that_only_the_service_sets_are_rejected() {
    let app = TestApp::start(BACKEND).await;
    for (field, value) in [
        ("role", json!("admin")),
        ("id", json!("01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")),
        ("verified", json!(true)),
        ("email_verified_at", json!("2020-01-01T00:00:00Z")),
        ("created_at", json!("2020-01-01T00:00:00Z")),
        ("password_hash", json!("$2b$04$")),
    ] {
        let mut body = ada();
        body[field] = value;
        app.post("/api/v1/auth/register", body).await.violates(&[(field, "unknown")]);
    }
    app.post("/api/v1/auth/login", json!({ "email": "ada@example.org", "password": PASSWORD }))
        .await
        .problem(401, "wrong-credentials");
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
async fn all_71_bytes_of_a_password_are_significant() {
    let app = TestApp::start(BACKEND).await;
    let password = "p".repeat(71);
    let mut body = ada();
    body["password"] = json!(password);
    app.post("/api/v1/auth/register", body).await.created();
    let login = |password: &str| json!({ "email": "ada@example.org", "password": password });
    app.post("/api/v1/auth/login", login(&password)).await.ok();
    for wrong in ["p".repeat(70), "p".repeat(72), format!("{password}\0")] {
        app.post("/api/v1/auth/login", login(&wrong)).await.problem(401, "wrong-credentials");
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
async fn the_token_endpoint_logs_in_and_refreshes() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let form = [("grant_type", "password"), ("username", patient.email.as_str()), ("password", PASSWORD)];
    let response = app.token(&form).await;
    let pair = response.ok();
    assert_eq!(response.header("cache-control"), "no-store");
    let refresh_token = pair["refresh_token"].as_str().unwrap();
    app.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await.ok();
}

#[tokio::test]
async fn the_token_endpoint_returns_errors_of_rfc_6749() {
    let app = TestApp::start(BACKEND).await;
    let email = app.patient().await.email;
    let password = ("grant_type", "password");
    let cases: [(&[(&str, &str)], &str); 9] = [
        (&[], "invalid_request"),
        (&[("grant_type", "")], "invalid_request"),
        (&[("grant_type", "authorization_code")], "unsupported_grant_type"),
        (&[password], "invalid_request"),
        (&[password, ("username", "not an address"), ("password", PASSWORD)], "invalid_request"),
        (&[password, ("username", &email), ("password", "wrong password")], "invalid_grant"),
        (&[password, ("username", &email), ("username", &email), ("password", PASSWORD)], "invalid_request"),
        (&[("grant_type", "refresh_token")], "invalid_request"),
        (&[("grant_type", "refresh_token"), ("refresh_token", "nonsense")], "invalid_grant"),
    ];
    for (form, error) in cases {
        app.token(form).await.oauth_error(400, error);
    }
}

#[tokio::test]
async fn the_token_endpoint_reads_only_forms_and_nothing_from_the_query() {
    let app = TestApp::start(BACKEND).await;
    let form = [("grant_type", "password"), ("username", "ada@example.org"), ("password", PASSWORD)];
    let json = app.request(Method::POST, "/api/v1/auth/token").json(&json!({ "grant_type": "password" }));
    app.send(json).await.oauth_error(400, "invalid_request");
    let query = app.request(Method::POST, "/api/v1/auth/token?password=secret").form(&form);
    app.send(query).await.oauth_error(400, "invalid_request");
    let large = "x".repeat(300_000);
    app.token(&[("grant_type", &large)]).await.oauth_error(413, "invalid_request");
}

#[tokio::test]
async fn the_password_grant_can_be_disabled() {
    let app = TestApp::start_with(BACKEND, &[("CARE4U__AUTH__PASSWORD_GRANT", "false")]).await;
    let patient = app.patient().await;
    let form = [("grant_type", "password"), ("username", patient.email.as_str()), ("password", PASSWORD)];
    app.token(&form).await.oauth_error(400, "unsupported_grant_type");
    app.token(&[("grant_type", "refresh_token"), ("refresh_token", &patient.refresh_token)]).await.ok();
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
        assert!(user.password_hash.0.starts_with("$2b$05$"));
    }
}
