//! `AlterTable` on tables that were created with plain SQL: unnamed keys, foreign keys and CHECKs,
//! generated columns, triggers, views, and rows that are referenced by other rows.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, missing_docs, reason = "tests fail by panicking")]

#[path = "../../../tests/support/postgres.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod postgres;

use std::path::PathBuf;
use std::time::Duration;

use revisions::{AlterTable, Failure, Project};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseConnection, DbBackend, Statement};

/// Migration that creates the tables.
struct Before;

impl MigrationName for Before {
    fn name(&self) -> &str {
        "m1_before"
    }
}

const SQLITE: &str = "
CREATE TABLE owners (id integer PRIMARY KEY AUTOINCREMENT, code varchar(10) COLLATE NOCASE UNIQUE NOT NULL,
    age int CHECK (age > 0), twice int GENERATED ALWAYS AS (age * 2) VIRTUAL, boss integer REFERENCES owners (id));
CREATE TABLE pets (id integer PRIMARY KEY, owner integer NOT NULL REFERENCES owners ON DELETE CASCADE);
CREATE INDEX owners_age_idx ON owners (age);
CREATE TABLE log (what text);
CREATE TRIGGER owners_log AFTER INSERT ON owners BEGIN INSERT INTO log VALUES (NEW.code); END;
CREATE VIEW codes AS SELECT code FROM owners;";

const POSTGRES: &str = "
CREATE TABLE owners (id serial PRIMARY KEY, code varchar(10) UNIQUE NOT NULL, age int CHECK (age > 0),
    twice int GENERATED ALWAYS AS (age * 2) STORED, boss integer REFERENCES owners (id));
CREATE TABLE pets (id integer PRIMARY KEY, owner integer NOT NULL REFERENCES owners ON DELETE CASCADE);
CREATE INDEX owners_age_idx ON owners (age);
CREATE TABLE log (what text);
CREATE FUNCTION log_owner() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (NEW.code); RETURN NEW; END $$;
CREATE TRIGGER owners_log AFTER INSERT ON owners FOR EACH ROW EXECUTE FUNCTION log_owner();";

const ROWS: &str = "
INSERT INTO owners (code, age) VALUES ('a', 1), ('b', 2), ('gone', 3);
DELETE FROM owners WHERE code = 'gone';
UPDATE owners SET boss = 1 WHERE id = 2;
INSERT INTO pets VALUES (1, 1), (2, 2);";

#[async_trait::async_trait]
impl MigrationTrait for Before {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = if manager.get_database_backend() == DbBackend::Sqlite { SQLITE } else { POSTGRES };
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }
}

/// Migration that makes `code` longer and defines the column `id` again.
struct Longer;

