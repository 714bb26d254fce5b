//! Configuration of a project.

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
    /// The schema that the entities describe on a backend. Without it nothing can be compared or
    /// generated.
    pub entities: Option<fn(DbBackend) -> Entities>,
    /// The databases that the project supports. Differences on those that are not connected are
    /// reported, too.
    pub backends: &'static [DbBackend],
    /// URL of the database, if none is given.
    pub default_url: Option<&'static str>,
    /// Folder of the migration crate, which contains `src/lib.rs`. Only needed to read and write migration files.
    pub migration_dir: PathBuf,
    /// Folder of the entity crate. Only needed to write entities.
    pub entity_dir: PathBuf,
    /// Whether this is a development environment, where migrations may delete data without
    /// confirmation.
    pub is_development: bool,
    /// Time to wait for the lock, if none is given.
    pub lock_timeout: Duration,
}

/// The schema that the entities describe, as statements for an empty database, in an order in which
/// they can be executed.
#[derive(Clone, Debug, Default)]
pub struct Entities {
    /// Tables with their keys, CHECKs and foreign keys, all with names.
    pub tables: Vec<TableCreateStatement>,
    /// Indexes besides those of the keys.
    pub indexes: Vec<IndexCreateStatement>,
}
