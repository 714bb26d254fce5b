//! Refresh token rotation: one successor, the grace period, and reuse detection.

use chrono::Duration;
use serde_json::Value;

use crate::BACKEND;
use crate::support::app::TestApp;

fn refresh_token(pair: &Value) -> String {
    pair["refresh_token"].as_str().expect("a pair has a refresh token").to_owned()
}

fn access_token(pair: &Value) -> String {
    pair["access_token"].as_str().expect("a pair has an access token").to_owned()
}

async fn lets_in(app: &TestApp, access_token: &str) -> u16 {
    app.send(app.request(reqwest::Method::GET, "/api/v1/users/me").bearer_auth(access_token)).await.status
}

#[tokio::test]
async fn a_refresh_returns_a_new_pair_of_the_same_session() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let response = app.refresh(&patient.refresh_token).await;
    let pair = response.ok();
    assert_eq!(response.header("cache-control"), "no-store");
    assert_ne!(refresh_token(&pair), patient.refresh_token);
    assert_eq!(lets_in(&app, &access_token(&pair)).await, 200);
    assert_eq!(lets_in(&app, &patient.access_token).await, 200);
}

#[tokio::test]
async fn sixty_four_concurrent_refreshes_get_the_same_successor() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let responses = (0..64).map(|_| app.refresh(&patient.refresh_token));
    let pairs: Vec<_> = futures_util::future::join_all(responses).await.iter().map(|response| response.ok()).collect();
    for pair in &pairs {
        assert_eq!(refresh_token(pair), refresh_token(&pairs[0]));
        assert_eq!(access_token(pair), access_token(&pairs[0]));
    }
    assert_eq!(lets_in(&app, &access_token(&pairs[0])).await, 200);
    app.refresh(&refresh_token(&pairs[0])).await.ok();
}

#[tokio::test]
async fn within_the_grace_period_a_repeated_refresh_gets_the_same_pair() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let first = app.refresh(&patient.refresh_token).await.ok();
    app.clock.advance(Duration::seconds(5));
    let second = app.refresh(&patient.refresh_token).await.ok();
    assert_eq!(refresh_token(&first), refresh_token(&second));
    assert_eq!(access_token(&first), access_token(&second));
}

#[tokio::test]
async fn after_the_grace_period_a_reused_token_ends_a_session_that_is_in_use() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let next = app.refresh(&patient.refresh_token).await.ok();
    assert_eq!(lets_in(&app, &access_token(&next)).await, 200);
    app.clock.advance(Duration::seconds(11));
    app.refresh(&patient.refresh_token).await.problem(401, "invalid-token");
    assert_eq!(lets_in(&app, &access_token(&next)).await, 401);
    app.refresh(&refresh_token(&next)).await.problem(401, "invalid-token");
}

#[tokio::test]
async fn a_refresh_whose_answer_was_lost_can_be_repeated_for_a_day() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let lost = app.refresh(&patient.refresh_token).await.ok();
    for _ in 0..2 {
        app.clock.advance(Duration::hours(10));
        let again = app.refresh(&patient.refresh_token).await.ok();
        assert_eq!(refresh_token(&again), refresh_token(&lost));
        assert!(again["expires_in"].as_i64().unwrap() > 890, "its access token is alive");
    }
    app.clock.advance(Duration::hours(5));
    app.refresh(&patient.refresh_token).await.problem(401, "invalid-token");
    app.refresh(&refresh_token(&lost)).await.problem(401, "invalid-token");
}

#[tokio::test]
async fn a_successor_in_use_or_an_older_ancestor_is_not_given_out_again() {
    let app = TestApp::start(BACKEND).await;
    // Its access token was used.
    let patient = app.patient().await;
    app.refresh(&patient.refresh_token).await.ok();
    app.clock.advance(Duration::minutes(10));
    let again = app.refresh(&patient.refresh_token).await.ok();
    assert_eq!(lets_in(&app, &access_token(&again)).await, 200);
    app.refresh(&patient.refresh_token).await.problem(401, "invalid-token");
    assert_eq!(lets_in(&app, &access_token(&again)).await, 401);
    // Its refresh token was used.
    let patient = app.patient().await;
    let second = app.refresh(&patient.refresh_token).await.ok();
    app.refresh(&refresh_token(&second)).await.ok();
    app.clock.advance(Duration::minutes(10));
    app.refresh(&patient.refresh_token).await.problem(401, "invalid-token");
    app.refresh(&refresh_token(&second)).await.problem(401, "invalid-token");
    // Its session has ended.
    let patient = app.patient().await;
    app.refresh(&patient.refresh_token).await.ok();
    patient.post_empty("/auth/logout").await.no_content();
    app.clock.advance(Duration::minutes(1));
    app.refresh(&patient.refresh_token).await.problem(401, "invalid-token");
}