impl MigrationName for Longer {
    fn name(&self) -> &str {
        "m2_longer"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Longer {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        AlterTable::table("owners")
            .alter_column(ColumnDef::new("code").string_len(20).not_null())
            .alter_column(ColumnDef::new("id").integer().not_null().auto_increment().primary_key())
            .apply(manager)
            .await
    }
}

/// Migration that makes `code` too short for the existing values.
struct Shorter;

impl MigrationName for Shorter {
    fn name(&self) -> &str {
        "m3_shorter"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Shorter {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let code = ColumnDef::new("code").string_len(3).not_null().take();
        AlterTable::table("owners").alter_column(&mut code.clone()).apply(manager).await
    }
}

fn project(migrations: fn() -> Vec<Box<dyn MigrationTrait>>) -> Project {
    Project {
        migrations,
        entities: None,
        backends: &[],
        default_url: None,
        migration_dir: PathBuf::new(),
        entity_dir: PathBuf::new(),
        is_development: true,
        lock_timeout: Duration::from_secs(10),
        table_lock_timeout: Duration::from_secs(3),
        ..Project::new(Vec::new)
    }
}

async fn up(db: &DatabaseConnection, migrations: fn() -> Vec<Box<dyn MigrationTrait>>) -> Result<(), Failure> {
    let project = project(migrations);
    revisions::upgrade(db, &project, &project.options()).await
}

async fn count(db: &DatabaseConnection, sql: &str) -> i64 {
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

async fn rows_and_constraints_survive_a_rebuild(db: &DatabaseConnection) {
    up(db, || vec![Box::new(Before)]).await.unwrap();
    db.execute_unprepared(ROWS).await.unwrap();
    up(db, || vec![Box::new(Before), Box::new(Longer)]).await.unwrap();

    assert_eq!(count(db, "SELECT count(*) FROM owners WHERE age IN (1, 2) AND twice = age * 2").await, 2);
    assert_eq!(
        count(db, "SELECT count(*) FROM pets").await,
        2,
        "the rebuild must not change rows that refer to the table"
    );
    db.execute_unprepared("INSERT INTO owners (code, age, boss) VALUES ('a longer one', 4, 2)").await.unwrap();
    // The id of a deleted row is not used again.
    assert_eq!(count(db, "SELECT CAST(id AS bigint) FROM owners WHERE code = 'a longer one'").await, 4);
    assert_eq!(count(db, "SELECT count(*) FROM log WHERE what = 'a longer one'").await, 1, "the trigger still runs");
    for statement in [
        "INSERT INTO owners (code) VALUES ('a')",
        "INSERT INTO owners (code, age) VALUES ('c', 0)",
        "INSERT INTO owners (code, boss) VALUES ('c', 99)",
        "INSERT INTO owners (code) VALUES (NULL)",
        "INSERT INTO owners (id, code) VALUES (1, 'c')",
        "INSERT INTO pets VALUES (3, 99)",
    ] {
        assert!(db.execute_unprepared(statement).await.is_err(), "{statement}");
    }
    db.execute_unprepared("DELETE FROM owners WHERE id = 2").await.unwrap_err();
    db.execute_unprepared("UPDATE owners SET boss = NULL").await.unwrap();
    db.execute_unprepared("DELETE FROM owners WHERE id = 2").await.unwrap();
    assert_eq!(count(db, "SELECT count(*) FROM pets").await, 1, "the foreign key still cascades");
}

#[tokio::test]
async fn on_sqlite_rows_and_constraints_survive_a_rebuild() {
    let db = revisions::connect("sqlite::memory:", None).await.unwrap();
    rows_and_constraints_survive_a_rebuild(&db).await;
    assert_eq!(count(&db, "SELECT count(*) FROM codes").await, 2);
    assert_eq!(count(&db, "SELECT count(*) FROM sqlite_master WHERE name = 'owners_age_idx'").await, 1);
    assert_eq!(count(&db, "SELECT foreign_keys FROM pragma_foreign_keys").await, 1);
}

#[tokio::test]
#[cfg_attr(without_postgres, ignore = "PostgreSQL is not installed")]
async fn on_postgres_rows_and_constraints_survive_a_rebuild() {
    let Some(server) = postgres::server_url() else {
        return postgres::skipped("rows_and_constraints_survive_a_rebuild");
    };
    let admin = revisions::connect(server, None).await.unwrap();
    admin.execute_unprepared("CREATE DATABASE reshape").await.unwrap();
    let db = revisions::connect(&postgres::database_url("reshape").unwrap(), None).await.unwrap();
    rows_and_constraints_survive_a_rebuild(&db).await;
    // PostgreSQL rejects values that are too long, SQLite would keep them. Nothing is truncated.
    let failure = up(&db, || vec![Box::new(Before), Box::new(Longer), Box::new(Shorter)]).await.unwrap_err();
    assert!(failure.to_string().contains("value too long"), "{failure}");
    assert_eq!(count(&db, "SELECT count(*) FROM owners WHERE code = 'a longer one'").await, 1);
}

#[tokio::test]
async fn a_pool_of_the_wrong_size_is_rejected() {
    let mut options = sea_orm_migration::sea_orm::ConnectOptions::new("sqlite::memory:");
    options.max_connections(3);
    let db = sea_orm_migration::sea_orm::Database::connect(options).await.unwrap();
    let failure = up(&db, || vec![Box::new(Before)]).await.unwrap_err();
    assert!(failure.to_string().contains("a pool of 3 connections"), "{failure}");
}
