//! Migrations for [SeaORM](sea_orm): serialised by a lock, recorded with a checksum, and atomic. A
//! command line applies, shows, checks and generates them. It does for SeaORM what Alembic does for
//! SQLAlchemy.
//!
//! A project passes a [`Project`]: its migrations (the unchanged `MigrationTrait` of
//! sea-orm-migration), and the schema that its entities describe. A program that only migrates its
//! database calls [`upgrade`]. With the feature `cli`, [`run()`] is the complete command line. For
//! schema changes that SQLite's `ALTER TABLE` does not support there is [`AlterTable`].
//!
//! The history is stored in sea-orm-migration's table `seaql_migrations`, with one additional
//! column. The crate knows no project's tables.

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
pub use cli::run;
pub use connection::{connect, connect_existing, create_sqlite_file};
#[cfg(feature = "cli")]
pub use drift::{Difference, autogenerate, differences};
pub use failure::Failure;
#[cfg(feature = "cli")]
pub use generate::Heading;
pub use history::Applied;
pub use project::{Entities, Project};
pub use run::{Options, Reach, downgrade, upgrade};
#[cfg(feature = "cli")]
pub use sources::layout;
pub use url::check_url;
