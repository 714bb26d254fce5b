//! check over columns.
//!
//! Parent: none. Date: 2026-11-21.

use revisions::AlterTable;
use sea_orm_migration::prelude::*;

const CONDITION_1: &str = "\
    CASE WHEN email IS NULL THEN status <> 'asleep' ELSE email LIKE '%@%' OR length(email) < 3 END";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // This fails if rows of people violate people_email_check.
        // On PostgreSQL, readers and writers of people wait while its rows are checked; if there are many, add the
        // CHECK NOT VALID, and validate it in a later migration.
        AlterTable::table(People::Table)
            .add_check("people_email_check", Expr::cust(CONDITION_1))
            .apply(manager)
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        AlterTable::table(People::Table).drop_constraint("people_email_check").apply(manager).await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum People {
    Table,
}
