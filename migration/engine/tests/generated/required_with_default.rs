//! required with default.
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
        // On PostgreSQL, readers and writers of people wait while its rows are read; if there are many, add and
        // validate a CHECK (age IS NOT NULL) first.
        let filled = Query::update()
            .table(People::Table)
            .value(People::Age, 18)
            .and_where(Expr::col(People::Age).is_null())
            .to_owned();
        manager.execute(filled).await?;
        AlterTable::table(People::Table).set_not_null(People::Age).set_default(People::Age, 18).apply(manager).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        AlterTable::table(People::Table).drop_default(People::Age).drop_not_null(People::Age).apply(manager).await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum People {
    Table,
    Age,
}
