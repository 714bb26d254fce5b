//! Schemas of SeaORM projects: a migration is generated, the same on both databases; it is applied; nothing is left to generate
//! on either; it is reverted, and the database is as before.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, missing_docs, reason = "tests fail by panicking")]
#![allow(unreachable_pub, reason = "tests have no public API")]

#[path = "../../../tests/support/postgres.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod postgres;
mod projects {
    pub mod changed_only_postgres;
    pub mod chinook_postgres;
    pub mod chinook_sqlite;
    pub mod entities;
    pub mod first;
    pub mod in_schema;
    pub mod northwind_postgres;
    pub mod northwind_sqlite;
    pub mod only_postgres;
    pub mod second;
}
mod support {
    pub mod facts;
}

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use projects::{changed_only_postgres, entities, first, in_schema, only_postgres, second};
use revisions::{Entities, Failure, Heading, Naming, Options, Project, Reach};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Schema, Statement};
use support::facts::{SchemaFacts, describe, difference};

type Migrations = fn() -> Vec<Box<dyn MigrationTrait>>;

/// A migration that was generated, and the entities that it was generated for.
struct Case {
    file: &'static str,
    before: Migrations,
    after: Migrations,
    entities: fn(DbBackend) -> Entities,
}

const FIRST: Case =
    Case { file: "first", before: Vec::new, after: || vec![Box::new(first::Migration)], entities: entities::first };

const SECOND: Case = Case {
    file: "second",
    before: || vec![Box::new(first::Migration)],
    after: || vec![Box::new(first::Migration), Box::new(second::Migration)],
    entities: entities::second,
};

const ONLY_POSTGRES: Case = Case {
    file: "only_postgres",
    before: Vec::new,
    after: || vec![Box::new(only_postgres::Migration)],
    entities: entities::only_postgres,
};

const IN_SCHEMA: Case = Case {
    file: "in_schema",
    before: Vec::new,
    after: || vec![Box::new(in_schema::Migration)],
    entities: entities::in_schema,
};

const CHANGED_ONLY_POSTGRES: Case = Case {
    file: "changed_only_postgres",
    before: || vec![Box::new(only_postgres::Migration)],
    after: || vec![Box::new(only_postgres::Migration), Box::new(changed_only_postgres::Migration)],
    entities: entities::changed_only_postgres,
};

/// A database that another program has made.
struct Foreign(&'static str);

impl MigrationName for Foreign {
    fn name(&self) -> &str {
        "m20260101_000000_foreign"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Foreign {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.0).await.map(drop)
    }
}

macro_rules! foreign {
    ($name:ident) => {
        Case {
            file: stringify!($name),
            before: || vec![Box::new(Foreign(include_str!(concat!("databases/", stringify!($name), ".sql"))))],
            after: || {
                let sql = include_str!(concat!("databases/", stringify!($name), ".sql"));
                vec![Box::new(Foreign(sql)), Box::new(projects::$name::Migration)]
            },
            entities: Entities::of,
        }
    };
}

fn project(migrations: Migrations, case: &Case, backends: &'static [DbBackend]) -> Project {
    Project { entities: Some(case.entities), backends, is_development: true, ..Project::new(migrations) }
}

const BOTH: &[DbBackend] = &[DbBackend::Sqlite, DbBackend::Postgres];

/// The facts of a schema. SQLite keeps letter case, quotes and parentheses, which mean nothing; a CHECK without a name gets one.
async fn facts(db: &DatabaseConnection) -> SchemaFacts {
    let facts = describe(db).await.unwrap();
    if db.get_database_backend() != DbBackend::Sqlite {
        return facts;
    }
    let has_meaning = |character: &char| !"[]`\"()".contains(*character);
    let plain = |fact: &String| {
        let fact = fact.chars().filter(has_meaning).collect::<String>().to_lowercase();
        match fact.split_once(" check ") {
            Some((name, check)) => format!("{} check {check}", name.split(' ').next().unwrap_or(name)),
            None => fact,
        }
    };
    facts.iter().map(plain).collect()
}

async fn run(db: &DatabaseConnection, case: &Case, backends: &'static [DbBackend]) {
    let before = project(case.before, case, backends);
    revisions::upgrade(db, &before, &before.options()).await.unwrap();
    let schema = facts(db).await;
    let heading = Heading { message: case.file.replace('_', " "), parent: None, date: "2026-11-28".into() };
    let text = revisions::autogenerate(db, &before, &heading).await.unwrap().expect("there are differences");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects");
    let text = revisions::layout(&text, &folder).expect("rustfmt formats it");
    let file = folder.join(format!("{}.rs", case.file));
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&file, &text).unwrap();
        return;
    }
    let known = std::fs::read_to_string(&file).unwrap();
    assert!(known == text, "{} has changed; review it, and update it with UPDATE_GENERATED=1:\n{text}", case.file);
    let after = project(case.after, case, backends);
    revisions::upgrade(db, &after, &after.options()).await.unwrap();
    assert_eq!(revisions::differences(db, &after).await.unwrap(), [], "{}", case.file);
    let again = revisions::autogenerate(db, &after, &heading).await.unwrap();
    assert!(again.is_none(), "{}: {again:?}", case.file);
    let one = Options { reach: Reach::Steps(1), ..after.options() };
    revisions::downgrade(db, &after, &one).await.unwrap();
    assert_eq!(difference(&schema, &facts(db).await), Vec::<String>::new(), "{}", case.file);
}

static DATABASES: AtomicUsize = AtomicUsize::new(0);

async fn sqlite() -> DatabaseConnection {
    revisions::connect("sqlite::memory:", None).await.unwrap()
}

