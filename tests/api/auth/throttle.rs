//! Throttling: repeated failures are slowed down, and no user can lock out another.

use std::sync::Arc;

use chrono::Duration;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::BACKEND;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::database::Database;
use crate::support::response::TestResponse;

const THROTTLED: (&str, &str) = ("CARE4U__THROTTLE__ENABLED", "true");
/// Longer than any test run, so that the duration of the test does not matter.
const LONG_WAITS: (&str, &str) = ("CARE4U__THROTTLE__FIRST_WAIT_SECONDS", "60");
const BEHIND_PROXY: (&str, &str) = ("CARE4U__SERVER__TRUSTED_PROXIES", "127.0.0.1, ::1");

const STRANGER: &str = "198.51.100.1";
const OWNER: &str = "203.0.113.9";

/// Sends a POST request to a path of `auth`, from an address in a forwarded header of a trusted proxy.
async fn post_from(app: &TestApp, address: &str, path: &str, body: Value) -> TestResponse {
    let request = app.request(Method::POST, &format!("/api/v1/auth/{path}")).header("x-forwarded-for", address);
    app.send(request.json(&body)).await
}

async fn log_in_from(app: &TestApp, address: &str, email: &str, password: &str) -> TestResponse {
    post_from(app, address, "login", json!({ "email": email, "password": password })).await
}

#[track_caller]
fn wait_of(response: &TestResponse) -> i64 {
    response.problem(429, "too-many-requests");
    response.header("retry-after").parse().expect("it is in seconds")
}

/// Asserts a wait of this length, less the time that has passed.
#[track_caller]
fn waits(response: &TestResponse, expected: i64) {
    let wait = wait_of(response);
    assert!((expected - 30..=expected).contains(&wait), "{wait} seconds instead of {expected}");
}

#[tokio::test]
async fn guessing_is_throttled_and_the_owner_is_not() {
    let app = TestApp::start_with(BACKEND, &[THROTTLED, BEHIND_PROXY, LONG_WAITS]).await;
    let patient = app.patient().await;
    for _ in 0..5 {
        log_in_from(&app, STRANGER, &patient.email, "a guess").await.problem(401, "wrong-credentials");
    }
    for expected in [60, 120, 240, 480, 900] {
        // During the wait, even the right password is not verified, and nothing is counted.
        for password in ["a guess", PASSWORD, "a guess"] {
            waits(&log_in_from(&app, STRANGER, &patient.email, password).await, expected);
        }
        log_in_from(&app, OWNER, &patient.email, PASSWORD).await.ok();
        app.clock.advance(Duration::seconds(expected));
        log_in_from(&app, STRANGER, &patient.email, "a guess").await.problem(401, "wrong-credentials");
    }
    app.clock.advance(Duration::seconds(900));
    log_in_from(&app, STRANGER, &patient.email, PASSWORD).await.ok();
    // The right password has reset the counter.
    log_in_from(&app, STRANGER, &patient.email, "a guess").await.problem(401, "wrong-credentials");
    log_in_from(&app, STRANGER, &patient.email, PASSWORD).await.ok();
}

#[tokio::test]
async fn waits_are_bounded_and_counters_are_reset() {
    let changes = [
        THROTTLED,
        ("CARE4U__THROTTLE__LOGIN_PER_ACCOUNT", "1"),
        ("CARE4U__THROTTLE__LONGEST_WAIT_SECONDS", "600"),
        LONG_WAITS,
    ];
    let app = TestApp::start_with(BACKEND, &changes).await;
    let patient = app.patient().await;
    for expected in [60, 120, 240, 480, 600, 600] {
        app.log_in(&patient.email, "a guess").await.problem(401, "wrong-credentials");
        waits(&app.log_in(&patient.email, PASSWORD).await, expected);
        app.clock.advance(Duration::seconds(expected));
    }
    app.clock.advance(Duration::hours(1));
    app.log_in(&patient.email, "a guess").await.problem(401, "wrong-credentials");
    waits(&app.log_in(&patient.email, PASSWORD).await, 60);
}

