//! Command line of the migrations: commands, messages and exit codes, on both databases.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use migration::Migrator;
use sea_orm_migration::MigratorTrait;
use support::{Folder, differs, execute, facts_of, fails, migration, postgres, postgres_database, sqlite, succeeds};

/// Number of tables after all migrations.
const TABLES: usize = 29;

async fn tables(url: &str) -> usize {
    let facts = facts_of(url).await;
    // A column is the fact `table.column type …`.
    let names = facts.iter().filter_map(|fact| fact.split(' ').next()?.split_once('.'));
    names.map(|(table, _)| table).collect::<std::collections::BTreeSet<_>>().len()
}

async fn every_command_has_its_documented_effect(url: &str) {
    let folder = Folder::new();
    let all = Migrator::migrations().len();
    let run = |arguments: &[&str]| succeeds(&migration(&folder, Some(url), arguments));
    let applied = || run(&["status"]).lines().filter(|line| line.starts_with("applied")).count();
    run(&["up", "-n", "1"]);
    assert_eq!(applied(), 1);
    run(&["up"]);
    assert_eq!((applied(), tables(url).await), (all, TABLES));
    assert_eq!(run(&["check"]), "The database is up to date, and agrees with the entities\n");
    run(&["down"]);
    assert!(differs(&migration(&folder, Some(url), &["check"])).starts_with("pending: "));
    assert_eq!(applied(), all - 1);
    run(&["down", "--num", "2"]);
    assert_eq!(applied(), all - 3);
    run(&["refresh"]);
    assert_eq!(applied(), all);
    run(&["reset"]);
    assert_eq!((applied(), tables(url).await), (0, 0));
    // The default command is `up`.
    run(&[]);
    execute(url, "CREATE TABLE left_over (id integer)").await;
    run(&["fresh"]);
    assert_eq!((applied(), tables(url).await), (all, TABLES));
}

#[tokio::test]
async fn on_sqlite_every_command_has_its_documented_effect() {
    let folder = Folder::new();
    // The file is created without `?mode=rwc`.
    let url = format!("sqlite://{}", folder.0.join("new/care4u.db").display());
    every_command_has_its_documented_effect(&url).await;
}

#[tokio::test]
#[cfg_attr(without_postgres, ignore = "PostgreSQL is not installed")]
async fn on_postgres_every_command_has_its_documented_effect() {
    match postgres_database().await {
        Some(url) => every_command_has_its_documented_effect(&url).await,
        None => postgres::skipped("every_command_has_its_documented_effect"),
    }
}

#[test]
fn without_a_url_the_development_database_is_used() {
    let folder = Folder::new();
    succeeds(&migration(&folder, None, &["up"]));
    assert!(folder.0.join("data/care4u.db").exists());
}

#[test]
fn status_changes_nothing() {
    let folder = Folder::new();
    fails(&migration(&folder, None, &["status"]), 7);
    assert!(!folder.0.join("data").exists());
}

#[test]
fn an_unreachable_database_is_reported_in_one_sentence_without_the_password() {
    let folder = Folder::new();
    for (url, reason) in [
        ("postgres://care4u:hunter2@127.0.0.1:1/care4u", "refused"),
        ("postgres://care4u:hunter2@no-such-host.invalid/care4u", "cannot reach"),
        ("postgres://care4u:hunter2@127.0.0.1:not-a-port/care4u", "port"),
        ("mysql://root:hunter2@127.0.0.1/care4u", "sqlite: or postgres:"),
        ("hunter2", "sqlite: or postgres:"),
        ("postgresql+asyncpg://care4u:hunter2@127.0.0.1/care4u", "write postgres:// instead"),
        ("postgres://127.0.0.1/care4u?pwd=hunter2", "unknown parameter"),
        ("sqlite:///proc/care4u.db", "cannot reach"),
    ] {
        for command in ["up", "down", "status", "fresh", "refresh", "reset", "check", "diff", "current", "stamp head"] {
            let message = fails(&migration(&folder, Some(url), &command.split(' ').collect::<Vec<_>>()), 7);
            assert!(message.contains(reason) && !message.contains("hunter2"), "{message}");
        }
    }
    let help = succeeds(&migration(&folder, Some("postgres://care4u:hunter2@host/care4u"), &["--help"]));
    assert!(!help.contains("hunter2"), "{help}");
}

