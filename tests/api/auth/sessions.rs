//! List of sessions, revocation, and the sweep.

use chrono::Duration;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::Value;

use reqwest::Method;

use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::{PASSWORD, TestApp};

async fn sessions(actor: &Actor<'_>) -> Vec<Value> {
    actor.get("/users/me/sessions").await.ok()["items"].as_array().expect("a list has items").clone()
}

#[tokio::test]
async fn users_list_their_active_sessions() {
    let app = TestApp::start(BACKEND).await;
    let (patient, stranger) = (app.patient().await, app.patient().await);
    let body = serde_json::json!({ "email": patient.email, "password": PASSWORD });
    let login = app.request(reqwest::Method::POST, "/api/v1/auth/login").json(&body).header("user-agent", "A phone");
    let phone = app.send(login).await.ok();
    app.clock.advance(Duration::minutes(1));
    app.refresh(phone["refresh_token"].as_str().unwrap()).await.ok();

    let listed = sessions(&patient).await;
    assert_eq!(listed.len(), 2);
    let (phone, this) = (&listed[0], &listed[1]);
    assert_eq!((&phone["current"], &phone["user_agent"]), (&Value::from(false), &Value::from("A phone")));
    assert_eq!((&this["current"], &this["ip"]), (&Value::from(true), &Value::from("127.0.0.1")));
    assert!(phone["refreshed_at"].as_str() > phone["created_at"].as_str());
    assert_eq!(this["refreshed_at"], this["created_at"]);
    assert_eq!(sessions(&stranger).await.len(), 1);
    assert_eq!(patient.get("/users/me/sessions?limit=1").await.ok()["items"][0]["id"], phone["id"]);
    app.get("/api/v1/users/me/sessions").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_session_can_be_revoked_from_another_one() {
    let app = TestApp::start(BACKEND).await;
    let (patient, stranger) = (app.patient().await, app.patient().await);
    let lost = patient.on_another_device().await;
    let path = format!("/users/me/sessions/{}", sessions(&patient).await[0]["id"].as_str().unwrap());
    stranger.delete(&path).await.problem(404, "not-found");
    lost.get("/users/me").await.ok();
    patient.delete(&path).await.no_content();
    lost.get("/users/me").await.problem(401, "invalid-token");
    app.refresh(&lost.refresh_token).await.problem(401, "invalid-token");
    patient.get("/users/me").await.ok();
    patient.delete(&path).await.problem(404, "not-found");
    assert_eq!(sessions(&patient).await.len(), 1);
    assert_eq!(patient.get("/users/me/activity").await.ok()["items"][0]["action"], "session_ended");
}

#[tokio::test]
async fn all_other_sessions_can_be_revoked_at_once() {
    let app = TestApp::start(BACKEND).await;
    let (patient, stranger) = (app.patient().await, app.patient().await);
    let others = [patient.on_another_device().await, patient.on_another_device().await];
    patient.delete("/users/me/sessions").await.no_content();
    for other in &others {
        other.get("/users/me").await.problem(401, "invalid-token");
    }
    assert_eq!(sessions(&patient).await.len(), 1);
    stranger.get("/users/me").await.ok();
    patient.delete("/users/me/sessions").await.no_content();
}

#[tokio::test]
async fn the_sweep_deletes_only_ended_sessions() {
    let app = TestApp::start(BACKEND).await;
    let (auth, db) = (&app.state().auth, &app.state().db);
    let rows = async || entity::refresh_tokens::Entity::find().count(db).await.unwrap();
    let (old, ended) = (app.patient().await, app.patient().await);
    ended.post_empty("/auth/logout").await.no_content();
    let sweep = async || care4u::domain::auth::sessions::sweep(db, auth).await.unwrap();
    // Other instances may not have read the revocation yet.
    assert_eq!((sweep().await, rows().await), (0, 2));
    app.clock.advance(Duration::minutes(26));
    assert_eq!((sweep().await, rows().await), (1, 1));
    app.clock.advance(Duration::days(29));
    let fresh = app.patient().await;
    app.clock.advance(Duration::days(2));
    assert_eq!((sweep().await, rows().await), (1, 1));
    app.refresh(&old.refresh_token).await.problem(401, "invalid-token");
    app.refresh(&fresh.refresh_token).await.ok();
    // Several instances may sweep at the same time.
    let other = app.another_instance().await;
    for _ in 0..20 {
        app.log_in(&fresh.email, PASSWORD).await.ok();
    }
    app.clock.advance(Duration::days(32));
    let sweeps =
        futures_util::future::join(sweep(), care4u::domain::auth::sessions::sweep(&other.state().db, auth)).await;
    assert_eq!((sweeps.0 + sweeps.1.unwrap(), rows().await), (21, 0));
}

#[tokio::test]
async fn many_sessions_revoked_at_the_same_time_are_all_read() {
    use care4u::domain::auth::revocations::Revocations;
    use sea_orm::sea_query::Expr;
    use sea_orm::{ConnectionTrait, QueryOrder};
    let app = TestApp::start(BACKEND).await;
    let (patient, db, now) = (app.patient().await, &app.state().db, app.clock.now());
    let id =
        if db.get_database_backend() == sea_orm::DbBackend::Sqlite { "randomblob(16)" } else { "gen_random_uuid()" };
    let rows = format!(
        "INSERT INTO refresh_tokens (id, user_id, generation, rotated_at, expires_at, created_at)
         WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 25000)
         SELECT {id}, user_id, 0, rotated_at, expires_at, created_at FROM refresh_tokens, numbers"
    );
    db.execute_unprepared(&rows).await.unwrap();
    let end = entity::refresh_tokens::Entity::update_many();
    end.col_expr(entity::refresh_tokens::Column::RevokedAt, Expr::value(now)).exec(db).await.unwrap();
    let list = Revocations::new(std::time::Duration::from_secs(10));
    list.read(db, now).await.unwrap();
    let all =
        entity::refresh_tokens::Entity::find().order_by_asc(entity::refresh_tokens::Column::Id).all(db).await.unwrap();
    assert_eq!(all.len(), 25_001);
    assert!(all.iter().all(|session| list.contains(session.id)));
    drop(patient);
}

