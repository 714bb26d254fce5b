//! Test support: runs the `migration` program, creates databases for it, and queries them.
#![allow(dead_code, reason = "each test program uses only a part of this module")]

#[path = "../../engine/tests/support/facts.rs"]
pub mod facts;
#[path = "../../../tests/support/postgres.rs"]
pub mod postgres;

use std::path::PathBuf;
use std::process::{Command, Output};

use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

/// Temporary folder, deleted on drop.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("care4u-migration-{}", uuid::Uuid::now_v7().simple()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// Returns the name of the latest migration.
pub fn latest() -> String {
    use sea_orm_migration::MigratorTrait as _;
    let migrations = migration::Migrator::migrations();
    migrations.last().expect("there are migrations").name().to_owned()
}

/// Command that runs the program with arguments, in a folder, and with a database URL.
pub fn command(folder: &Folder, url: Option<&str>, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migration"));
    command.args(arguments).current_dir(&folder.0).env_clear();
    // `cargo run` sets this variable.
    command.env("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"));
    // rustfmt needs these variables.
    command.envs(
        ["PATH", "HOME", "RUSTUP_HOME", "CARGO_HOME"]
            .into_iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?))),
    );
    if let Some(url) = url {
        command.env("DATABASE_URL", url);
    }
    command
}

pub fn migration(folder: &Folder, url: Option<&str>, arguments: &[&str]) -> Output {
    command(folder, url, arguments).output().expect("the program can be started")
}

/// Asserts success and returns the standard output.
#[track_caller]
pub fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Asserts the exit code and one sentence on standard error, and returns it.
#[track_caller]
pub fn fails(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        message.starts_with("migration: ") && message.lines().count() == 1 && !message.contains("panicked"),
        "{message}"
    );
    message
}

/// Asserts that a check found errors, and returns the standard output.
#[track_caller]
pub fn differs(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// URL of an SQLite file in the folder.
pub fn sqlite(folder: &Folder) -> String {
    format!("sqlite://{}", folder.0.join("care4u.db").display())
}

/// Creates a database on the test server, and returns its URL. Returns `None` if PostgreSQL is not installed.
pub async fn postgres_database() -> Option<String> {
    let server = migration::connect(postgres::server_url()?, None).await.unwrap();
    let name = format!("cli_{}", uuid::Uuid::now_v7().simple());
    server.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    server.close().await.unwrap();
    postgres::database_url(&name)
}

/// Executes SQL statements.
pub async fn execute(url: &str, sql: &str) {
    let db = migration::connect(url, None).await.unwrap();
    db.execute_unprepared(sql).await.unwrap();
    db.close().await.unwrap();
}

/// Queries the first column of the first row, as text.
pub async fn value(url: &str, sql: &str) -> Option<String> {
    let db = migration::connect(url, None).await.unwrap();
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    let value = row.and_then(|row| row.try_get_by_index(0).unwrap());
    db.close().await.unwrap();
    value
}

pub async fn facts(db: &DatabaseConnection) -> facts::SchemaFacts {
    facts::describe(db).await.expect("the schema can be read")
}

/// Reads the facts about the schema of a database.
pub async fn facts_of(url: &str) -> facts::SchemaFacts {
    let db = migration::connect(url, None).await.unwrap();
    let found = facts(&db).await;
    db.close().await.unwrap();
    found
}