async fn postgres_database(test: &str) -> Option<DatabaseConnection> {
    let Some(server) = postgres::server_url() else {
        postgres::skipped(test);
        return None;
    };
    let name = format!("kinds_{}_{}", std::process::id(), DATABASES.fetch_add(1, Ordering::Relaxed));
    let admin = revisions::connect(server, None).await.unwrap();
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    admin.close().await.unwrap();
    Some(revisions::connect(&postgres::database_url(&name).unwrap(), None).await.unwrap())
}

#[tokio::test]
async fn entities_of_every_kind_are_created_and_removed() {
    run(&sqlite().await, &FIRST, BOTH).await;
    let Some(db) = postgres_database("entities_of_every_kind_are_created_and_removed").await else { return };
    run(&db, &FIRST, BOTH).await;
}

/// The schema that SeaORM itself creates for the entities, and its names.
async fn a_schema_of_sea_orm_has_no_differences(db: &DatabaseConnection) {
    let backend = db.get_database_backend();
    let schema = Schema::new(backend);
    macro_rules! create {
        ($($entity:path),*) => {
            $(
                for statement in schema.create_enum_from_entity($entity) {
                    // Two tables have columns of one type.
                    db.execute(&statement).await.ok();
                }
                db.execute(&schema.create_table_from_entity($entity)).await.unwrap();
                for statement in schema.create_index_from_entity($entity) {
                    db.execute(&statement).await.unwrap();
                }
            )*
        };
    }
    create!(
        entities::plain_kinds::Entity,
        entities::options::Entity,
        entities::tables::Entity,
        entities::renamed_members::Entity,
        entities::people::Entity
    );
    let case = Case { file: "", before: Vec::new, after: Vec::new, entities: entities::of_sea_orm };
    let backends: &[DbBackend] =
        if backend == DbBackend::Sqlite { &[DbBackend::Sqlite] } else { &[DbBackend::Postgres] };
    let project = project(Vec::new, &case, backends);
    assert_eq!(revisions::differences(db, &project).await.unwrap(), []);
    // With other names, all is renamed, and nothing is dropped.
    let case = Case { entities: |backend| entities::of_sea_orm_with_names(backend, Naming::Postgres), ..case };
    let project = self::project(Vec::new, &case, backends);
    let differences = revisions::differences(db, &project).await.unwrap();
    let kinds: Vec<_> = differences.iter().flat_map(|difference| difference.kinds.clone()).collect();
    assert!(!kinds.is_empty() && kinds.iter().all(|kind| kind.starts_with("rename_")), "{differences:?}");
    let ignoring = Project { ignore_names: true, ..project };
    assert_eq!(revisions::differences(db, &ignoring).await.unwrap(), []);
    let excluding = Project { exclude: vec!["peop*".into()], entities: Some(entities::without_people), ..ignoring };
    assert_eq!(revisions::differences(db, &excluding).await.unwrap(), []);
}

#[tokio::test]
async fn an_entity_in_a_schema_is_compared_there() {
    run(&sqlite().await, &IN_SCHEMA, BOTH).await;
    let Some(db) = postgres_database("an_entity_in_a_schema_is_compared_there").await else { return };
    let project = project(Vec::new, &IN_SCHEMA, BOTH);
    let Err(Failure::Refused(why)) = revisions::differences(&db, &project).await else { panic!("it was not refused") };
    assert!(why.starts_with("the entity of settings is in the schema sys, and public is the current one;"), "{why}");
    db.execute_unprepared("CREATE SCHEMA sys").await.unwrap();
    let url = postgres::database_url(&name(&db).await).unwrap();
    run(&revisions::connect(&url, Some("sys")).await.unwrap(), &IN_SCHEMA, BOTH).await;
}

async fn name(db: &DatabaseConnection) -> String {
    let sql = Statement::from_string(DbBackend::Postgres, "SELECT current_database()::text");
    db.query_one_raw(sql).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn a_schema_that_sea_orm_has_created_is_known() {
    a_schema_of_sea_orm_has_no_differences(&sqlite().await).await;
    let Some(db) = postgres_database("a_schema_that_sea_orm_has_created_is_known").await else { return };
    a_schema_of_sea_orm_has_no_differences(&db).await;
}

/// All tables are dropped, and `down` brings them back as they were.
#[tokio::test]
async fn databases_of_others_are_dropped_and_brought_back() {
    for case in [foreign!(chinook_sqlite), foreign!(northwind_sqlite)] {
        run(&sqlite().await, &case, &[DbBackend::Sqlite]).await;
    }
    for case in [foreign!(chinook_postgres), foreign!(northwind_postgres)] {
        let test = "databases_of_others_are_dropped_and_brought_back";
        let Some(db) = postgres_database(test).await else { return };
        run(&db, &case, &[DbBackend::Postgres]).await;
    }
}

#[tokio::test]
async fn renames_and_new_values_are_applied_and_reverted() {
    run(&sqlite().await, &SECOND, BOTH).await;
    let Some(db) = postgres_database("renames_and_new_values_are_applied_and_reverted").await else { return };
    run(&db, &SECOND, BOTH).await;
}

#[tokio::test]
async fn what_only_postgres_has_is_created_there_and_refused_on_sqlite() {
    let db = sqlite().await;
    let both = project(Vec::new, &ONLY_POSTGRES, BOTH);
    let Err(Failure::Refused(why)) = revisions::differences(&db, &both).await else { panic!("it was not refused") };
    assert!(
        why.starts_with("column arrays.tags has the type character varying[], which SQLite does not have;"),
        "{why}"
    );
    let test = "what_only_postgres_has_is_created_there_and_refused_on_sqlite";
    let Some(db) = postgres_database(test).await else { return };
    run(&db, &ONLY_POSTGRES, &[DbBackend::Postgres]).await;
    run(&db, &CHANGED_ONLY_POSTGRES, &[DbBackend::Postgres]).await;
}
