//! SQLite file that another program has locked.

use care4u::db::Transact as _;
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::BACKEND;
use crate::support::app::TestApp;

#[tokio::test]
async fn while_the_file_is_locked_reads_succeed_and_writes_are_503() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let other = migration::connect(&app.database.url(), None).await.unwrap();
    other.execute_unprepared("BEGIN EXCLUSIVE").await.unwrap();
    patient.get("/users/me").await.ok();
    let response = patient.patch("/users/me", json!({ "name": "Ada King" })).await;
    response.problem(503, "unavailable");
    assert_eq!(response.header("retry-after"), "2");
    other.execute_unprepared("ROLLBACK").await.unwrap();
    assert_eq!(patient.patch("/users/me", json!({ "name": "Ada King" })).await.ok()["name"], "Ada King");
}

#[tokio::test]
async fn the_file_is_in_wal_mode_and_foreign_keys_are_enforced() {
    use sea_orm::{DbBackend, Statement};
    let app = TestApp::start(BACKEND).await;
    let pragma = async |name: &str| {
        let statement = Statement::from_string(DbBackend::Sqlite, format!("SELECT * FROM pragma_{name}"));
        // In a write transaction, so that it runs on the write connection.
        let transaction = app.state().db.begin().await.unwrap();
        transaction.query_one_raw(statement).await.unwrap().unwrap()
    };
    assert_eq!(pragma("journal_mode").await.try_get_by_index::<String>(0).unwrap(), "wal");
    assert_eq!(pragma("foreign_keys").await.try_get_by_index::<i32>(0).unwrap(), 1);
    // 2 is FULL: acknowledged writes are on disk.
    assert_eq!(pragma("synchronous").await.try_get_by_index::<i32>(0).unwrap(), 2);
}
