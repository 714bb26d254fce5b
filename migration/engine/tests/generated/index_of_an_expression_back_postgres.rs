//! index of an expression back.
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
        manager.drop_index(Index::drop().name("people_email_idx").to_owned()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // On PostgreSQL, writers of people wait while the index is built; if the table is large, create it
        // CONCURRENTLY in a migration without a transaction.
        manager
            .get_connection()
            .execute_unprepared("CREATE INDEX \"people_email_idx\" ON \"people\" (lower(email))")
            .await?;
        Ok(())
    }
}
