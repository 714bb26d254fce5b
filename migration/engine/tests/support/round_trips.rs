//! Round trips of all test cases, and the schemas that they start from.

use std::path::PathBuf;
use std::time::Duration;

use revisions::{Entities, Project};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use super::cases::{CASES, Case};
use super::shapes::{Shape, Shapes};

/// One direction of a test case.
pub struct RoundTrip {
    pub name: String,
    pub before: Shapes,
    after: Shapes,
    /// Creates the first migration, whose schema is `before`.
    pub base: fn() -> Box<dyn MigrationTrait>,
    pub entities: fn(DbBackend) -> Entities,
    pub has_rows: bool,
    pub lossy: &'static [&'static str],
}

impl RoundTrip {
    /// The schema that the entities describe.
    pub fn after(&self) -> Shapes {
        self.after.clone()
    }
}

/// Entities of case N, in one direction. `Project::entities` is a function pointer, so the case is a
/// generic parameter.
fn entities<const N: usize, const IS_BACK: bool>(backend: DbBackend) -> Entities {
    let mut shapes = Shapes::base();
    if !IS_BACK {
        (CASES[N].change)(&mut shapes);
    }
    shapes.entities(backend)
}

/// First migration of case N, in one direction.
struct Base<const N: usize, const IS_BACK: bool>;

impl<const N: usize, const IS_BACK: bool> MigrationName for Base<N, IS_BACK> {
    fn name(&self) -> &str {
        "a_base"
    }
}

#[async_trait::async_trait]
impl<const N: usize, const IS_BACK: bool> MigrationTrait for Base<N, IS_BACK> {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut shapes = Shapes::base();
        if IS_BACK {
            (CASES[N].change)(&mut shapes);
        }
        build(manager.get_connection(), &shapes).await;
        Ok(())
    }
}

type MakeBase = fn() -> Box<dyn MigrationTrait>;

macro_rules! numbered_cases {
    ($($number:literal)*) => {
        const ENTITIES: &[[fn(DbBackend) -> Entities; 2]] =
            &[$([entities::<$number, false>, entities::<$number, true>]),*];
        const BASES: &[[MakeBase; 2]] = &[$([|| Box::new(Base::<$number, false>), || Box::new(Base::<$number, true>)]),*];
    };
}
numbered_cases!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39
    40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62);

/// Returns all test cases, in both directions.
pub fn round_trips(backend: DbBackend) -> Vec<RoundTrip> {
    assert_eq!(CASES.len(), ENTITIES.len(), "each case needs its number in the list above");
    let has_effect = |case: &Case| backend == DbBackend::Postgres || !case.only_postgres;
    let cases = CASES.iter().zip(ENTITIES.iter().zip(BASES)).filter(|(case, _)| has_effect(case));
    let mut round_trips = Vec::new();
    for (case, ([forward, back], [base, base_back])) in cases {
        let mut changed = Shapes::base();
        (case.change)(&mut changed);
        let (has_rows, lossy) = (case.rows, case.lossy);
        let (name, before) = (case.name.to_owned(), Shapes::base());
        round_trips.push(RoundTrip {
            name,
            before,
            after: changed.clone(),
            base: *base,
            entities: *forward,
            has_rows,
            lossy,
        });
        round_trips.push(RoundTrip {
            name: format!("{}_back", case.name),
            base: *base_back,
            before: changed,
            after: Shapes::base(),
            entities: *back,
            has_rows,
            lossy,
        });
    }
    round_trips
}

/// A project that has only migrations and entities.
pub fn project(migrations: fn() -> Vec<Box<dyn MigrationTrait>>, entities: fn(DbBackend) -> Entities) -> Project {
    Project {
        migrations,
        entities: Some(entities),
        backends: &[],
        default_url: None,
        migration_dir: PathBuf::new(),
        entity_dir: PathBuf::new(),
        is_development: true,
        lock_timeout: Duration::from_secs(10),
        ..Project::new(migrations)
    }
}

/// Creates the tables and indexes.
pub async fn build(db: &impl ConnectionTrait, shapes: &Shapes) {
    let backend = db.get_database_backend();
    // Circular references: PostgreSQL cannot create these tables with their foreign keys.
    let (circular, mut rest): (Vec<_>, Vec<_>) =
        shapes.0.iter().partition(|shape| ["eggs", "hens"].contains(&shape.name));
    let mut created = Vec::new();
    while !rest.is_empty() {
        let is_creatable =
            |shape: &&Shape| shape.references.iter().all(|to| to.table == shape.name || created.contains(&to.table));
        let shape = rest.remove(rest.iter().position(is_creatable).expect("no other tables refer to each other"));
        created.push(shape.name);
        db.execute(&shape.create(backend)).await.unwrap();
    }
    if !circular.is_empty() {
        let kind = if backend == DbBackend::Sqlite { "uuid_text" } else { "uuid" };
        let constraint =
            |name: &str| if backend == DbBackend::Sqlite { String::new() } else { format!("CONSTRAINT {name} ") };
        let eggs =
            format!("CREATE TABLE eggs (id {kind} NOT NULL, hen_id {kind}, CONSTRAINT eggs_pkey PRIMARY KEY (id))");
        let hens = format!(
            "CREATE TABLE hens (id {kind} NOT NULL, egg_id {kind}, CONSTRAINT hens_pkey PRIMARY KEY (id), {}FOREIGN KEY (egg_id) REFERENCES eggs (id))",
            constraint("hens_egg_id_fkey")
        );
        match backend {
            DbBackend::Sqlite => {
                let eggs = eggs.trim_end_matches(')').to_owned() + "), FOREIGN KEY (hen_id) REFERENCES hens (id))";
                db.execute_unprepared(&eggs).await.unwrap();
                db.execute_unprepared(&hens).await.unwrap();
            }
            _ => {
                db.execute_unprepared(&eggs).await.unwrap();
                db.execute_unprepared(&hens).await.unwrap();
                let key = "ALTER TABLE eggs ADD CONSTRAINT eggs_hen_id_fkey FOREIGN KEY (hen_id) REFERENCES hens (id)";
                db.execute_unprepared(key).await.unwrap();
            }
        }
    }
    for index in shapes.0.iter().flat_map(|shape| &shape.indexes) {
        db.execute(index).await.unwrap();
    }
}
