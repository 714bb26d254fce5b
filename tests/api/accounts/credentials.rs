//! Change of the password.

use serde_json::json;

use crate::BACKEND;
use crate::support::app::{PASSWORD, TestApp};

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