#[tokio::test]
async fn a_client_that_tries_many_accounts_is_throttled_on_all() {
    let changes = [THROTTLED, BEHIND_PROXY, LONG_WAITS, ("CARE4U__THROTTLE__LOGIN_PER_ADDRESS", "8")];
    let app = TestApp::start_with(BACKEND, &changes).await;
    let (patient, neighbour) = (app.patient().await, app.patient().await);
    log_in_from(&app, STRANGER, &neighbour.email, PASSWORD).await.ok();
    for number in 0..8 {
        let email = format!("somebody-{number}@example.org");
        log_in_from(&app, STRANGER, &email, "a guess").await.problem(401, "wrong-credentials");
    }
    wait_of(&log_in_from(&app, STRANGER, "one-more@example.org", "a guess").await);
    wait_of(&log_in_from(&app, STRANGER, &patient.email, PASSWORD).await);
    log_in_from(&app, OWNER, &patient.email, PASSWORD).await.ok();
    // A user who has logged in from this network before is not affected by other clients, and has five attempts.
    for _ in 0..5 {
        log_in_from(&app, STRANGER, &neighbour.email, "a guess").await.problem(401, "wrong-credentials");
    }
    wait_of(&log_in_from(&app, STRANGER, &neighbour.email, PASSWORD).await);
    app.clock.advance(Duration::seconds(60));
    log_in_from(&app, STRANGER, &neighbour.email, PASSWORD).await.ok();
    // An IPv6 /64 network counts as one address.
    for number in 0..8 {
        let address = format!("2001:db8::{number:x}");
        let email = format!("nobody-{number}@example.org");
        log_in_from(&app, &address, &email, "a guess").await.problem(401, "wrong-credentials");
    }
    wait_of(&log_in_from(&app, "2001:db8::ffff:1", "y@example.org", "a guess").await);
    log_in_from(&app, "2001:db8:0:1::1", "y@example.org", "a guess").await.problem(401, "wrong-credentials");
}

#[tokio::test]
async fn a_device_with_an_old_password_throttles_only_itself() {
    let changes = [
        THROTTLED,
        BEHIND_PROXY,
        ("CARE4U__THROTTLE__LOGIN_PER_ADDRESS", "8"),
        ("CARE4U__THROTTLE__LONGEST_WAIT_SECONDS", "60"),
    ];
    let app = TestApp::start_with(BACKEND, &changes).await;
    let (patient, neighbour) = (app.patient().await, app.patient().await);
    for _ in 0..30 {
        log_in_from(&app, STRANGER, &patient.email, "a stale one").await.problem(401, "wrong-credentials");
        app.clock.advance(Duration::seconds(60));
    }
    log_in_from(&app, STRANGER, &neighbour.email, PASSWORD).await.ok();
}

#[tokio::test]
async fn a_password_reset_clears_the_login_throttle() {
    let app = TestApp::start_with(BACKEND, &[THROTTLED, LONG_WAITS]).await;
    let patient = app.patient().await;
    for _ in 0..5 {
        app.log_in(&patient.email, "a guess").await.problem(401, "wrong-credentials");
    }
    wait_of(&app.log_in(&patient.email, PASSWORD).await);
    app.post("/api/v1/auth/forgot-password", json!({ "email": patient.email })).await.accepted();
    let code = app.mail.code(&patient.email, 1).await;
    let token = app.post("/api/v1/auth/validate-code", json!({ "email": patient.email, "code": code })).await.ok();
    let body = json!({ "reset_token": token["reset_token"], "new_password": "a longer sentence" });
    app.post("/api/v1/auth/reset-password", body).await.no_content();
    app.log_in(&patient.email, "a longer sentence").await.ok();
}

#[tokio::test]
async fn forwarded_headers_of_untrusted_peers_are_ignored() {
    let app = TestApp::start_with(BACKEND, &[THROTTLED, LONG_WAITS]).await;
    let patient = app.patient().await;
    for number in 0..5 {
        let address = format!("198.51.100.{number}");
        log_in_from(&app, &address, &patient.email, "a guess").await.problem(401, "wrong-credentials");
    }
    wait_of(&log_in_from(&app, OWNER, &patient.email, "a guess").await);
}

#[tokio::test]
async fn of_concurrent_guesses_only_the_free_attempts_are_verified() {
    // Even on a slow machine, the burst ends before the first wait.
    let app = TestApp::start_with(BACKEND, &[THROTTLED, ("CARE4U__THROTTLE__FIRST_WAIT_SECONDS", "600")]).await;
    let patient = app.patient().await;
    let responses = join_all((0..60).map(|_| app.log_in(&patient.email, "a guess"))).await;
    let count = |status: u16| responses.iter().filter(|response| response.status == status).count();
    // Those that get a permit while the fifth is being hashed: one per core, and one more.
    let at_once = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) + 1;
    assert!((5..=5 + at_once).contains(&count(401)), "{} were looked at", count(401));
    assert_eq!(count(401) + count(429) + count(503), 60);
    wait_of(&app.log_in(&patient.email, PASSWORD).await);
}

