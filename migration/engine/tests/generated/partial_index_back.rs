//! partial index back.
//!
//! Parent: none. Date: 2026-11-21.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("people_name_idx").to_owned()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // On PostgreSQL, writers of people wait while the index is built; if the table is large, create it
        // CONCURRENTLY in a migration without a transaction.
        let index = Index::create()
            .name("people_name_idx")
            .table(People::Table)
            .col(People::Name)
            .and_where(Expr::col(People::Status).is_in(["active", "gone"]))
            .to_owned();
        manager.create_index(index).await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum People {
    Table,
    Name,
    Status,
}
