//! tables with references back.
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
        // The rows of marks are lost.
        manager.drop_table(Table::drop().table(Marks::Table).to_owned()).await?;
        // The rows of tags are lost.
        manager.drop_table(Table::drop().table(Tags::Table).to_owned()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(tags()).await?;
        manager.create_table(marks()).await?;
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

fn marks() -> TableCreateStatement {
    Table::create()
        .table(Marks::Table)
        .col(ColumnDef::new(Marks::TagId).uuid().not_null())
        .col(ColumnDef::new(Marks::PetId).uuid().not_null())
        .primary_key(Index::create().name("marks_pkey").col(Marks::TagId).col(Marks::PetId))
        .foreign_key(
            ForeignKey::create().name("marks_pet_id_fkey").from(Marks::Table, Marks::PetId).to(Pets::Table, Pets::Id),
        )
        .foreign_key(
            ForeignKey::create().name("marks_tag_id_fkey").from(Marks::Table, Marks::TagId).to(Tags::Table, Tags::Id),
        )
        .to_owned()
}

#[derive(DeriveIden)]
enum Marks {
    Table,
    PetId,
    TagId,
}

#[derive(DeriveIden)]
enum Pets {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Tags {
    Table,
    Id,
    Word,
}
