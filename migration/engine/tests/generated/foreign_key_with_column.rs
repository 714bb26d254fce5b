//! foreign key with column.
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
        // On PostgreSQL, writers of pets and people wait while all rows of pets are checked; if there are many,
        // add the key NOT VALID, and validate it in a later migration.
        AlterTable::table(Pets::Table)
            .add_column(ColumnDef::new(Pets::VetId).uuid())
            .add_foreign_key(
                ForeignKey::create()
                    .name("pets_vet_id_fkey")
                    .from(Pets::Table, Pets::VetId)
                    .to(People::Table, People::Id)
                    .on_delete(ForeignKeyAction::SetNull),
            )
            .apply(manager)
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The data of pets.vet_id is lost.
        AlterTable::table(Pets::Table)
            .drop_foreign_key("pets_vet_id_fkey", [Pets::VetId])
            .drop_column(Pets::VetId)
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
    VetId,
}
