//! Every change that can be generated, there and back on both databases: entities change, a migration is generated and
//! compiled, applied, found to leave no difference, reverted, and leaves the schema and the rows as they were.
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
    pub mod rows;
    pub mod shapes;
    #[allow(dead_code, reason = "shared with other programs")]
    pub mod trips;
}

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use generated::Migrations;
use revisions::{Heading, Options, Reach};
use sea_orm_migration::MigrationTrait;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend};
use support::facts::{describe, difference};
use support::rows::Rows;
use support::trips::{Trip, project, trips};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/generated")
}

/// The migration of a trip, laid out as it would be written.
async fn generate(db: &DatabaseConnection, trip: &Trip) -> String {
    let heading = Heading { message: trip.name.replace('_', " "), parent: None, date: "2026-11-21".into() };
    let project = project(Vec::new, trip.entities);
    let text = revisions::autogenerate(db, &project, &heading).await.unwrap();
    let text = text.unwrap_or_else(|| panic!("{}: nothing to change", trip.name));
    revisions::layout(&text, &folder()).expect("rustfmt takes what was generated")
}

/// Makes the first migration of a trip.
type MakeBase = fn() -> Box<dyn MigrationTrait>;

thread_local! {
    /// The migrations of the trip under way: a project's are a function without a memory.
    static MIGRATIONS: Cell<Option<(MakeBase, Migrations)>> = const { Cell::new(None) };
}

fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    let (base, generated) = MIGRATIONS.get().expect("a trip is under way");
    std::iter::once(base()).chain(generated()).collect()
}

async fn travel(db: &DatabaseConnection, trip: &Trip) {
    let name = &trip.name;
    let (before, rows) = (describe(db).await.unwrap(), Rows::read(db, trip.lossy).await);
    let there = project(migrations, trip.entities);
    let back = Options { reach: Reach::Steps(1), ..there.options() };
    revisions::upgrade(db, &there, &there.options()).await.unwrap_or_else(|failure| panic!("{name}: {failure}"));
    assert_eq!(revisions::differences(db, &there).await.unwrap(), [], "{name}: after going up");
    let meanwhile = Rows::read(db, trip.lossy).await;
    rows.are_kept(&meanwhile, name);
    revisions::downgrade(db, &there, &back).await.unwrap_or_else(|failure| panic!("{name}: {failure}"));
    assert_eq!(difference(&before, &describe(db).await.unwrap()), Vec::<String>::new(), "{name}: after going down");
    rows.are_back(&meanwhile, &Rows::read(db, trip.lossy).await, name);
}

/// Every trip on a database of its own.
async fn every_trip(backend: DbBackend, open: impl AsyncFn(&str) -> DatabaseConnection) {
    let mut written = Vec::new();
    for trip in trips(backend) {
        let db = open(&trip.name).await;
        MIGRATIONS.set(Some((trip.base, Vec::new)));
        let base = project(migrations, trip.entities);
        revisions::upgrade(&db, &base, &base.options()).await.unwrap();
        if trip.has_rows {
            support::rows::insert(&db, &trip.before).await;
        }
        let text = generate(&db, &trip).await;
        let file = generated::file_of(&trip.name, &text, backend);
        written.push(file.clone());
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            continue;
        }
        let known = std::fs::read_to_string(folder().join(format!("{file}.rs"))).unwrap_or_default();
        assert!(
            known == text,
            "{}: what is generated has changed; look at it with UPDATE_GENERATED=1:\n{text}",
            trip.name
        );
        let generated = generated::ALL.iter().find(|(name, _)| *name == file).expect("it is compiled").1;
        MIGRATIONS.set(Some((trip.base, generated)));
        travel(&db, &trip).await;
        db.close().await.unwrap();
    }
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        generated::write_list();
    }
    assert!(written.len() >= 60, "only {} trips", written.len());
}

#[tokio::test]
async fn every_change_goes_there_and_back_on_sqlite() {
    every_trip(DbBackend::Sqlite, async |_| revisions::connect("sqlite::memory:", None).await.unwrap()).await;
}

static SCHEMAS: AtomicUsize = AtomicUsize::new(0);

#[tokio::test]
async fn every_change_goes_there_and_back_on_postgres() {
    let Some(server) = postgres::server_url() else { return postgres::skipped("every_change_goes_there_and_back") };
    let admin = revisions::connect(server, None).await.unwrap();
    let name = format!("trips_{}", std::process::id());
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    let url = postgres::database_url(&name).unwrap();
    every_trip(DbBackend::Postgres, async |_| {
        let schema = format!("trip_{}", SCHEMAS.fetch_add(1, Ordering::Relaxed));
        let db = revisions::connect(&url, None).await.unwrap();
        db.execute_unprepared(&format!("CREATE SCHEMA {schema}")).await.unwrap();
        db.close().await.unwrap();
        revisions::connect(&url, Some(&schema)).await.unwrap()
    })
    .await;
}
