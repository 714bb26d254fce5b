//! Benchmark: duration of a check, and of an upgrade without pending migrations, on a large schema
//! of 200 tables with 20 columns, keys, an index and a CHECK each. `cargo bench --package revisions
//! --features cli`; it starts PostgreSQL.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    dead_code,
    reason = "a benchmark fails by panicking"
)]

#[path = "../../../tests/support/postgres.rs"]
mod postgres;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use revisions::{Entities, Project};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseConnection, DbBackend};

const TABLES: usize = 200;
const COLUMNS: usize = 20;
const ROUNDS: usize = 10;

fn entities(_: DbBackend) -> Entities {
    let mut entities = Entities::default();
    for number in 0..TABLES {
        let name = format!("table_{number:03}");
        let mut table = Table::create();
        table.table(name.clone()).col(ColumnDef::new("id").uuid().not_null());
        for column in 1..COLUMNS {
            let mut definition = ColumnDef::new(format!("column_{column:02}"));
            match column % 4 {
                0 => definition.string_len(100).not_null().default("nothing"),
                1 => definition.integer(),
                2 => definition.timestamp_with_time_zone().not_null(),
                _ => definition.uuid(),
            };
            table.col(&mut definition);
        }
        table.primary_key(Index::create().name(format!("{name}_pkey")).col("id"));
        table.check(Check::named(format!("{name}_column_01_check"), Expr::cust("column_01 BETWEEN 1 AND 9")));
        if number > 0 {
            let mut key = ForeignKey::create();
            key.name(format!("{name}_column_03_fkey"))
                .from(name.clone(), "column_03")
                .to(format!("table_{:03}", number - 1), "id");
            table.foreign_key(&mut key);
        }
        let index = Index::create().name(format!("{name}_column_02_idx")).table(name).col("column_02").to_owned();
        entities.tables.push(table);
        entities.indexes.push(index);
    }
    entities
}

struct Nothing(String);

impl MigrationName for Nothing {
    fn name(&self) -> &str {
        &self.0
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Nothing {
    async fn up(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}

fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    (0..100)
        .map(|number| Box::new(Nothing(format!("m20260101_{number:06}_nothing"))) as Box<dyn MigrationTrait>)
        .collect()
}

fn project() -> Project {
    Project {
        migrations,
        entities: Some(entities),
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

async fn measure(what: &str, db: &DatabaseConnection) {
    let table_extras = entities(db.get_database_backend());
    for table in &table_extras.tables {
        db.execute(table).await.unwrap();
    }
    for index in &table_extras.indexes {
        db.execute(index).await.unwrap();
    }
    revisions::upgrade(db, &project(), &project().options()).await.unwrap();
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        let start = Instant::now();
        assert_eq!(revisions::differences(db, &project()).await.unwrap(), []);
        times[0].push(start.elapsed());
        let start = Instant::now();
        revisions::upgrade(db, &project(), &project().options()).await.unwrap();
        times[1].push(start.elapsed());
    }
    for (name, times) in ["comparing 4,000 columns", "upgrade with nothing to do"].iter().zip(&mut times) {
        times.sort();
        println!("{what:12}{name:30}median {:>8.1?}  most {:>8.1?}", times[ROUNDS / 2], times[ROUNDS - 1]);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    measure("SQLite", &revisions::connect("sqlite::memory:", None).await.unwrap()).await;
    let Some(server) = postgres::server_url() else { return postgres::skipped("PostgreSQL") };
    measure("PostgreSQL", &revisions::connect(server, None).await.unwrap()).await;
}
