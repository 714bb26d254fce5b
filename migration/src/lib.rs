//! The schema of care4u as an ordered list of migrations, and how a database is brought up to date.
//!
//! One file a migration. A migration never changes once it has been released: the next one corrects it.
//! Nothing of the application is known here.

pub mod connection;
pub mod schema;

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

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseConnection;

pub use connection::{DEFAULT_URL, connect};

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
        ]
    }
}

/// Applies every pending migration.
pub async fn up(db: &DatabaseConnection) -> Result<(), DbErr> {
    in_turn(db, Migrator::up(db, None)).await
}

/// Runs `migrate` alone: migrators that start together take turns, so each migration is applied once.
pub async fn in_turn(db: &DatabaseConnection, migrate: impl Future<Output = Result<(), DbErr>>) -> Result<(), DbErr> {
    let turn = connection::take_turn(db).await?;
    let outcome = migrate.await;
    let ended = turn.end().await;
    outcome.and(ended)
}
