//! Contacts: the column `notes` is called `note`, as in vaccine requests and in FHIR.
//!
//! Parent: m20261121_000013_create_calendar_feeds. Date: 2026-11-26.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(rename(Contacts::Notes, Contacts::Note)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(rename(Contacts::Note, Contacts::Notes)).await
    }
}

fn rename(from: Contacts, to: Contacts) -> TableAlterStatement {
    Table::alter().table(Contacts::Table).rename_column(from, to).to_owned()
}

#[derive(DeriveIden)]
enum Contacts {
    Table,
    Note,
    Notes,
}
