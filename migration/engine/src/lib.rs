//! Migrations for [SeaORM](sea_orm), on PostgreSQL and SQLite: generated from entities, checked, locked, recorded, and undone.
//! What Alembic is to SQLAlchemy. Not for MySQL, and not for branching histories.
//!
//! A project passes a [`Project`]: its migrations (the unchanged `MigrationTrait` of sea-orm-migration), and the schema that its
//! entities describe ([`Entities`]). A program that only migrates its database calls [`upgrade`]. With the feature `cli`, [`run()`]
//! is the complete command line. For schema changes that SQLite's `ALTER TABLE` does not support there is [`AlterTable`].
//!
//! The history is stored in sea-orm-migration's table `seaql_migrations`, with one additional column. The crate knows no project's
//! tables.
//!
//! # Flow of data
//!
//! ```text
//! entities ──> schema ─┐                                    ┌─> lines (diff, check)
//!                      ├─ renames ─> compare ─> changes ─ plan ─> statements ─> Rust (revision --autogenerate)
//! database ──> schema ─┘                                    └─> sources of entities (entity)
//!
//! migrations ──> recorder ─> SQL ─> checksum, data loss, --sql
//!     └────────> lock ─> transaction ─> up or down, and its record in the history
//! ```
//!
//! # Modules
//!
//! | module | what lives there |
//! |---|---|
//! | `project`, `entities` | what a project passes: migrations, entities, settings, names of keys |
//! | `alter_table` | changes of one table on both databases; the parser of `CREATE TABLE` |
//! | `run`, `migration_step`, `history` | applying and reverting, and the record of it |
//! | `lock`, `lock_holders`, `table_locks` | whose turn it is, and how long to wait for a table |
//! | `recorder`, `destructive` | the SQL of a migration without its database, and what it would lose |
//! | `schema` | a schema from a database, from entities, or from recorded statements |
//! | `renames`, `compare`, `change`, `equivalences`, `drift` | differences between two schemas |
//! | `generate` | a migration as Rust |
//! | `entity` | sources of entities, updated from a schema |
//! | `sources`, `revision` | files of migrations, and the names that a command line gives them |
//! | `cli` | the commands |

mod alter_table;
#[cfg(feature = "cli")]
mod change;
#[cfg(feature = "cli")]
mod cli;
#[cfg(feature = "cli")]
mod compare;
mod connection;
mod destructive;
#[cfg(feature = "cli")]
mod drift;
mod entities;
#[cfg(feature = "cli")]
mod entity;
#[cfg(feature = "cli")]
mod equivalences;
mod failure;
#[cfg(feature = "cli")]
mod fresh;
#[cfg(feature = "cli")]
mod generate;
mod history;
mod lock;
mod lock_holders;
mod migration_step;
mod project;
mod recorder;
#[cfg(feature = "cli")]
mod renames;
#[cfg(feature = "cli")]
mod revision;
mod run;
#[cfg(feature = "cli")]
mod schema;
#[cfg(feature = "cli")]
mod sources;
mod table_locks;
mod url;

pub use alter_table::AlterTable;
#[cfg(feature = "cli")]
pub use cli::{init, run};
pub use connection::{connect, connect_existing, create_sqlite_file};
#[cfg(feature = "cli")]
pub use drift::{Difference, autogenerate, differences};
pub use entities::{CompositeIndex, Entities, Naming, TableExtras, enum_values};
pub use failure::Failure;
#[cfg(feature = "cli")]
pub use generate::Heading;
pub use history::Applied;
pub use project::Project;
pub use run::{Options, Reach, downgrade, statements, upgrade};
pub use sea_orm::DbBackend;
#[cfg(feature = "cli")]
pub use sources::layout;
pub use url::check_url;
