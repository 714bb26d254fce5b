//! Round trips of all schema changes that can be generated, on both databases: the entities change; a
//! migration is generated, compiled and applied; no differences are left; it is reverted; the schema
//! and the rows are as before.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]
#![allow(missing_docs, unreachable_pub, reason = "tests have no public API")]

mod generated;
#[path = "../../../tests/support/postgres.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod postgres;
mod support {
    pub mod cases;
    pub mod facts;
    #[allow(dead_code, reason = "shared with other tests")]
    pub mod round_trips;
    pub mod rows;
    pub mod shapes;
}

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use generated::Migrations;
use revisions::{Heading, Options, Reach};
use sea_orm_migration::MigrationTrait;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend};
use support::facts::{describe, difference};
use support::round_trips::{RoundTrip, project, round_trips};
use support::rows::Rows;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/generated")
}

/// Generates and formats the migration of a round trip.
async fn generate(db: &DatabaseConnection, round_trip: &RoundTrip) -> String {
    let heading = Heading { message: round_trip.name.replace('_', " "), parent: None, date: "2026-11-21".into() };
    let project = project(Vec::new, round_trip.entities);
    let text = revisions::autogenerate(db, &project, &heading).await.unwrap();
    let text = text.unwrap_or_else(|| panic!("{}: no differences", round_trip.name));
    revisions::layout(&text, &folder()).expect("rustfmt formats the generated migration")
}

/// Creates the first migration of a round trip.
type MakeBase = fn() -> Box<dyn MigrationTrait>;

thread_local! {
    /// Migrations of the current round trip. `Project::migrations` is a function pointer, which
    /// cannot capture them.
    static MIGRATIONS: Cell<Option<(MakeBase, Migrations)>> = const { Cell::new(None) };
}

fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    let (base, generated) = MIGRATIONS.get().expect("a round trip is running");
    std::iter::once(base()).chain(generated()).collect()
}

/// Writes the SQL of a generated migration and its comments, for a comparison with the findings of squawk.
async fn write_sql(round_trip: &RoundTrip, text: &str, backend: DbBackend) {
    let Some(folder) = std::env::var_os("GENERATED_SQL").filter(|_| backend == DbBackend::Postgres) else { return };
    let statements = revisions::statements(&project(migrations, round_trip.entities), backend).await.unwrap();
    let sql: String = statements.last().unwrap().iter().map(|statement| format!("{statement};\n")).collect();
    let (up, _) = text.split_once("async fn down").expect("a migration can be reverted");
    let comments: Vec<&str> = up.lines().map(str::trim).filter_map(|line| line.strip_prefix("// ")).collect();
    let path = Path::new(&folder).join(&round_trip.name);
    std::fs::write(path.with_extension("sql"), sql).unwrap();
    std::fs::write(path.with_extension("comments"), comments.join(" ")).unwrap();
}

async fn run(db: &DatabaseConnection, round_trip: &RoundTrip) {
    let name = &round_trip.name;
    let (before, rows) = (describe(db).await.unwrap(), Rows::read(db, round_trip.lossy).await);
    let project = project(migrations, round_trip.entities);
    let one_step = Options { reach: Reach::Steps(1), ..project.options() };
    revisions::upgrade(db, &project, &project.options()).await.unwrap_or_else(|failure| panic!("{name}: {failure}"));
    assert_eq!(revisions::differences(db, &project).await.unwrap(), [], "{name}: after the upgrade");
    let upgraded_rows = Rows::read(db, round_trip.lossy).await;
    rows.assert_kept(&upgraded_rows, name);
    revisions::downgrade(db, &project, &one_step).await.unwrap_or_else(|failure| panic!("{name}: {failure}"));
    assert_eq!(difference(&before, &describe(db).await.unwrap()), Vec::<String>::new(), "{name}: after the downgrade");
    rows.assert_restored(&upgraded_rows, &Rows::read(db, round_trip.lossy).await, name);
}

/// Runs all round trips, each on its own database.
async fn every_round_trip(backend: DbBackend, open: impl AsyncFn(&str) -> DatabaseConnection) {
    let mut files = Vec::new();
    for round_trip in round_trips(backend) {
        let db = open(&round_trip.name).await;
        MIGRATIONS.set(Some((round_trip.base, Vec::new)));
        let base = project(migrations, round_trip.entities);
        revisions::upgrade(&db, &base, &base.options()).await.unwrap();
        if round_trip.has_rows {
            support::rows::insert(&db, &round_trip.before).await;
        }
        let text = generate(&db, &round_trip).await;
        let file = generated::file_of(&round_trip.name, &text, backend);
        files.push(file.clone());
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            continue;
        }
        let known = std::fs::read_to_string(folder().join(format!("{file}.rs"))).unwrap_or_default();
        assert!(
            known == text,
            "{}: the generated migration has changed; review it, and update the file with UPDATE_GENERATED=1:\n{text}",
            round_trip.name
        );
        let generated =
            generated::ALL.iter().find(|(name, _)| *name == file).expect("the generated migration is compiled").1;
        MIGRATIONS.set(Some((round_trip.base, generated)));
        write_sql(&round_trip, &text, backend).await;
        run(&db, &round_trip).await;
        db.close().await.unwrap();
    }
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        generated::write_list();
    }
    assert!(files.len() >= 60, "only {} round trips", files.len());
}

#[tokio::test]
async fn on_sqlite_every_change_is_applied_and_reverted() {
    every_round_trip(DbBackend::Sqlite, async |_| revisions::connect("sqlite::memory:", None).await.unwrap()).await;
}

static SCHEMAS: AtomicUsize = AtomicUsize::new(0);

#[tokio::test]
#[cfg_attr(without_postgres, ignore = "PostgreSQL is not installed")]
async fn on_postgres_every_change_is_applied_and_reverted() {
    let Some(server) = postgres::server_url() else { return postgres::skipped("every_change_is_applied_and_reverted") };
    let admin = revisions::connect(server, None).await.unwrap();
    let name = format!("trips_{}", std::process::id());
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    let url = postgres::database_url(&name).unwrap();
    every_round_trip(DbBackend::Postgres, async |_| {
        let schema = format!("trip_{}", SCHEMAS.fetch_add(1, Ordering::Relaxed));
        let db = revisions::connect(&url, None).await.unwrap();
        db.execute_unprepared(&format!("CREATE SCHEMA {schema}")).await.unwrap();
        db.close().await.unwrap();
        revisions::connect(&url, Some(&schema)).await.unwrap()
    })
    .await;
}
