//! unlimited text.
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
        // On PostgreSQL, the type of people.name changes without a rewrite of the table.
        AlterTable::table(People::Table).alter_type(ColumnDef::new(People::Name).text()).apply(manager).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // On PostgreSQL, readers and writers of people wait while the table is rewritten with the new type; if it
        // is large, add another column, and fill it in parts.
        // Decide: values of people.name may not fit into varchar(100).
        AlterTable::table(People::Table)
            .alter_type(ColumnDef::new(People::Name).string_len(100))
            .apply(manager)
            .await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum People {
    Table,
    Name,
}