#[tokio::test]
async fn another_instance_learns_which_generations_are_in_use() {
    use sea_orm::EntityTrait as _;
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let next = app.refresh(&patient.refresh_token).await.ok();
    assert_eq!(lets_in(&app, &access_token(&next)).await, 200);
    let written = async {
        loop {
            let session = entity::refresh_tokens::Entity::find().one(&app.state().db).await.unwrap().unwrap();
            if session.seen_generation == 1 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), written).await.expect("it is written in time");
    let other = app.another_instance().await;
    other.clock.advance(Duration::minutes(1));
    other.refresh(&patient.refresh_token).await.problem(401, "invalid-token");
}

#[tokio::test]
async fn repeating_a_lost_refresh_can_be_switched_off() {
    let app = TestApp::start_with(BACKEND, &[("CARE4U__AUTH__REFRESH_RETRY_SECONDS", "0")]).await;
    let patient = app.patient().await;
    app.refresh(&patient.refresh_token).await.ok();
    app.clock.advance(Duration::seconds(11));
    app.refresh(&patient.refresh_token).await.problem(401, "invalid-token");
}

#[tokio::test]
async fn a_token_two_generations_old_ends_the_session_even_within_the_grace_period() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let second = app.refresh(&patient.refresh_token).await.ok();
    let third = app.refresh(&refresh_token(&second)).await.ok();
    app.refresh(&patient.refresh_token).await.problem(401, "invalid-token");
    app.refresh(&refresh_token(&third)).await.problem(401, "invalid-token");
}

#[tokio::test]
async fn a_session_without_a_refresh_expires() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    app.clock.advance(Duration::days(29));
    let pair = app.refresh(&patient.refresh_token).await.ok();
    app.clock.advance(Duration::days(31));
    app.refresh(&refresh_token(&pair)).await.problem(401, "invalid-token");
}

#[tokio::test]
async fn a_session_expires_at_its_absolute_lifetime() {
    let app = TestApp::start(BACKEND).await;
    let mut token = app.patient().await.refresh_token;
    for _ in 0..4 {
        app.clock.advance(Duration::days(20));
        token = refresh_token(&app.refresh(&token).await.ok());
    }
    app.clock.advance(Duration::days(9));
    let last = app.refresh(&token).await.ok();
    assert!(last["refresh_expires_in"].as_i64().unwrap() <= 24 * 60 * 60, "{last}");
    app.clock.advance(Duration::days(1));
    app.refresh(&refresh_token(&last)).await.problem(401, "invalid-token");
}

#[tokio::test]
async fn of_a_concurrent_refresh_and_logout_the_logout_wins() {
    let app = TestApp::start(BACKEND).await;
    for _ in 0..8 {
        let patient = app.patient().await;
        let (_, refreshed) = tokio::join!(patient.post_empty("/auth/logout"), app.refresh(&patient.refresh_token));
        if refreshed.status == 200 {
            // The refresh came before the logout, which then ended the session.
            let pair = refreshed.json();
            app.refresh(&refresh_token(&pair)).await.problem(401, "invalid-token");
            assert_eq!(lets_in(&app, &access_token(&pair)).await, 401);
        } else {
            refreshed.problem(401, "invalid-token");
        }
    }
}

#[tokio::test]
async fn another_instance_rejects_a_revoked_session_within_seconds() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let other = app.another_instance().await;
    assert_eq!(lets_in(&other, &patient.access_token).await, 200);
    patient.post_empty("/auth/logout").await.no_content();
    // The other instance reads revocations once a second; the loop ends when it has.
    let asked = std::time::Instant::now();
    while lets_in(&other, &patient.access_token).await == 200 {
        assert!(asked.elapsed().as_secs() < 60, "the other instance never learnt of it");
        tokio::task::yield_now().await;
    }
    // An instance that starts later has read it at its start.
    let later = app.another_instance().await;
    assert_eq!(lets_in(&later, &patient.access_token).await, 401);
}
