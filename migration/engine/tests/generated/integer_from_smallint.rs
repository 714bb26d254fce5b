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
        // On PostgreSQL, readers and writers of pets wait while the table is rewritten with the new type; if it is
        // large, add another column, and fill it in parts.
        AlterTable::table(Pets::Table).alter_type(ColumnDef::new(Pets::Legs).integer()).apply(manager).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // On PostgreSQL, readers and writers of pets wait while the table is rewritten with the new type; if it is
        // large, add another column, and fill it in parts.
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
