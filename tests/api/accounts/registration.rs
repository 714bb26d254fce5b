//! Silent registration: the response does not reveal whether an address is taken.

use serde_json::json;

use crate::BACKEND;
use crate::support::app::{PASSWORD, TestApp};

const SILENT: [(&str, &str); 1] = [("CARE4U__REGISTRATION__ON_DUPLICATE", "silent")];

#[tokio::test]
async fn silent_registration_answers_the_same_for_taken_and_free_addresses() {
    let app = TestApp::start_with(BACKEND, &SILENT).await;
    let patient = app.patient().await;
    let (new, taken) = (app.register("new@example.org").await, app.register(&patient.email).await);
    new.accepted();
    assert_eq!((new.status, &new.text), (taken.status, &taken.text));
    let code = app.mail.code("new@example.org", 1).await;
    let body = json!({ "email": "new@example.org", "code": code });
    app.post("/api/v1/auth/verify-email", body).await.no_content();
    app.log_in("new@example.org", PASSWORD).await.ok();
    let mail = app.mail.wait_for(&patient.email, 1).await;
    assert_eq!(mail.subject, "You have an account already");
    patient.get("/users/me").await.ok();
}

#[tokio::test]
async fn a_login_after_silent_registration_does_not_reveal_a_taken_address() {
    let app = TestApp::start_with(BACKEND, &SILENT).await;
    let patient = app.patient().await;
    for email in ["new@example.org", &patient.email] {
        let body = json!({ "name": "Eve", "email": email, "password": "the password of Eve" });
        app.post("/api/v1/auth/register", body).await.accepted();
    }
    let (new, taken) = (
        app.log_in("new@example.org", "the password of Eve").await.problem(401, "wrong-credentials"),
        app.log_in(&patient.email, "the password of Eve").await.problem(401, "wrong-credentials"),
    );
    assert_eq!(new["detail"], taken["detail"]);
}

#[tokio::test]
async fn silent_registration_does_not_reveal_a_taken_national_id() {
    let app = TestApp::start_with(BACKEND, &SILENT).await;
    let register = async |email: &str| {
        let body = json!({ "name": "Ada", "email": email, "password": PASSWORD, "nid": "19121815-AL" });
        app.post("/api/v1/auth/register", body).await
    };
    let (first, second) = (register("ada@example.org").await, register("eve@example.org").await);
    assert_eq!((first.is(202).status, &first.text), (second.status, &second.text));
    let mail = app.mail.wait_for("eve@example.org", 1).await;
    assert_eq!(mail.subject, "Your registration could not be completed");
    app.log_in("eve@example.org", PASSWORD).await.problem(401, "wrong-credentials");
}

#[tokio::test]
async fn a_registration_whose_mail_cannot_be_stored_is_rolled_back() {
    use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait};
    let app = TestApp::start(BACKEND).await;
    app.state().db.execute_unprepared("ALTER TABLE outbox RENAME TO on_another_device").await.unwrap();
    app.register("ada@example.org").await.problem(500, "internal");
    assert_eq!(entity::users::Entity::find().count(&app.state().db).await.unwrap(), 0);
    app.state().db.execute_unprepared("ALTER TABLE on_another_device RENAME TO outbox").await.unwrap();
    app.register("ada@example.org").await.created();
    app.mail.wait_for("ada@example.org", 1).await;
}
