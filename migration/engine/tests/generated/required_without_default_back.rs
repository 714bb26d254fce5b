//! required without default back.
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
        AlterTable::table(People::Table).drop_not_null(People::Weight).apply(manager).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Decide: this fails if a row has no people.weight; set a value first.
        // On PostgreSQL, readers and writers of people wait while its rows are read; if there are many, add and
        // validate a CHECK (weight IS NOT NULL) first.
        AlterTable::table(People::Table).set_not_null(People::Weight).apply(manager).await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum People {
    Table,
    Weight,
}
