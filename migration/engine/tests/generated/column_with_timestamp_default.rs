//! column with timestamp default.
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
        AlterTable::table(People::Table)
            .add_column(
                ColumnDef::new(People::SeenAt).timestamp_with_time_zone().not_null().default(Expr::current_timestamp()),
            )
            .apply(manager)
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The data of people.seen_at is lost.
        manager.alter_table(Table::alter().table(People::Table).drop_column(People::SeenAt).to_owned()).await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum People {
    Table,
    SeenAt,
}
