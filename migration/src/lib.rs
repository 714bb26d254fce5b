//! Database migrations of care4u: the ordered list, and [`up`], which applies them.
//!
//! Each migration has its own file. A released migration is never changed; a new one corrects it. This crate does not
//! depend on the application.

mod m20261121_000001_create_users;
mod m20261121_000002_create_refresh_tokens;
mod m20261121_000003_create_vaccines;
mod m20261121_000004_create_vaccine_requests;
mod m20261121_000005_create_account_codes;
mod m20261121_000006_create_outbox;
mod m20261121_000007_create_audit_events;
mod m20261121_000008_create_throttles;
mod m20261121_000009_find_users_and_sessions;
mod m20261121_000010_create_contact_imports;
mod m20261121_000011_create_contacts;
mod m20261121_000012_requests_for_contacts;
mod m20261121_000013_create_calendar_feeds;
mod m20261126_000014_rename_columns;
mod m20261126_000015_create_quotas;

use std::path::PathBuf;
use std::time::Duration;

use revisions::Project;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseConnection, DbBackend};

pub use revisions::{Failure, connect, create_sqlite_folder};

/// Default database URL; the same as in `config/default.toml`.
pub const DEFAULT_URL: &str = "sqlite://data/care4u.db?mode=rwc";

/// The migrations of care4u, oldest first.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_create_users::Migration),
            Box::new(m20261121_000002_create_refresh_tokens::Migration),
            Box::new(m20261121_000003_create_vaccines::Migration),
            Box::new(m20261121_000004_create_vaccine_requests::Migration),
            Box::new(m20261121_000005_create_account_codes::Migration),
            Box::new(m20261121_000006_create_outbox::Migration),
            Box::new(m20261121_000007_create_audit_events::Migration),
            Box::new(m20261121_000008_create_throttles::Migration),
            Box::new(m20261121_000009_find_users_and_sessions::Migration),
            Box::new(m20261121_000010_create_contact_imports::Migration),
            Box::new(m20261121_000011_create_contacts::Migration),
            Box::new(m20261121_000012_requests_for_contacts::Migration),
            Box::new(m20261121_000013_create_calendar_feeds::Migration),
            Box::new(m20261126_000014_rename_columns::Migration),
            Box::new(m20261126_000015_create_quotas::Migration),
        ]
    }
}

/// Project settings for the migration engine. `entities` is set only by the command line, which compares them.
#[must_use]
pub fn project() -> Project {
    let migration_dir = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    Project {
        migrations: Migrator::migrations,
        entities: None,
        backends: &[DbBackend::Sqlite, DbBackend::Postgres],
        default_url: Some(DEFAULT_URL),
        entity_dir: migration_dir.with_file_name("entity"),
        migration_dir,
        is_development: std::env::var("CARE4U_PROFILE").map_or(true, |profile| profile == "development"),
        lock_timeout: Duration::from_secs(60),
    }
}

/// Applies all pending migrations. Except in development, a migration that loses data is refused.
pub async fn up(db: &DatabaseConnection) -> Result<(), Failure> {
    let project = project();
    revisions::upgrade(db, &project, &project.options()).await
}
