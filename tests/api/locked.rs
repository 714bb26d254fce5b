//! Somebody else holds the SQLite file.

use care4u::db::Transact as _;
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::BACKEND;
use crate::support::app::TestApp;

#[tokio::test]
async fn while_another_program_writes_readers_go_on_and_writers_are_told_to_come_back() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let other = migration::connect(&app.database.url(), None).await.unwrap();
    other.execute_unprepared("BEGIN EXCLUSIVE").await.unwrap();
    patient.get("/users/me").await.ok();
    let answer = patient.patch("/users/me", json!({ "name": "Ada King" })).await;
    answer.problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "2");
    other.execute_unprepared("ROLLBACK").await.unwrap();
    assert_eq!(patient.patch("/users/me", json!({ "name": "Ada King" })).await.ok()["name"], "Ada King");
}

#[tokio::test]
async fn the_file_is_in_wal_mode_and_its_keys_are_enforced() {
    use sea_orm::{DbBackend, Statement};
    let app = TestApp::start(BACKEND).await;
    let pragma = async |name: &str| {
        let statement = Statement::from_string(DbBackend::Sqlite, format!("SELECT * FROM pragma_{name}"));
        // Written so that it goes to the connection that writes.
        let transaction = app.state().db.begin().await.unwrap();
        transaction.query_one_raw(statement).await.unwrap().unwrap()
    };
    assert_eq!(pragma("journal_mode").await.try_get_by_index::<String>(0).unwrap(), "wal");
    assert_eq!(pragma("foreign_keys").await.try_get_by_index::<i32>(0).unwrap(), 1);
    // 2 is FULL: what was acknowledged is on disk.
    assert_eq!(pragma("synchronous").await.try_get_by_index::<i32>(0).unwrap(), 2);
}
