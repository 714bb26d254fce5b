//! Columns with the same name as in the API: `contacts.notes` is called `note`, and `throttles.excess` `over_limit`.
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
        rename(manager, Contacts::Table, Contacts::Notes, Contacts::Note).await?;
        rename(manager, Throttles::Table, Throttles::Excess, Throttles::OverLimit).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        rename(manager, Throttles::Table, Throttles::OverLimit, Throttles::Excess).await?;
        rename(manager, Contacts::Table, Contacts::Note, Contacts::Notes).await
    }
}

async fn rename<T: IntoIden>(manager: &SchemaManager<'_>, table: T, from: T, to: T) -> Result<(), DbErr> {
    let alter = Table::alter().table(table.into_iden()).rename_column(from, to).to_owned();
    manager.alter_table(alter).await
}

#[derive(DeriveIden)]
enum Contacts {
    Table,
    Note,
    Notes,
}

#[derive(DeriveIden)]
enum Throttles {
    Table,
    Excess,
    OverLimit,
}
