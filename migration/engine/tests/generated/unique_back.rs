//! unique back.
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
        AlterTable::table(People::Table).drop_unique("people_email_key", [People::Email]).apply(manager).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // This fails if rows of people have the same email.
        // On PostgreSQL, readers and writers of people wait while the index is built; if the table is large,
        // create a unique index CONCURRENTLY first, and make the constraint USING it.
        AlterTable::table(People::Table).add_unique("people_email_key", [People::Email]).apply(manager).await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum People {
    Table,
    Email,
}
