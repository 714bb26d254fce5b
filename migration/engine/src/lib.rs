//! Migrations for [SeaORM](sea_orm): locked, recorded with a checksum, each in one transaction; and a command line that
//! shows, checks and generates them. It does for SeaORM what Alembic does for SQLAlchemy.
//!
//! A project provides a [`Project`]: its migrations (the `MigrationTrait` of sea-orm-migration, unchanged) and the
//! schema of its entities. A program that only applies pending migrations calls [`upgrade`]. With the feature `cli`,
//! [`run`] is the whole command line. A change of a table that SQLite's `ALTER TABLE` does not support is an
//! [`AlterTable`].
//!
//! The history is the table of sea-orm-migration, `seaql_migrations`, with one more column. The engine knows no table
//! of any project.

mod alter_table;
#[cfg(feature = "cli")]
mod change;
#[cfg(feature = "cli")]
mod cli;
#[cfg(feature = "cli")]
mod compare;
#[cfg(feature = "cli")]
mod comparison;
mod connection;
mod destructive;
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
mod record;
#[cfg(feature = "cli")]
mod revision;
mod run;
#[cfg(feature = "cli")]
mod schema;
#[cfg(feature = "cli")]
mod sources;

pub use alter_table::AlterTable;
#[cfg(feature = "cli")]
pub use cli::run;
#[cfg(feature = "cli")]
pub use comparison::{Difference, autogenerate, differences};
pub use connection::{connect, connect_existing, create_sqlite_folder};
pub use failure::Failure;
#[cfg(feature = "cli")]
pub use generate::Heading;
pub use history::Applied;
pub use project::{Entities, Project};
pub use run::{Options, Reach, downgrade, upgrade};
#[cfg(feature = "cli")]
pub use sources::layout;
