//! foreign key to a new table back.
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
        // The data of pets.tag_id is lost.
        AlterTable::table(Pets::Table)
            .drop_foreign_key("pets_tag_id_fkey", [Pets::TagId])
            .drop_column(Pets::TagId)
            .apply(manager)
            .await?;
        // The rows of tags are lost.
        manager.drop_table(Table::drop().table(Tags::Table).to_owned()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(tags()).await?;
        // On PostgreSQL, writers of pets and tags wait while all rows of pets are checked; if there are many, add
        // the key NOT VALID, and validate it in a later migration.
        AlterTable::table(Pets::Table)
            .add_column(ColumnDef::new(Pets::TagId).uuid())
            .add_foreign_key(
                ForeignKey::create().name("pets_tag_id_fkey").from(Pets::Table, Pets::TagId).to(Tags::Table, Tags::Id),
            )
            .apply(manager)
            .await?;
        Ok(())
    }
}

fn tags() -> TableCreateStatement {
    Table::create()
        .table(Tags::Table)
        .col(ColumnDef::new(Tags::Id).uuid().not_null())
        .col(ColumnDef::new(Tags::Word).string_len(40).not_null())
        .primary_key(Index::create().name("tags_pkey").col(Tags::Id))
        .to_owned()
}

#[derive(DeriveIden)]
enum Pets {
    Table,
    TagId,
}

#[derive(DeriveIden)]
enum Tags {
    Table,
    Id,
    Word,
}
