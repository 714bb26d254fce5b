//! foreign key to itself back.
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
        // The data of people.parent_id is lost.
        AlterTable::table(People::Table)
            .drop_foreign_key("people_parent_id_fkey", [People::ParentId])
            .drop_column(People::ParentId)
            .apply(manager)
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // On PostgreSQL, writers of people wait while all rows of people are checked; if there are many, add the
        // key NOT VALID, and validate it in a later migration.
        AlterTable::table(People::Table)
            .add_column(ColumnDef::new(People::ParentId).uuid())
            .add_foreign_key(
                ForeignKey::create()
                    .name("people_parent_id_fkey")
                    .from(People::Table, People::ParentId)
                    .to(People::Table, People::Id),
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
    ParentId,
}