/// Copies the sources of the migration crate into the folder. Returns the folder's path.
fn copy_sources(folder: &Folder) -> String {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    std::fs::create_dir(folder.0.join("src")).unwrap();
    for file in std::fs::read_dir(source).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), folder.0.join("src").join(file.file_name())).unwrap();
    }
    folder.0.display().to_string()
}

/// Finds a generated file by the end of its name. Returns its module, its text, and the text of `lib.rs`.
fn generated(folder: &Folder, end: &str) -> (String, String, String) {
    let files = std::fs::read_dir(folder.0.join("src")).unwrap().map(|file| file.unwrap().file_name());
    let mut names = files.map(|name| name.into_string().unwrap());
    let file = names.find(|name| name.ends_with(end)).expect("a file was generated");
    let text = std::fs::read_to_string(folder.0.join("src").join(&file)).unwrap();
    let list = std::fs::read_to_string(folder.0.join("src/lib.rs")).unwrap();
    (file.trim_end_matches(".rs").to_owned(), text, list)
}

#[test]
fn a_generated_migration_has_a_heading_and_is_listed() {
    for arguments in [vec!["generate", "add_centres"], vec!["revision", "-m", "Add centres"]] {
        let folder = Folder::new();
        let crate_dir = copy_sources(&folder);
        let arguments: Vec<_> = arguments.into_iter().chain(["-d", &crate_dir]).collect();
        succeeds(&migration(&folder, None, &arguments));
        let (module, text, list) = generated(&folder, "_add_centres.rs");
        assert!(
            list.contains(&format!("mod {module};\n")) && list.contains(&format!("Box::new({module}::Migration),\n"))
        );
        let head = Migrator::migrations().last().unwrap().name().to_owned();
        let first_lines: Vec<_> = text.lines().take(3).collect();
        assert!(first_lines[0].eq_ignore_ascii_case("//! add centres."), "{first_lines:?}");
        assert!(first_lines[2].starts_with(&format!("//! Parent: {head}. Date: 20")), "{first_lines:?}");
        assert_eq!(revisions::layout(&text, &folder.0.join("src")).unwrap(), text, "it is formatted");
    }
    let empty = Folder::new();
    let empty_dir = empty.0.display().to_string();
    assert!(fails(&migration(&empty, None, &["generate", "add_centres", "-d", &empty_dir]), 12).contains("src/lib.rs"));
}

#[test]
fn a_dry_run_writes_nothing() {
    let folder = Folder::new();
    let crate_dir = copy_sources(&folder);
    let before = std::fs::read_dir(folder.0.join("src")).unwrap().count();
    let printed = succeeds(&migration(&folder, None, &["revision", "-m", "x", "--dry-run", "-d", &crate_dir]));
    assert!(printed.contains("impl MigrationTrait for Migration") && printed.contains("//! x."), "{printed}");
    assert_eq!(std::fs::read_dir(folder.0.join("src")).unwrap().count(), before);
}

#[test]
fn invalid_arguments_exit_with_their_codes() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    succeeds(&migration(&folder, Some(&url), &["up"]));
    for (arguments, code, reason) in [
        ("upgrade m2099", 3, "no revision is called m2099"),
        ("upgrade +1", 3, "no revision +1"),
        ("downgrade m20261121_0000", 4, "13 revisions begin with m20261121_0000"),
        ("show nothing", 3, "no revision is called nothing"),
        ("stamp m3", 3, "no revision is called m3"),
        ("history -r head:base", 2, "ends before it begins"),
        ("history -r head", 2, "FROM:TO"),
        ("upgrade head:base --sql", 2, "goes down"),
        ("downgrade base:head --sql", 2, "goes up"),
    ] {
        let message = fails(&migration(&folder, Some(&url), &arguments.split(' ').collect::<Vec<_>>()), code);
        assert!(message.contains(reason), "{arguments}: {message}");
    }
    assert_eq!(migration(&folder, Some(&url), &["fly"]).status.code(), Some(2));
    let blank = fails(&migration(&folder, Some(&url), &["revision", "-m", " "]), 2);
    assert!(blank.contains("needs a message"), "{blank}");
}
