//! table with odd names back.
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
        // The rows of order are lost.
        manager.drop_table(Table::drop().table(Order::Table).to_owned()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(order()).await?;
        Ok(())
    }
}

fn order() -> TableCreateStatement {
    Table::create()
        .table(Order::Table)
        .col(ColumnDef::new(Order::Id).uuid().not_null())
        .col(ColumnDef::new(Order::TableNumber2).string_len(10))
        .col(ColumnDef::new(Order::SelfColumn).string_len(10))
        .col(ColumnDef::new(Order::CamelCase).integer())
        .col(ColumnDef::new(Order::WithSpace).integer().not_null().default(-1))
        .col(ColumnDef::new(Order::Line2).text())
        .col(ColumnDef::new(Order::N2fa).boolean())
        .col(ColumnDef::new(Order::H1N1).boolean())
        .col(ColumnDef::new(Order::B12C).integer())
        .primary_key(Index::create().name("order_pkey").col(Order::Id))
        .check(Check::named("order_CamelCase_check", Expr::cust("\"CamelCase\" > 0")))
        .to_owned()
}

#[derive(DeriveIden)]
enum Order {
    Table,
    #[sea_orm(iden = "2fa")]
    N2fa,
    #[sea_orm(iden = "CamelCase")]
    CamelCase,
    #[sea_orm(iden = "b12_c")]
    B12C,
    #[sea_orm(iden = "h1_n1")]
    H1N1,
    Id,
    #[sea_orm(iden = "line_2")]
    Line2,
    #[sea_orm(iden = "self")]
    SelfColumn,
    #[sea_orm(iden = "table")]
    TableNumber2,
    #[sea_orm(iden = "with space")]
    WithSpace,
}
