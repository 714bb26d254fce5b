//! The command line as operators use it, on both databases.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "../../tests/support/postgres.rs"]
#[allow(dead_code, reason = "shared with other programs")]
mod postgres;

use std::path::PathBuf;
use std::process::{Command, Output};

use migration::{Migrator, schema};
use sea_orm_migration::MigratorTrait;
use sea_orm_migration::sea_orm::ConnectionTrait;

/// A folder of this test's own, removed afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
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

fn migration(folder: &Folder, url: Option<&str>, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migration"));
    command.args(arguments).current_dir(&folder.0).env_clear();
    if let Some(url) = url {
        command.env("DATABASE_URL", url);
    }
    command.output().expect("the program starts")
}

#[track_caller]
fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Demands exit code 1 and one sentence, and returns it.
#[track_caller]
fn fails(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.starts_with("migration: ") && said.lines().count() == 1 && !said.contains("panicked"), "{said}");
    said
}

/// The tables of care4u when every migration has been applied.
const TABLES: usize = 11;

async fn tables(url: &str) -> usize {
    let db = migration::connect(url, None).await.unwrap();
    let facts = schema::describe(&db).await.unwrap();
    db.close().await.unwrap();
    // A column is told as `table.column type …`.
    let names = facts.iter().filter_map(|fact| fact.split(' ').next()?.split_once('.'));
    names.map(|(table, _)| table).collect::<std::collections::BTreeSet<_>>().len()
}

async fn every_command_does_what_it_says(url: &str) {
    let folder = Folder::new();
    let all = Migrator::migrations().len();
    let run = |arguments: &[&str]| succeeds(&migration(&folder, Some(url), arguments));
    let applied = || run(&["status"]).lines().filter(|line| line.starts_with("applied")).count();
    run(&["up", "-n", "1"]);
    assert_eq!(applied(), 1);
    run(&["up"]);
    assert_eq!((applied(), tables(url).await), (all, TABLES));
    run(&["down"]);
    assert_eq!(applied(), all - 1);
    run(&["down", "--num", "2"]);
    assert_eq!(applied(), all - 3);
    run(&["refresh"]);
    assert_eq!(applied(), all);
    run(&["reset"]);
    assert_eq!((applied(), tables(url).await), (0, 0));
    // Without a command it migrates up.
    run(&[]);
    let db = migration::connect(url, None).await.unwrap();
    db.execute_unprepared("CREATE TABLE left_over (id integer)").await.unwrap();
    db.close().await.unwrap();
    run(&["fresh"]);
    assert_eq!((applied(), tables(url).await), (all, TABLES));
}

#[tokio::test]
async fn on_sqlite_every_command_does_what_it_says() {
    let folder = Folder::new();
    // The file is made; no `?mode=rwc` is asked of anybody.
    let url = format!("sqlite://{}", folder.0.join("new/care4u.db").display());
    every_command_does_what_it_says(&url).await;
}

#[tokio::test]
async fn on_postgres_every_command_does_what_it_says() {
    let Some(server) = postgres::server_url() else { return postgres::skipped("every_command_does_what_it_says") };
    let server = migration::connect(server, None).await.unwrap();
    server.execute_unprepared("CREATE DATABASE command_line").await.unwrap();
    every_command_does_what_it_says(&postgres::database_url("command_line").unwrap()).await;
}

#[test]
fn without_a_url_it_works_on_the_file_of_development() {
    let folder = Folder::new();
    succeeds(&migration(&folder, None, &["up"]));
    assert!(folder.0.join("data/care4u.db").exists());
}

#[test]
fn status_changes_nothing() {
    let folder = Folder::new();
    fails(&migration(&folder, None, &["status"]));
    assert!(!folder.0.join("data").exists());
}

#[test]
fn a_database_that_cannot_be_reached_is_told_in_one_sentence_without_the_password() {
    let folder = Folder::new();
    for (url, reason) in [
        ("postgres://care4u:hunter2@127.0.0.1:1/care4u", "refused"),
        ("postgres://care4u:hunter2@no-such-host.invalid/care4u", "cannot reach"),
        ("postgres://care4u:hunter2@127.0.0.1:not-a-port/care4u", "port"),
        ("mysql://root:hunter2@127.0.0.1/care4u", "sqlite: or postgres:"),
        ("hunter2", "sqlite: or postgres:"),
        ("sqlite:///proc/care4u.db", "cannot reach"),
    ] {
        for command in ["up", "down", "status", "fresh", "refresh", "reset"] {
            let said = fails(&migration(&folder, Some(url), &[command]));
            assert!(said.contains(reason) && !said.contains("hunter2"), "{said}");
        }
    }
    let help = succeeds(&migration(&folder, Some("postgres://care4u:hunter2@host/care4u"), &["--help"]));
    assert!(!help.contains("hunter2"), "{help}");
}

#[test]
fn generate_writes_a_file_and_lists_it() {
    let folder = Folder::new();
    std::fs::create_dir(folder.0.join("src")).unwrap();
    let library = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs");
    std::fs::copy(library, folder.0.join("src/lib.rs")).unwrap();
    succeeds(&migration(&folder, None, &["generate", "add_centres"]));
    let files = std::fs::read_dir(folder.0.join("src")).unwrap().map(|file| file.unwrap().file_name());
    let names: Vec<_> = files.map(|name| name.into_string().unwrap()).collect();
    let new = names.iter().find(|name| name.ends_with("_add_centres.rs")).expect("a new file");
    let listed = std::fs::read_to_string(folder.0.join("src/lib.rs")).unwrap();
    let module = new.trim_end_matches(".rs");
    assert!(listed.contains(&format!("mod {module};")) && listed.contains(&format!("Box::new({module}::Migration)")));
    let empty = Folder::new();
    assert!(fails(&migration(&empty, None, &["generate", "add_centres"])).contains("--migration-dir"));
}
