//! columns back.
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
        // The data of people.a is lost.
        // The data of people.b is lost.
        manager.alter_table(Table::alter().table(People::Table).drop_column(People::A).to_owned()).await?;
        manager.alter_table(Table::alter().table(People::Table).drop_column(People::B).to_owned()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(Table::alter().table(People::Table).add_column(ColumnDef::new(People::A).text()).to_owned())
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table(People::Table)
                    .add_column(ColumnDef::new(People::B).integer().not_null().default(0))
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum People {
    Table,
    A,
    B,
}
