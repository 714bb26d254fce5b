//! The schema, on both databases: every migration can be undone and done again, and the entities describe the same
//! tables, columns, keys, checks and indexes as the migrations.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests fail by panicking")]

#[path = "../../tests/support/postgres.rs"]
#[allow(dead_code, reason = "shared with other programs")]
mod postgres;

use migration::schema::{Facts, describe, difference};
use migration::{Migrator, connect};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection};

/// An empty database of this test's own, which ends with the connection.
async fn sqlite() -> DatabaseConnection {
    connect("sqlite::memory:", None).await.expect("SQLite opens in memory")
}

async fn postgres() -> Option<DatabaseConnection> {
    let server = connect(postgres::server_url()?, None).await.expect("the test server answers");
    let name = format!("schema_{}", uuid::Uuid::now_v7().simple());
    server.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database can be created");
    let url = postgres::database_url(&name)?;
    Some(connect(&url, None).await.expect("the new database answers"))
}

async fn facts(db: &DatabaseConnection) -> Facts {
    describe(db).await.expect("a schema can be described")
}

async fn every_migration_can_be_undone_and_done_again(db: &DatabaseConnection) {
    assert!(facts(db).await.is_empty());
    let mut steps = vec![facts(db).await];
    for _ in Migrator::migrations() {
        Migrator::up(db, Some(1)).await.expect("a migration applies");
        let after = facts(db).await;
        assert_ne!(steps.last(), Some(&after), "a migration that changes nothing");
        steps.push(after);
    }
    for before in steps.iter().rev().skip(1) {
        Migrator::down(db, Some(1)).await.expect("a migration can be undone");
        assert_eq!(difference(before, &facts(db).await), Vec::<String>::new());
    }
    migration::up(db).await.expect("all migrations apply again");
    assert_eq!(difference(steps.last().expect("there are migrations"), &facts(db).await), Vec::<String>::new());
}

async fn the_entities_describe_what_the_migrations_build(migrated: &DatabaseConnection, derived: &DatabaseConnection) {
    migration::up(migrated).await.expect("all migrations apply");
    for statement in entity::schema::statements(derived.get_database_backend()) {
        derived.execute_raw(statement).await.expect("the statements of the entities run");
    }
    let (migrated, derived) = (facts(migrated).await, facts(derived).await);
    assert!(migrated.len() > 40, "hardly anything was found: {migrated:#?}");
    let drift = difference(&migrated, &derived);
    assert!(drift.is_empty(), "migrations (-) and entities (+) disagree:\n{}", drift.join("\n"));
}

#[tokio::test]
async fn on_sqlite_every_migration_can_be_undone_and_done_again() {
    every_migration_can_be_undone_and_done_again(&sqlite().await).await;
}

#[tokio::test]
async fn on_postgres_every_migration_can_be_undone_and_done_again() {
    match postgres().await {
        Some(db) => every_migration_can_be_undone_and_done_again(&db).await,
        None => postgres::skipped("every_migration_can_be_undone_and_done_again"),
    }
}

#[tokio::test]
async fn on_sqlite_the_entities_describe_what_the_migrations_build() {
    the_entities_describe_what_the_migrations_build(&sqlite().await, &sqlite().await).await;
}

#[tokio::test]
async fn on_postgres_the_entities_describe_what_the_migrations_build() {
    match (postgres().await, postgres().await) {
        (Some(migrated), Some(derived)) => {
            the_entities_describe_what_the_migrations_build(&migrated, &derived).await;
        }
        _ => postgres::skipped("the_entities_describe_what_the_migrations_build"),
    }
}

#[tokio::test]
async fn migrators_that_start_together_apply_each_migration_once() {
    let Some(db) = postgres().await else { return postgres::skipped("migrators_that_start_together") };
    let name = db
        .query_one_raw(sea_orm_migration::sea_orm::Statement::from_string(
            db.get_database_backend(),
            "SELECT current_database()::text",
        ))
        .await
        .expect("the database answers")
        .expect("with a row")
        .try_get_by_index::<String>(0)
        .expect("that holds its name");
    let url = postgres::database_url(&name).expect("the server is there");
    let migrators = (0..8).map(|_| {
        let url = url.clone();
        tokio::spawn(async move {
            let db = connect(&url, None).await?;
            migration::up(&db).await
        })
    });
    for migrator in migrators.collect::<Vec<_>>() {
        migrator.await.expect("no migrator panics").expect("no migrator fails");
    }
    let applied = Migrator::get_applied_migrations(&db).await.expect("the history can be read");
    assert_eq!(applied.len(), Migrator::migrations().len());
}