#[tokio::test]
async fn a_token_of_either_kind_can_be_revoked_even_if_it_has_expired() {
    let app = TestApp::start(BACKEND).await;
    let revoke =
        async |token: &str| app.send(app.request(Method::POST, "/api/v1/auth/revoke").form(&[("token", token)])).await;
    let (by_access, by_refresh, other) = (app.patient().await, app.patient().await, app.patient().await);
    revoke(&by_refresh.refresh_token).await.is(200);
    by_refresh.get("/users/me").await.problem(401, "invalid-token");
    app.clock.advance(chrono::Duration::minutes(16));
    by_access.get("/users/me").await.problem(401, "invalid-token");
    revoke(&by_access.access_token).await.is(200);
    app.refresh(&by_access.refresh_token).await.problem(401, "invalid-token");
    // Unknown and revoked tokens get the same response, and no other session ends.
    for token in ["unknown", &by_access.access_token, &format!("{}x", other.access_token)] {
        revoke(token).await.is(200);
    }
    app.refresh(&other.refresh_token).await.ok();
    let empty = app.request(Method::POST, "/api/v1/auth/revoke").form(&[("token_type_hint", "access_token")]);
    app.send(empty).await.oauth_error(400, "invalid_request");
    let json = app.request(Method::POST, "/api/v1/auth/revoke").json(&serde_json::json!({ "token": "x" }));
    app.send(json).await.oauth_error(400, "invalid_request");
}

#[tokio::test]
async fn of_more_than_fifty_sessions_the_oldest_ends() {
    let app = TestApp::start(BACKEND).await;
    let first = app.patient().await;
    let second = first.on_another_device().await;
    for _ in 0..49 {
        first.on_another_device().await;
    }
    first.get("/users/me").await.problem(401, "invalid-token");
    app.refresh(&first.refresh_token).await.problem(401, "invalid-token");
    second.get("/users/me").await.ok();
}
