//! primary key with more columns back.
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
        // On PostgreSQL, readers and writers of pets wait while the index is built; if the table is large, create
        // a unique index CONCURRENTLY first, and make the constraint USING it.
        AlterTable::table(Pets::Table)
            .drop_primary_key("pets_pkey")
            .add_primary_key("pets_pkey", [Pets::Id])
            .apply(manager)
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // On PostgreSQL, readers and writers of pets wait while the index is built; if the table is large, create
        // a unique index CONCURRENTLY first, and make the constraint USING it.
        AlterTable::table(Pets::Table)
            .drop_primary_key("pets_pkey")
            .add_primary_key("pets_pkey", [Pets::OwnerId, Pets::Id])
            .apply(manager)
            .await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum Pets {
    Table,
    Id,
    OwnerId,
}
