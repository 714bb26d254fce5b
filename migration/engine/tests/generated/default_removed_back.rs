//! default removed back.
//!
//! Parent: none. Date: 2026-11-21.

use revisions::AlterTable;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        AlterTable::table(Pets::Table).set_default(Pets::Legs, 4).apply(manager).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        AlterTable::table(Pets::Table).drop_default(Pets::Legs).apply(manager).await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum Pets {
    Table,
    Legs,
}
