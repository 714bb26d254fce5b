//! index over other columns.
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
        manager.drop_index(Index::drop().name("pets_owner_id_idx").to_owned()).await?;
        // On PostgreSQL, writers of pets wait while the index is built; if the table is large, create it
        // CONCURRENTLY in a migration without a transaction.
        let index =
            Index::create().name("pets_owner_id_idx").table(Pets::Table).col(Pets::OwnerId).col(Pets::Name).to_owned();
        manager.create_index(index).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("pets_owner_id_idx").to_owned()).await?;
        // On PostgreSQL, writers of pets wait while the index is built; if the table is large, create it
        // CONCURRENTLY in a migration without a transaction.
        let index = Index::create().name("pets_owner_id_idx").table(Pets::Table).col(Pets::OwnerId).to_owned();
        manager.create_index(index).await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum Pets {
    Table,
    Name,
    OwnerId,
}
