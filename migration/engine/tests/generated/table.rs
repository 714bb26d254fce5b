//! table.
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
        manager.create_table(tags()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The rows of tags are lost.
        manager.drop_table(Table::drop().table(Tags::Table).to_owned()).await?;
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
enum Tags {
    Table,
    Id,
    Word,
}
