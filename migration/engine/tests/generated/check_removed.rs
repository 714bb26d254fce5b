//! check removed.
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
        AlterTable::table(Pets::Table).drop_constraint("pets_legs_check").apply(manager).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // This fails if rows of pets violate pets_legs_check.
        // On PostgreSQL, readers and writers of pets wait while its rows are checked; if there are many, add the
        // CHECK NOT VALID, and validate it in a later migration.
        AlterTable::table(Pets::Table).add_check("pets_legs_check", Expr::cust("legs >= 0")).apply(manager).await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum Pets {
    Table,
}
