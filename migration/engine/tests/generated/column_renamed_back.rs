//! column renamed back.
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
        // The data of people.years is lost.
        // Decide: if people.years was renamed to people.age, use Table::alter().rename_column(…) instead.
        manager
            .alter_table(
                Table::alter().table(People::Table).add_column(ColumnDef::new(People::Age).integer()).to_owned(),
            )
            .await?;
        manager.alter_table(Table::alter().table(People::Table).drop_column(People::Years).to_owned()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The data of people.age is lost.
        // Decide: if people.age was renamed to people.years, use Table::alter().rename_column(…) instead.
        manager
            .alter_table(
                Table::alter().table(People::Table).add_column(ColumnDef::new(People::Years).integer()).to_owned(),
            )
            .await?;
        manager.alter_table(Table::alter().table(People::Table).drop_column(People::Age).to_owned()).await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum People {
    Table,
    Age,
    Years,
}
