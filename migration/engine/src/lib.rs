//! Migrations for [SeaORM](sea_orm) that take turns, are recorded with a checksum, and run whole or not at all; and a
//! command line that shows, checks and writes them. It does for SeaORM what Alembic does for SQLAlchemy.
//!
//! A project hands in a [`Project`]: its migrations (the `MigrationTrait` of sea-orm-migration, unchanged) and the schema
//! that its entities describe. A program that only brings its database up to date calls [`upgrade`]. With the feature
//! `cli`, [`run`] is the whole command line. A migration that has to change a table in a way that SQLite's
//! `ALTER TABLE` cannot uses [`AlterTable`].
//!
//! The history stays in the table of sea-orm-migration, `seaql_migrations`, which gets one more column. Nothing here
//! knows any project's tables.

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