#[tokio::test]
async fn many_concurrent_logins_with_the_right_password_succeed() {
    let app = TestApp::start_with(BACKEND, &[THROTTLED]).await;
    let patient = app.patient().await;
    // As many as may wait for a permit on a single core.
    let responses = join_all((0..16).map(|_| app.log_in(&patient.email, PASSWORD))).await;
    assert!(responses.iter().all(|response| response.status == 200), "{responses:#?}");
}

#[tokio::test]
async fn all_instances_share_the_throttle_counters() {
    let app = TestApp::start_with(BACKEND, &[THROTTLED, LONG_WAITS]).await;
    let patient = app.patient().await;
    let other = TestApp::start_on(app.database.clone(), &[THROTTLED, LONG_WAITS]).await;
    for instance in [&app, &other, &app, &other, &app] {
        instance.log_in(&patient.email, "a guess").await.problem(401, "wrong-credentials");
    }
    wait_of(&app.log_in(&patient.email, PASSWORD).await);
    wait_of(&other.log_in(&patient.email, PASSWORD).await);
}

#[tokio::test]
async fn the_token_endpoint_and_login_share_a_throttle() {
    let app = TestApp::start_with(BACKEND, &[THROTTLED, LONG_WAITS]).await;
    let patient = app.patient().await;
    let form = [("grant_type", "password"), ("username", patient.email.as_str()), ("password", "a guess")];
    for _ in 0..5 {
        app.token(&form).await.oauth_error(400, "invalid_grant");
    }
    let response = app.token(&form).await;
    response.oauth_error(429, "temporarily_unavailable");
    assert!(response.header("retry-after").parse::<i64>().unwrap() <= 60);
    wait_of(&app.log_in(&patient.email, PASSWORD).await);
}

#[tokio::test]
async fn wrong_current_passwords_are_throttled() {
    let app = TestApp::start_with(BACKEND, &[THROTTLED, LONG_WAITS]).await;
    let patient = app.patient().await;
    let change = json!({ "current_password": "a guess", "new_password": "a longer sentence" });
    let email = json!({ "email": "ada@example.org", "current_password": "a guess" });
    for _ in 0..2 {
        patient.put("/users/me/password", change.clone()).await.violates(&[("current_password", "wrong")]);
        patient.post("/users/me/email-change", email.clone()).await.violates(&[("current_password", "wrong")]);
    }
    let erase = json!({ "password": "a guess" });
    patient.post("/users/me/deletion", erase.clone()).await.violates(&[("password", "wrong")]);
    wait_of(&patient.put("/users/me/password", change).await);
    wait_of(&patient.post("/users/me/email-change", email).await);
    wait_of(&patient.post("/users/me/deletion", erase).await);
    patient.get("/users/me").await.ok();
}

#[tokio::test]
async fn registrations_and_code_requests_are_throttled() {
    let changes = [
        THROTTLED,
        BEHIND_PROXY,
        LONG_WAITS,
        ("CARE4U__THROTTLE__REGISTER_PER_ADDRESS", "3"),
        ("CARE4U__THROTTLE__FORGOT_PASSWORD_PER_ACCOUNT", "2"),
        ("CARE4U__THROTTLE__FORGOT_PASSWORD_PER_ADDRESS", "4"),
        ("CARE4U__THROTTLE__RESEND_PER_ACCOUNT", "2"),
        ("CARE4U__THROTTLE__VALIDATE_CODE_PER_ACCOUNT", "3"),
    ];
    let app = TestApp::start_with(BACKEND, &changes).await;
    let register = async |number: i32, address: &str| {
        let body = json!({ "name": "Ada", "email": format!("{number}@example.org"), "password": PASSWORD });
        post_from(&app, address, "register", body).await
    };
    for number in 0..3 {
        register(number, STRANGER).await.created();
    }
    waits(&register(3, STRANGER).await, 60);
    register(4, OWNER).await.created();

    for path in ["forgot-password", "verify-email/resend"] {
        let ask =
            |address: &'static str, email: &'static str| post_from(&app, address, path, json!({ "email": email }));
        for _ in 0..2 {
            ask(STRANGER, "0@example.org").await.accepted();
        }
        wait_of(&ask(STRANGER, "0@example.org").await);
        ask(OWNER, "0@example.org").await.accepted();
        ask(STRANGER, "nobody@example.org").await.accepted();
    }
    let ask = |email: &'static str| post_from(&app, STRANGER, "forgot-password", json!({ "email": email }));
    ask("1@example.org").await.accepted();
    wait_of(&ask("2@example.org").await);

    let guess = |address: &'static str| {
        post_from(&app, address, "validate-code", json!({ "email": "0@example.org", "code": "123456" }))
    };
    for _ in 0..3 {
        guess(STRANGER).await.violates(&[("code", "wrong")]);
    }
    wait_of(&guess(STRANGER).await);
    guess(OWNER).await.violates(&[("code", "wrong")]);
}

