//! column of json back.
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
        // The data of pets.traits is lost.
        manager.alter_table(Table::alter().table(Pets::Table).drop_column(Pets::Traits).to_owned()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter().table(Pets::Table).add_column(ColumnDef::new(Pets::Traits).json_binary()).to_owned(),
            )
            .await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum Pets {
    Table,
    Traits,
}
