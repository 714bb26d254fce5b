//! table with auto increment back.
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
        // The rows of tickets are lost.
        manager.drop_table(Table::drop().table(Tickets::Table).to_owned()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(tickets()).await?;
        Ok(())
    }
}

fn tickets() -> TableCreateStatement {
    Table::create()
        .table(Tickets::Table)
        .col(ColumnDef::new(Tickets::Id).integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new(Tickets::Subject).text().not_null())
        .to_owned()
}

#[derive(DeriveIden)]
enum Tickets {
    Table,
    Id,
    Subject,
}