#[tokio::test]
async fn of_concurrent_code_requests_only_the_limit_is_accepted() {
    let app = TestApp::start_with(BACKEND, &[THROTTLED, LONG_WAITS]).await;
    let body = json!({ "email": "ada@example.org" });
    let responses = join_all((0..40).map(|_| app.post("/api/v1/auth/forgot-password", body.clone()))).await;
    assert_eq!(responses.iter().filter(|response| response.status == 202).count(), 5);
    assert_eq!(responses.iter().filter(|response| response.status == 429).count(), 35);
}

#[tokio::test]
async fn mails_per_recipient_are_limited_and_delayed_ones_arrive() {
    let changes = [
        THROTTLED,
        BEHIND_PROXY,
        ("CARE4U__THROTTLE__MAILS_PER_RECIPIENT", "3"),
        ("CARE4U__THROTTLE__FIRST_WAIT_SECONDS", "900"),
    ];
    let app = TestApp::start_with(BACKEND, &changes).await;
    let (patient, other) = (app.patient().await, app.patient().await);
    for number in 0..8 {
        let address = format!("198.51.100.{number}");
        post_from(&app, &address, "forgot-password", json!({ "email": patient.email })).await.accepted();
    }
    post_from(&app, STRANGER, "forgot-password", json!({ "email": other.email })).await.accepted();
    app.mail.wait_for(&other.email, 1).await;
    app.mail.wait_for(&patient.email, 3).await;
    // When the three codes have expired, the next one is mailed.
    app.clock.advance(Duration::seconds(601));
    let next = app.mail.wait_for(&patient.email, 4).await;
    let body = json!({ "email": patient.email, "code": next.code() });
    post_from(&app, OWNER, "validate-code", body).await.ok();
}

#[tokio::test]
async fn a_throttle_counter_contains_no_personal_data() {
    use sea_orm::EntityTrait;
    let app = TestApp::start_with(BACKEND, &[THROTTLED]).await;
    app.log_in("ada@example.org", "a guess").await.problem(401, "wrong-credentials");
    let stored = entity::throttles::Entity::find().all(&app.state().db).await.unwrap();
    assert_eq!(stored.len(), 2);
    assert!(!format!("{stored:?}").contains("ada") && !format!("{stored:?}").contains("127.0.0.1"));
    app.clock.advance(Duration::hours(2));
    let swept = care4u::domain::auth::throttle::sweep(&app.state().db, app.clock.now()).await.unwrap();
    assert_eq!(swept, 2);
}

#[tokio::test]
async fn counters_survive_an_exchange_of_keys() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, secret: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, secret).unwrap();
        path.display().to_string()
    };
    let old = file("old", "K5l1rCqEGZrTCPNmbLgnLrrgLzLQXzSNsyHs0IV2");
    let new = file("new", "uJ3p0aTn7Lk2vQeYxWb9RzD4mHs6GcF8oNi1VtXy");
    let start = async |database: Arc<Database>, keys: String| {
        let changes = [THROTTLED, BEHIND_PROXY, LONG_WAITS, ("CARE4U__AUTH__KEYS", &keys)];
        TestApp::start_on(database, &changes).await
    };
    let app = start(Arc::new(Database::new(BACKEND).await), format!("{old},{new}")).await;
    let patient = app.patient().await;
    for _ in 0..5 {
        log_in_from(&app, STRANGER, &patient.email, "a guess").await.problem(401, "wrong-credentials");
    }
    wait_of(&log_in_from(&app, STRANGER, &patient.email, "a guess").await);
    for keys in [format!("{new},{old}"), new] {
        let later = start(Arc::clone(&app.database), keys).await;
        wait_of(&log_in_from(&later, STRANGER, &patient.email, "a guess").await);
    }
}
