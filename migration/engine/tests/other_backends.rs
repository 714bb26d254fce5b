//! Projects with several databases: on one database, the differences of the others are found, too.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, missing_docs, reason = "tests fail by panicking")]

use std::path::PathBuf;
use std::time::Duration;

use revisions::{Entities, Heading, Project};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Migration that creates a table with two columns: one whose type changes on PostgreSQL only, and
/// one that is dropped.
struct First;

impl MigrationName for First {
    fn name(&self) -> &str {
        "m20260101_000000_first"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for First {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = people(false);
        manager.create_table(table.col(ColumnDef::new("gone").big_integer()).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("people").to_owned()).await
    }
}

fn people(is_large: bool) -> TableCreateStatement {
    let mut age = ColumnDef::new("age");
    if is_large {
        age.big_integer()
    } else {
        age.integer()
    };
    Table::create()
        .table("people")
        .col(ColumnDef::new("id").uuid().not_null())
        .col(age)
        .primary_key(Index::create().name("people_pkey").col("id"))
        .to_owned()
}

fn project(entities: fn(DbBackend) -> Entities) -> Project {
    Project {
        migrations: || vec![Box::new(First)],
        entities: Some(entities),
        backends: &[DbBackend::Sqlite, DbBackend::Postgres],
        default_url: None,
        migration_dir: PathBuf::new(),
        entity_dir: PathBuf::new(),
        is_development: true,
        lock_timeout: Duration::from_secs(10),
        table_lock_timeout: Duration::from_secs(3),
        ..Project::new(Vec::new)
    }
}

async fn generated(entities: fn(DbBackend) -> Entities) -> String {
    let db = revisions::connect("sqlite::memory:", None).await.unwrap();
    let project = project(entities);
    revisions::upgrade(&db, &project, &project.options()).await.unwrap();
    let heading = Heading { message: "x".into(), parent: None, date: "2026-11-21".into() };
    revisions::autogenerate(&db, &project, &heading).await.unwrap().expect("there are differences")
}

#[tokio::test]
async fn on_sqlite_a_postgres_only_change_is_generated() {
    let text = generated(|_| {
        let mut table = people(true);
        table.col(ColumnDef::new("gone").big_integer());
        Entities::from_statements(vec![table], Vec::new())
    })
    .await;
    let (up, down) = text.split_once("async fn down").unwrap();
    assert!(up.contains(".alter_type(ColumnDef::new(People::Age).big_integer())"), "{text}");
    assert!(down.contains(".alter_type(ColumnDef::new(People::Age).integer())"), "{text}");
}

#[tokio::test]
async fn on_sqlite_a_restored_column_has_its_postgres_type() {
    let text = generated(|_| Entities::from_statements(vec![people(false)], Vec::new())).await;
    let (up, down) = text.split_once("async fn down").unwrap();
    assert!(up.contains("drop_column(People::Gone)"), "{text}");
    assert!(down.contains("add_column(ColumnDef::new(People::Gone).big_integer())"), "{text}");
}

#[tokio::test]
async fn on_sqlite_a_postgres_collation_is_generated() {
    let text = generated(|backend| {
        let mut table = people(false);
        let mut gone = ColumnDef::new("gone");
        gone.text();
        if backend == DbBackend::Postgres {
            gone.extra("COLLATE \"C\"");
        }
        table.col(gone);
        Entities::from_statements(vec![table], Vec::new())
    })
    .await;
    let (up, down) = text.split_once("async fn down").unwrap();
    assert!(up.contains("gone.extra(\"COLLATE \\\"C\\\"\")"), "{text}");
    assert!(!down.contains("COLLATE") && down.contains(".big_integer()"), "{text}");
}
