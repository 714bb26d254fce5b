//! tables in a cycle back.
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
        AlterTable::table(Eggs::Table).drop_foreign_key("eggs_hen_id_fkey", [Eggs::HenId]).apply(manager).await?;
        // The rows of hens are lost.
        manager.drop_table(Table::drop().table(Hens::Table).to_owned()).await?;
        // The rows of eggs are lost.
        manager.drop_table(Table::drop().table(Eggs::Table).to_owned()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(eggs()).await?;
        manager.create_table(hens()).await?;
        AlterTable::table(Eggs::Table)
            .add_foreign_key(
                ForeignKey::create().name("eggs_hen_id_fkey").from(Eggs::Table, Eggs::HenId).to(Hens::Table, Hens::Id),
            )
            .apply(manager)
            .await?;
        Ok(())
    }
}

fn eggs() -> TableCreateStatement {
    Table::create()
        .table(Eggs::Table)
        .col(ColumnDef::new(Eggs::Id).uuid().not_null())
        .col(ColumnDef::new(Eggs::HenId).uuid())
        .primary_key(Index::create().name("eggs_pkey").col(Eggs::Id))
        .to_owned()
}

fn hens() -> TableCreateStatement {
    Table::create()
        .table(Hens::Table)
        .col(ColumnDef::new(Hens::Id).uuid().not_null())
        .col(ColumnDef::new(Hens::EggId).uuid())
        .primary_key(Index::create().name("hens_pkey").col(Hens::Id))
        .foreign_key(
            ForeignKey::create().name("hens_egg_id_fkey").from(Hens::Table, Hens::EggId).to(Eggs::Table, Eggs::Id),
        )
        .to_owned()
}

#[derive(DeriveIden)]
enum Eggs {
    Table,
    HenId,
    Id,
}

#[derive(DeriveIden)]
enum Hens {
    Table,
    EggId,
    Id,
}
