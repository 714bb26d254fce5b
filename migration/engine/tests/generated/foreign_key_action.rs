//! foreign key action.
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
            .drop_foreign_key("pets_owner_id_fkey", [Pets::OwnerId])
            .add_foreign_key(
                ForeignKey::create()
                    .name("pets_owner_id_fkey")
                    .from(Pets::Table, Pets::OwnerId)
                    .to(People::Table, People::Id)
                    .on_delete(ForeignKeyAction::Restrict),
            )
            .apply(manager)
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // On PostgreSQL, writers of pets and people wait while all rows of pets are checked; if there are many,
        // add the key NOT VALID, and validate it in a later migration.
        AlterTable::table(Pets::Table)
            .drop_foreign_key("pets_owner_id_fkey", [Pets::OwnerId])
            .add_foreign_key(
                ForeignKey::create()
                    .name("pets_owner_id_fkey")
                    .from(Pets::Table, Pets::OwnerId)
                    .to(People::Table, People::Id)
                    .on_delete(ForeignKeyAction::Cascade),
            )
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
