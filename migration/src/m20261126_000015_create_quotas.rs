//! Quotas: how many things of a kind a user has created within an hour. They were rows of `throttles`, whose columns mean
//! something else.
//!
//! Parent: m20261126_000014_rename_columns. Date: 2026-11-26.

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
            .table(Quotas::Table)
            .col(ColumnDef::new(Quotas::Key).uuid().not_null())
            .col(ColumnDef::new(Quotas::Used).integer().not_null())
            .col(ColumnDef::new(Quotas::ResetsAt).timestamp_with_time_zone().not_null())
            .primary_key(Index::create().name("quotas_pkey").col(Quotas::Key))
            .to_owned();
        manager.create_table(table).await?;
        let expired =
            Index::create().name("quotas_resets_at_idx").table(Quotas::Table).col(Quotas::ResetsAt).to_owned();
        manager.create_index(expired).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Quotas::Table).to_owned()).await
    }
}

#[derive(DeriveIden)]
enum Quotas {
    Table,
    Key,
    Used,
    ResetsAt,
}
