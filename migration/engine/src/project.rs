//! Project: what the engine needs to know of a project.

use std::path::PathBuf;
use std::time::Duration;

use sea_orm::DbBackend;
use sea_orm::sea_query::{IndexCreateStatement, TableCreateStatement};
use sea_orm_migration::MigrationTrait;

/// A project: its migrations, its entities, and the folders of their sources.
#[derive(Clone, Debug)]
pub struct Project {
    /// All migrations, oldest first. Their names must not change.
    pub migrations: fn() -> Vec<Box<dyn MigrationTrait>>,
    /// The schema of the entities on a backend. Without it nothing can be compared or generated.
    pub entities: Option<fn(DbBackend) -> Entities>,
    /// The backends that the project supports. A comparison covers all of them, whichever is connected.
    pub backends: &'static [DbBackend],
    /// The default URL of the database.
    pub default_url: Option<&'static str>,
    /// The folder of the migration crate, with `src/lib.rs`. Needed only for writing migrations.
    pub migration_dir: PathBuf,
    /// The folder of the entity crate.
    pub entity_dir: PathBuf,
    /// Whether the database is for development, where data may be lost without confirmation.
    pub is_development: bool,
    /// The default timeout of waiting for another migrator.
    pub lock_timeout: Duration,
}

/// The schema of the entities, as statements for an empty database in an order in which they can run.
#[derive(Clone, Debug, Default)]
pub struct Entities {
    /// Tables with their keys, CHECKs and foreign keys, all with names.
    pub tables: Vec<TableCreateStatement>,
    /// Indexes, without those of the keys.
    pub indexes: Vec<IndexCreateStatement>,
}
