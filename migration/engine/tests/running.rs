//! Runs of migrations: what is refused without confirmation, and whom a run waits for and blocks.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, missing_docs, reason = "tests fail by panicking")]

#[path = "../../../tests/support/postgres.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod postgres;

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use revisions::{AlterTable, Failure, Options, Project};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseConnection, Statement, TransactionTrait as _};

/// Migration of some SQL.
struct Sql {
    name: &'static str,
    statements: &'static [&'static str],
    is_atomic: bool,
}

impl MigrationName for Sql {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Sql {
    fn use_transaction(&self) -> Option<bool> {
        Some(self.is_atomic)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in self.statements {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

const TABLES: &[&str] =
    &["CREATE TABLE users (id integer PRIMARY KEY, name varchar(20))", "INSERT INTO users VALUES (1, 'Ada')"];

thread_local! {
    /// Statements of the second migration: `Project::migrations` cannot capture them.
    static SECOND: Cell<(&'static [&'static str], bool)> = const { Cell::new((&[], true)) };
}

fn first() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(Sql { name: "m1", statements: TABLES, is_atomic: true })]
}

fn both() -> Vec<Box<dyn MigrationTrait>> {
    let (statements, is_atomic) = SECOND.get();
    first()
        .into_iter()
        .chain([Box::new(Sql { name: "m2", statements, is_atomic }) as Box<dyn MigrationTrait>])
        .collect()
}

async fn upgrade(db: &DatabaseConnection, migrations: fn() -> Vec<Box<dyn MigrationTrait>>) -> Result<(), Failure> {
    let project = Project::new(migrations);
    revisions::upgrade(db, &project, &project.options()).await
}

static DATABASES: AtomicUsize = AtomicUsize::new(0);

/// A new database on PostgreSQL, and its URL.
async fn postgres_database(test: &str) -> Option<(DatabaseConnection, String)> {
    let Some(server) = postgres::server_url() else {
        postgres::skipped(test);
        return None;
    };
    let name = format!("running_{}_{}", std::process::id(), DATABASES.fetch_add(1, Ordering::Relaxed));
    let admin = revisions::connect(server, None).await.unwrap();
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    admin.close().await.unwrap();
    let url = postgres::database_url(&name).unwrap();
    Some((revisions::connect(&url, None).await.unwrap(), url))
}

async fn sqlite_database() -> DatabaseConnection {
    revisions::connect("sqlite::memory:", None).await.unwrap()
}

async fn text(db: &impl ConnectionTrait, sql: &str) -> String {
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

async fn losses_are_refused(db: &DatabaseConnection) {
    upgrade(db, first).await.unwrap();
    let cases: [(&'static [&'static str], &str); 5] = [
        (
            &[
                "ALTER TABLE users RENAME TO users_old",
                "CREATE TABLE users (id integer PRIMARY KEY)",
                "INSERT INTO users SELECT id FROM users_old",
                "DROP TABLE users_old",
            ],
            "m2 would drop table users_old, which was users;",
        ),
        (
            &["ALTER TABLE users RENAME COLUMN name TO title", "ALTER TABLE users DROP COLUMN title"],
            "m2 would drop column users.title, which was users.name;",
        ),
        (&["UPDATE users SET name = NULL"], "m2 would change values of users.name;"),
        (&["CREATE TABLE IF NOT EXISTS users (id integer)", "DROP TABLE users"], "m2 would drop table users;"),
        (&["WITH x AS (SELECT 1) DELETE FROM users"], "m2 would delete rows of users;"),
    ];
    for (statements, expected) in cases {
        SECOND.set((statements, true));
        let Err(Failure::Destructive(why)) = upgrade(db, both).await else { panic!("{statements:?} was not refused") };
        assert!(why.starts_with(expected), "{why}");
        assert_eq!(text(db, "SELECT name FROM users").await, "Ada");
    }
    // What the migration itself has created, it may drop.
    SECOND.set((&["CREATE TABLE t (id integer)", "ALTER TABLE t RENAME TO u", "DELETE FROM u", "DROP TABLE u"], true));
    upgrade(db, both).await.unwrap();
}

#[tokio::test]
async fn losses_are_refused_without_confirmation() {
    losses_are_refused(&sqlite_database().await).await;
    let Some((db, _)) = postgres_database("losses_are_refused_without_confirmation").await else { return };
    losses_are_refused(&db).await;
    SECOND.set((&["CREATE VIEW v AS SELECT * FROM users", "DELETE FROM v"], true));
    let third = || {
        let (statements, is_atomic) = SECOND.get();
        let created = Sql { name: "m2", statements: &[], is_atomic };
        let view = Sql { name: "m3", statements, is_atomic };
        first().into_iter().chain([Box::new(created) as Box<dyn MigrationTrait>, Box::new(view)]).collect()
    };
    let Err(Failure::Destructive(why)) = upgrade(&db, third).await else { panic!("it was not refused") };
    assert!(why.starts_with("m3 would delete rows of v;"), "{why}");
}

/// Migration that reads rows.
struct Reading;

impl MigrationName for Reading {
    fn name(&self) -> &str {
        "m2"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Reading {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let sql = Statement::from_string(db.get_database_backend(), "SELECT id FROM users WHERE id > 1");
        for row in db.query_all_raw(sql).await? {
            let id: i32 = row.try_get_by_index(0)?;
            db.execute_unprepared(&format!("DELETE FROM users WHERE id = {id}")).await?;
        }
        Ok(())
    }
}

/// Migration that asks for the schema only.
struct Probing;

impl MigrationName for Probing {
    fn name(&self) -> &str {
        "m2"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Probing {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.has_table("users").await? && manager.has_column("users", "name").await? {
            AlterTable::table("users").set_not_null("name").apply(manager).await?;
        }
        Ok(())
    }
}

async fn reading_is_refused(db: &DatabaseConnection) {
    upgrade(db, first).await.unwrap();
    let with = || first().into_iter().chain([Box::new(Reading) as Box<dyn MigrationTrait>]).collect();
    let Err(Failure::Destructive(why)) = upgrade(db, with).await else { panic!("it was not refused") };
    assert!(why.starts_with("m2 cannot be checked without its data;"), "{why}");
    let statements = revisions::statements(&Project::new(with), db.get_database_backend()).await;
    let Err(Failure::Refused(why)) = statements else { panic!("its SQL was printed") };
    assert_eq!(why, "m2 reads data");
    assert_eq!(text(db, "SELECT name FROM users").await, "Ada");
}

#[tokio::test]
async fn a_migration_that_reads_rows_is_refused_without_confirmation() {
    let db = sqlite_database().await;
    reading_is_refused(&db).await;
    // The schema is known without the database.
    let probing = || first().into_iter().chain([Box::new(Probing) as Box<dyn MigrationTrait>]).collect();
    upgrade(&db, probing).await.unwrap();
    assert!(db.execute_unprepared("INSERT INTO users (id) VALUES (2)").await.is_err());
    let test = "a_migration_that_reads_rows_is_refused_without_confirmation";
    let Some((db, _)) = postgres_database(test).await else { return };
    reading_is_refused(&db).await;
}

#[tokio::test]
#[cfg_attr(without_postgres, ignore = "PostgreSQL is not installed")]
async fn a_waiting_migration_lets_readers_in_and_tries_again() {
    let test = "a_waiting_migration_lets_readers_in_and_tries_again";
    let Some((db, url)) = postgres_database(test).await else { return };
    upgrade(&db, first).await.unwrap();
    SECOND.set((&["ALTER TABLE users ADD COLUMN age integer"], true));
    let holder = revisions::connect(&url, None).await.unwrap();
    let transaction = holder.begin().await.unwrap();
    text(&transaction, "SELECT name FROM users").await;
    let project = Project::new(both);
    let options = Options { table_lock_timeout: Duration::from_millis(100), ..project.options() };
    let reader = revisions::connect(&url, None).await.unwrap();
    let read = async {
        // Two attempts are rolled back while the holder keeps its lock; each time the reader gets in.
        for _ in 0..2 {
            let waits = "SELECT count(*)::text FROM pg_locks WHERE NOT granted AND relation = 'users'::regclass";
            while text(&reader, waits).await == "0" {
                tokio::task::yield_now().await;
            }
            assert_eq!(text(&reader, "SELECT name FROM users").await, "Ada");
        }
        transaction.commit().await.unwrap();
    };
    let (upgraded, ()) = tokio::join!(revisions::upgrade(&db, &project, &options), read);
    upgraded.unwrap();
    assert_eq!(text(&db, "SELECT count(age)::text FROM users").await, "0");
}

#[tokio::test]
#[cfg_attr(without_postgres, ignore = "PostgreSQL is not installed")]
async fn a_failed_wait_for_a_table_names_the_table_and_the_session() {
    let test = "a_failed_wait_for_a_table_names_the_table_and_the_session";
    let Some((db, url)) = postgres_database(test).await else { return };
    upgrade(&db, first).await.unwrap();
    let holder = revisions::connect(&url, None).await.unwrap();
    let transaction = holder.begin().await.unwrap();
    transaction.execute_unprepared("SET LOCAL application_name = 'a report'").await.unwrap();
    text(&transaction, "SELECT name FROM users").await;
    let holder = text(&transaction, "SELECT pg_backend_pid()::text").await;
    for is_atomic in [true, false] {
        SECOND.set((&["ALTER TABLE users ADD COLUMN age integer"], is_atomic));
        let project = Project::new(both);
        let (table_lock_timeout, lock_timeout) = (Duration::from_millis(100), Duration::from_millis(300));
        let options = Options { table_lock_timeout, lock_timeout, ..project.options() };
        let Err(Failure::Locked(why)) = revisions::upgrade(&db, &project, &options).await else { panic!("no failure") };
        let process = format!("a lock of table users held by process {holder} of user");
        assert!(why.contains(&process) && why.contains("(a report) since 20"), "{why}");
        assert_eq!(why.contains("may be partly applied"), !is_atomic, "{why}");
    }
    transaction.commit().await.unwrap();
    // The settings of a migration without a transaction do not stay in the pool.
    upgrade(&db, both).await.unwrap();
    assert_eq!(text(&db, "SHOW lock_timeout").await, "0");
}

/// Migration that changes nullability and defaults alone.
struct Attributes;

impl MigrationName for Attributes {
    fn name(&self) -> &str {
        "m2"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Attributes {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = || AlterTable::table("users");
        table().set_not_null("name").set_default("name", "nobody").apply(manager).await?;
        table().drop_not_null("name").drop_default("name").apply(manager).await?;
        table().set_default("name", "somebody").set_not_null("name").apply(manager).await
    }
}

async fn attributes_change_alone(db: &DatabaseConnection) {
    upgrade(db, first).await.unwrap();
    // A view forbids a change of the type.
    db.execute_unprepared("CREATE VIEW names AS SELECT name FROM users").await.unwrap();
    upgrade(db, || first().into_iter().chain([Box::new(Attributes) as Box<dyn MigrationTrait>]).collect())
        .await
        .unwrap();
    db.execute_unprepared("INSERT INTO users (id) VALUES (2)").await.unwrap();
    assert_eq!(text(db, "SELECT name FROM names WHERE name <> 'Ada'").await, "somebody");
    assert!(db.execute_unprepared("INSERT INTO users VALUES (3, NULL)").await.is_err());
}

#[tokio::test]
async fn nullability_and_default_change_without_the_type() {
    attributes_change_alone(&sqlite_database().await).await;
    let Some((db, _)) = postgres_database("nullability_and_default_change_without_the_type").await else { return };
    attributes_change_alone(&db).await;
}
