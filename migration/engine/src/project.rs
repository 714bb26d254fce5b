//! What a project hands to the engine.

use std::path::PathBuf;
use std::time::Duration;

use sea_orm::DbBackend;
use sea_orm::sea_query::{IndexCreateStatement, TableCreateStatement};
use sea_orm_migration::MigrationTrait;

/// A project: its migrations, its entities, and where their sources are.
#[derive(Clone, Debug)]
pub struct Project {
    /// Every migration, oldest first. Their names must not change.
    pub migrations: fn() -> Vec<Box<dyn MigrationTrait>>,
    /// The schema that the entities describe on a database; without it nothing can be compared or generated.
    pub entities: Option<fn(DbBackend) -> Entities>,
    /// The databases that the project runs on. On whichever it is asked, it says what the others would say, too.
    pub backends: &'static [DbBackend],
    /// The database when nobody names one.
    pub default_url: Option<&'static str>,
    /// The crate of the migrations, which holds `src/lib.rs`. It need not be there when nothing is written.
    pub migration_dir: PathBuf,
    /// The crate of the entities.
    pub entity_dir: PathBuf,
    /// Whether this is a developer's database, on which data may be lost without asking.
    pub is_development: bool,
    /// How long to wait for another migrator, when nobody says.
    pub lock_timeout: Duration,
}

/// The schema that entities describe, for an empty database, in an order in which it can be created.
#[derive(Clone, Debug, Default)]
pub struct Entities {
    /// Tables with their keys, CHECKs and foreign keys, all of them named.
    pub tables: Vec<TableCreateStatement>,
    /// Indexes beside those of the keys.
    pub indexes: Vec<IndexCreateStatement>,
}
