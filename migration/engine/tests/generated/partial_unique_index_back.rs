//! partial unique index back.
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
        manager.drop_index(Index::drop().name("people_email_key").to_owned()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // This fails if rows of people have the same email.
        // On PostgreSQL, writers of people wait while the index is built; if the table is large, create it
        // CONCURRENTLY in a migration without a transaction.
        let index = Index::create()
            .unique()
            .name("people_email_key")
            .table(People::Table)
            .col(People::Email)
            .and_where(Expr::cust("age IS NOT NULL"))
            .to_owned();
        manager.create_index(index).await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum People {
    Table,
    Email,
}
