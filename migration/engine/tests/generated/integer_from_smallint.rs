//! integer from smallint.
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
        AlterTable::table(Pets::Table).alter_type(ColumnDef::new(Pets::Legs).integer()).apply(manager).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Decide: values of pets.legs may not fit into smallint.
        AlterTable::table(Pets::Table).alter_type(ColumnDef::new(Pets::Legs).small_integer()).apply(manager).await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum Pets {
    Table,
    Legs,
}
