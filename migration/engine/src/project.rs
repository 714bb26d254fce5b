//! Configuration of a project.

use std::path::PathBuf;
use std::time::Duration;

use sea_orm::DbBackend;
use sea_orm_migration::MigrationTrait;

use crate::Entities;

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
    /// Whether names of keys, indexes and CHECKs are not compared.
    pub ignore_names: bool,
    /// Tables that are not the project's, such as those of an extension: names, or beginnings of names with `*` at the end.
    pub exclude: Vec<String>,
    /// Whether this is a development environment, where migrations may delete data without
    /// confirmation.
    pub is_development: bool,
    /// Time to wait for another process that migrates, and for all attempts to lock a table, if none is given.
    pub lock_timeout: Duration,
    /// PostgreSQL: time to wait for the lock of a table at a time, if none is given. Others wait for the table meanwhile.
    pub table_lock_timeout: Duration,
}

impl Project {
    /// The same with the folders of a workspace: that of the package that `cargo run` runs, and `entity` beside it, so that the
    /// command works in any folder of the workspace. Without cargo, the folders stay as they are.
    #[must_use]
    pub fn in_workspace(mut self) -> Self {
        if let Some(package) = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from) {
            self.entity_dir = package.with_file_name(self.entity_dir.file_name().unwrap_or_default());
            self.migration_dir = package;
        }
        self
    }

    /// Whether a table is not the project's.
    #[cfg(feature = "cli")]
    pub(crate) fn excludes(&self, table: &str) -> bool {
        self.exclude.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(beginning) => table.starts_with(beginning),
            None => table == pattern,
        })
    }

    /// A project with the usual settings: SQLite and PostgreSQL, the folders `migration` and `entity`, a minute for its turn and
    /// three seconds for a table, and no data loss without confirmation.
    ///
    /// ```
    /// # use std::path::PathBuf;
    /// # use revisions::Project;
    /// # fn migrations() -> Vec<Box<dyn sea_orm_migration::MigrationTrait>> { Vec::new() }
    /// let project = Project { is_development: true, ..Project::new(migrations) };
    /// assert_eq!(project.entity_dir, PathBuf::from("entity"));
    /// ```
    #[must_use]
    pub fn new(migrations: fn() -> Vec<Box<dyn MigrationTrait>>) -> Self {
        Self {
            migrations,
            entities: None,
            backends: &[DbBackend::Sqlite, DbBackend::Postgres],
            default_url: None,
            migration_dir: PathBuf::from("migration"),
            entity_dir: PathBuf::from("entity"),
            ignore_names: false,
            exclude: Vec::new(),
            is_development: false,
            lock_timeout: Duration::from_secs(60),
            table_lock_timeout: Duration::from_secs(3),
        }
    }
}
