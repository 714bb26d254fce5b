//! Throttles: counters of attempts.
//!
//! Parent: m20261121_000007_create_audit_events. Date: 2026-11-21.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Throttles::Table)
            .col(ColumnDef::new(Throttles::Key).uuid().not_null())
            .col(ColumnDef::new(Throttles::Excess).integer().not_null())
            .col(ColumnDef::new(Throttles::BlockedUntil).timestamp_with_time_zone().not_null())
            .col(ColumnDef::new(Throttles::ForgetAt).timestamp_with_time_zone().not_null())
            .primary_key(Index::create().name("throttles_pkey").col(Throttles::Key))
            .to_owned();
        manager.create_table(table).await?;
        let forgotten =
            Index::create().name("throttles_forget_at_idx").table(Throttles::Table).col(Throttles::ForgetAt).to_owned();
        manager.create_index(forgotten).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Throttles::Table).to_owned()).await
    }
}

#[derive(DeriveIden)]
enum Throttles {
    Table,
    Key,
    Excess,
    BlockedUntil,
    ForgetAt,
}
