//! More actions of audit events: patients, bookings, centres, slots.
//!
//! Parent: m20261127_000024_create_idempotency_keys. Date: 2026-11-27.

use sea_orm_migration::prelude::*;

use crate::audit_actions;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        audit_actions::add(manager, 25).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        audit_actions::remove(manager, 25).await
    }
}
