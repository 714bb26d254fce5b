//! Squashed migration: one migration that is generated for all entities from an empty database. It
//! creates the same schema as care4u's migrations. It is compiled from `squashed/`.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

mod squashed;
mod support;

use std::path::Path;

use revisions::{Heading, Project};
use sea_orm_migration::MigrationTrait;
use sea_orm_migration::sea_orm::{DatabaseConnection, DbBackend};
use support::facts::difference;
use support::{facts, postgres, postgres_database};

fn project(migrations: fn() -> Vec<Box<dyn MigrationTrait>>) -> Project {
    Project { migrations, entities: Some(entity::schema::entities), ..migration::project() }
}

async fn one_generated_migration_creates_the_same_schema(empty: &DatabaseConnection, migrated: &DatabaseConnection) {
    let heading = Heading { message: "Everything".into(), parent: None, date: "2026-11-21".into() };
    let text =
        revisions::autogenerate(empty, &project(Vec::new), &heading).await.unwrap().expect("there are differences");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let text = revisions::layout(&text, &folder).expect("rustfmt formats the generated migration");
    let file = folder.join("squashed/mod.rs");
    if std::env::var_os("UPDATE_GENERATED").is_some() && empty.get_database_backend() == DbBackend::Sqlite {
        std::fs::write(&file, &text).unwrap();
    }
    let known = std::fs::read_to_string(file).unwrap();
    assert!(
        known == text,
        "the generated migration has changed; review it, and update the file with UPDATE_GENERATED=1:\n{text}"
    );

    let squashed = project(|| vec![Box::new(squashed::Migration)]);
    revisions::upgrade(empty, &squashed, &squashed.options()).await.unwrap();
    assert_eq!(revisions::differences(empty, &squashed).await.unwrap(), []);
    migration::up(migrated).await.unwrap();
    assert_eq!(difference(&facts(migrated).await, &facts(empty).await), Vec::<String>::new());
    revisions::downgrade(empty, &squashed, &squashed.options()).await.unwrap();
    assert!(facts(empty).await.is_empty());
}

#[tokio::test]
async fn on_sqlite_one_generated_migration_creates_the_same_schema() {
    let open = async || migration::connect("sqlite::memory:", None).await.unwrap();
    one_generated_migration_creates_the_same_schema(&open().await, &open().await).await;
}

#[tokio::test]
#[cfg_attr(without_postgres, ignore = "PostgreSQL is not installed")]
async fn on_postgres_one_generated_migration_creates_the_same_schema() {
    let (Some(first), Some(second)) = (postgres_database().await, postgres_database().await) else {
        return postgres::skipped("one_generated_migration_creates_the_same_schema");
    };
    let open = async |url: String| migration::connect(&url, None).await.unwrap();
    one_generated_migration_creates_the_same_schema(&open(first).await, &open(second).await).await;
}
