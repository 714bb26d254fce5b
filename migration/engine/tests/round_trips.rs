//! Round trips of all changes that can be generated, on both databases: the entities change; a
//! migration is generated, compiled and applied; no differences are left; it is reverted; schema
//! and rows are as before.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]
#![allow(missing_docs, unreachable_pub, reason = "a test is no library")]

mod generated;
#[path = "../../../tests/support/postgres.rs"]
#[allow(dead_code, reason = "shared with other programs")]
mod postgres;
mod support {
    pub mod cases;
    pub mod facts;
    #[allow(dead_code, reason = "shared with other programs")]
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

/// The formatted migration of a round trip.
async fn generate(db: &DatabaseConnection, round_trip: &RoundTrip) -> String {
    let heading = Heading { message: round_trip.name.replace('_', " "), parent: None, date: "2026-11-21".into() };
    let project = project(Vec::new, round_trip.entities);
    let text = revisions::autogenerate(db, &project, &heading).await.unwrap();
    let text = text.unwrap_or_else(|| panic!("{}: nothing to change", round_trip.name));
    revisions::layout(&text, &folder()).expect("rustfmt takes what was generated")
}

/// Creates the first migration of a round trip.
type MakeBase = fn() -> Box<dyn MigrationTrait>;

thread_local! {
    /// The migrations of the current round trip. `Project::migrations` is a plain function, which
    /// cannot capture them.
    static MIGRATIONS: Cell<Option<(MakeBase, Migrations)>> = const { Cell::new(None) };
}

fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    let (base, generated) = MIGRATIONS.get().expect("a trip is under way");
    std::iter::once(base()).chain(generated()).collect()
}

async fn run(db: &DatabaseConnection, round_trip: &RoundTrip) {
    let name = &round_trip.name;
    let (before, rows) = (describe(db).await.unwrap(), Rows::read(db, round_trip.lossy).await);
    let there = project(migrations, round_trip.entities);
    let back = Options { reach: Reach::Steps(1), ..there.options() };
    revisions::upgrade(db, &there, &there.options()).await.unwrap_or_else(|failure| panic!("{name}: {failure}"));
    assert_eq!(revisions::differences(db, &there).await.unwrap(), [], "{name}: after going up");
    let meanwhile = Rows::read(db, round_trip.lossy).await;
    rows.assert_kept(&meanwhile, name);
    revisions::downgrade(db, &there, &back).await.unwrap_or_else(|failure| panic!("{name}: {failure}"));
    assert_eq!(difference(&before, &describe(db).await.unwrap()), Vec::<String>::new(), "{name}: after going down");
    rows.assert_restored(&meanwhile, &Rows::read(db, round_trip.lossy).await, name);
}

/// Runs all round trips, each on a database of its own.
async fn every_round_trip(backend: DbBackend, open: impl AsyncFn(&str) -> DatabaseConnection) {
    let mut written = Vec::new();
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
        written.push(file.clone());
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            continue;
        }
        let known = std::fs::read_to_string(folder().join(format!("{file}.rs"))).unwrap_or_default();
        assert!(
            known == text,
            "{}: what is generated has changed; look at it with UPDATE_GENERATED=1:\n{text}",
            round_trip.name
        );
        let generated = generated::ALL.iter().find(|(name, _)| *name == file).expect("it is compiled").1;
        MIGRATIONS.set(Some((round_trip.base, generated)));
        run(&db, &round_trip).await;
        db.close().await.unwrap();
    }
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        generated::write_list();
    }
    assert!(written.len() >= 60, "only {} trips", written.len());
}

#[tokio::test]
async fn every_change_is_applied_and_reverted_on_sqlite() {
    every_round_trip(DbBackend::Sqlite, async |_| revisions::connect("sqlite::memory:", None).await.unwrap()).await;
}

static SCHEMAS: AtomicUsize = AtomicUsize::new(0);

#[tokio::test]
async fn every_change_is_applied_and_reverted_on_postgres() {
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
