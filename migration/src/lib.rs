//! The schema of care4u as an ordered list of migrations.
//!
//! One file per migration. A released migration never changes: a new one corrects it. No part of
//! the application is used here.

mod audit_actions;
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
mod m20261127_000016_verify_national_ids;
mod m20261127_000017_audit_more_actions;
mod m20261127_000018_note_seen_generations;
mod m20261127_000019_keep_three_reset_codes;
mod m20261127_000020_create_courses;
mod m20261127_000021_create_centres;
mod m20261127_000022_create_patients;
mod m20261127_000023_create_search_words;
mod m20261127_000024_create_idempotency_keys;
mod m20261127_000025_audit_bookings;
mod m20261127_000026_add_search_words;
mod m20261128_000027_create_waitlist;
mod m20261128_000028_create_invitations;
mod m20261128_000029_mail_bookings;
mod m20261128_000030_number_changes_of_bookings;
mod m20261128_000031_create_schedules_and_immunizations;
mod m20261128_000032_create_lots_and_record_doses;
mod m20261128_000033_keep_names_uids_and_changes_of_contacts;

use revisions::Project;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseConnection;

pub use revisions::{Failure, check_url, connect, create_sqlite_file};

/// URL of the database if none is configured, as in `config/default.toml`.
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
            Box::new(m20261127_000016_verify_national_ids::Migration),
            Box::new(m20261127_000017_audit_more_actions::Migration),
            Box::new(m20261127_000018_note_seen_generations::Migration),
            Box::new(m20261127_000019_keep_three_reset_codes::Migration),
            Box::new(m20261127_000020_create_courses::Migration),
            Box::new(m20261127_000021_create_centres::Migration),
            Box::new(m20261127_000022_create_patients::Migration),
            Box::new(m20261127_000023_create_search_words::Migration),
            Box::new(m20261127_000024_create_idempotency_keys::Migration),
            Box::new(m20261127_000025_audit_bookings::Migration),
            Box::new(m20261127_000026_add_search_words::Migration),
            Box::new(m20261128_000027_create_waitlist::Migration),
            Box::new(m20261128_000028_create_invitations::Migration),
            Box::new(m20261128_000029_mail_bookings::Migration),
            Box::new(m20261128_000030_number_changes_of_bookings::Migration),
            Box::new(m20261128_000031_create_schedules_and_immunizations::Migration),
            Box::new(m20261128_000032_create_lots_and_record_doses::Migration),
            Box::new(m20261128_000033_keep_names_uids_and_changes_of_contacts::Migration),
        ]
    }
}

/// The project for the migration engine, without entities: the command line adds them.
///
/// The folders are those of a checkout, relative to its root.
#[must_use]
pub fn project() -> Project {
    Project {
        default_url: Some(DEFAULT_URL),
        is_development: std::env::var("CARE4U_PROFILE").map_or(true, |profile| profile == "development"),
        ..Project::new(Migrator::migrations)
    }
}

/// Applies all pending migrations. Outside of development a migration that deletes data fails.
pub async fn up(db: &DatabaseConnection) -> Result<(), Failure> {
    let project = project();
    revisions::upgrade(db, &project, &project.options()).await
}
