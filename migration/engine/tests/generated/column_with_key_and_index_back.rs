//! column with key and index back.
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
        // Decide: existing rows have no value for pets.owner_id; without a default this works on an empty table
        // only.
        // On PostgreSQL, writers of pets and people wait while all rows of pets are checked; if there are many,
        // add the key NOT VALID, and validate it in a later migration.
        AlterTable::table(Pets::Table)
            .add_column(ColumnDef::new(Pets::OwnerId).uuid().not_null())
            .add_foreign_key(
                ForeignKey::create()
                    .name("pets_owner_id_fkey")
                    .from(Pets::Table, Pets::OwnerId)
                    .to(People::Table, People::Id)
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .apply(manager)
            .await?;
        // On PostgreSQL, writers of pets wait while the index is built; if the table is large, create it
        // CONCURRENTLY in a migration without a transaction.
        let index = Index::create().name("pets_owner_id_idx").table(Pets::Table).col(Pets::OwnerId).to_owned();
        manager.create_index(index).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("pets_owner_id_idx").to_owned()).await?;
        // The data of pets.owner_id is lost.
        AlterTable::table(Pets::Table)
            .drop_foreign_key("pets_owner_id_fkey", [Pets::OwnerId])
            .drop_column(Pets::OwnerId)
            .apply(manager)
            .await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum People {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Pets {
    Table,
    OwnerId,
}
