//! Database schema, on both databases: every migration can be reverted and applied again, and the
//! entities describe the schema of the migrations.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod support;

use migration::{Migrator, connect, project};
use revisions::{Options, Reach};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection};
use support::facts::difference;
use support::{facts as facts_of, postgres};

/// Opens an empty in-memory database. It is deleted when the connection is closed.
async fn sqlite() -> DatabaseConnection {
    connect("sqlite::memory:", None).await.expect("an in-memory database can be opened")
}

async fn postgres() -> Option<DatabaseConnection> {
    let server = connect(postgres::server_url()?, None).await.expect("the test server accepts connections");
    let name = format!("schema_{}", uuid::Uuid::now_v7().simple());
    server.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database can be created");
    let url = postgres::database_url(&name)?;
    Some(connect(&url, None).await.expect("the new database accepts connections"))
}

/// Migrations that change rows, not the schema.
const ONLY_ROWS: [&str; 1] = ["m20261127_000026_add_search_words"];

async fn every_migration_can_be_reverted_and_applied_again(db: &DatabaseConnection) {
    assert!(facts_of(db).await.is_empty());
    let mut schemas = vec![facts_of(db).await];
    let one = Options { reach: Reach::Steps(1), ..project().options() };
    for migration in Migrator::migrations() {
        revisions::upgrade(db, &project(), &one).await.expect("a migration is applied");
        let after = facts_of(db).await;
        let changes_only_rows = ONLY_ROWS.contains(&migration.name());
        assert_eq!(schemas.last() == Some(&after), changes_only_rows, "{} and the schema", migration.name());
        schemas.push(after);
    }
    for before in schemas.iter().rev().skip(1) {
        revisions::downgrade(db, &project(), &one).await.expect("a migration is reverted");
        assert_eq!(difference(before, &facts_of(db).await), Vec::<String>::new());
    }
    migration::up(db).await.expect("all migrations are applied again");
    assert_eq!(difference(schemas.last().expect("there are migrations"), &facts_of(db).await), Vec::<String>::new());
}

async fn entities_describe_the_schema_of_the_migrations(migrated: &DatabaseConnection, derived: &DatabaseConnection) {
    migration::up(migrated).await.expect("all migrations are applied");
    let entities = entity::schema::entities(derived.get_database_backend());
    for table in entities.tables {
        derived.execute(&table).await.expect("the tables of the entities are created");
    }
    for index in entities.indexes {
        derived.execute(&index).await.expect("the indexes of the entities are created");
    }
    let (migrated, derived) = (facts_of(migrated).await, facts_of(derived).await);
    assert!(migrated.len() > 40, "too few facts were found: {migrated:#?}");
    let drift = difference(&migrated, &derived);
    assert!(drift.is_empty(), "migrations (-) and entities (+) disagree:\n{}", drift.join("\n"));
}

#[tokio::test]
async fn on_sqlite_every_migration_can_be_reverted_and_applied_again() {
    every_migration_can_be_reverted_and_applied_again(&sqlite().await).await;
}

#[tokio::test]
#[cfg_attr(without_postgres, ignore = "PostgreSQL is not installed")]
async fn on_postgres_every_migration_can_be_reverted_and_applied_again() {
    match postgres().await {
        Some(db) => every_migration_can_be_reverted_and_applied_again(&db).await,
        None => postgres::skipped("every_migration_can_be_reverted_and_applied_again"),
    }
}

#[tokio::test]
async fn on_sqlite_entities_describe_the_schema_of_the_migrations() {
    entities_describe_the_schema_of_the_migrations(&sqlite().await, &sqlite().await).await;
}

#[tokio::test]
#[cfg_attr(without_postgres, ignore = "PostgreSQL is not installed")]
async fn on_postgres_entities_describe_the_schema_of_the_migrations() {
    match (postgres().await, postgres().await) {
        (Some(migrated), Some(derived)) => {
            entities_describe_the_schema_of_the_migrations(&migrated, &derived).await;
        }
        _ => postgres::skipped("entities_describe_the_schema_of_the_migrations"),
    }
}

#[tokio::test]
#[cfg_attr(without_postgres, ignore = "PostgreSQL is not installed")]
async fn concurrent_upgrades_apply_each_migration_once() {
    let Some(db) = postgres().await else { return postgres::skipped("concurrent_upgrades_apply_each_migration_once") };
    let name = db
        .query_one_raw(sea_orm_migration::sea_orm::Statement::from_string(
            db.get_database_backend(),
            "SELECT current_database()::text",
        ))
        .await
        .expect("the query succeeds")
        .expect("the result has a row")
        .try_get_by_index::<String>(0)
        .expect("the row has the name of the database");
    let url = postgres::database_url(&name).expect("the test server is running");
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
