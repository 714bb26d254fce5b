//! table of every type back.
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
        // The rows of samples are lost.
        manager.drop_table(Table::drop().table(Samples::Table).to_owned()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(samples()).await?;
        Ok(())
    }
}

fn samples() -> TableCreateStatement {
    Table::create()
        .table(Samples::Table)
        .col(ColumnDef::new(Samples::Id).uuid().not_null())
        .col(ColumnDef::new(Samples::Small).small_integer().not_null())
        .col(ColumnDef::new(Samples::Large).integer().not_null().default(9000000000_i64))
        .col(ColumnDef::new(Samples::Thin).float())
        .col(ColumnDef::new(Samples::Wide).double().not_null().default(Expr::cust("1.5")))
        .col(ColumnDef::new(Samples::Exact).decimal_len(12, 4))
        .col(ColumnDef::new(Samples::Free).decimal())
        .col(ColumnDef::new(Samples::Code).char_len(3))
        .col(ColumnDef::new(Samples::Word).string())
        .col(ColumnDef::new(Samples::Day).date())
        .col(ColumnDef::new(Samples::Hour).time())
        .col(ColumnDef::new(Samples::Moment).date_time())
        .col(ColumnDef::new(Samples::Instant).timestamp_with_time_zone())
        .col(ColumnDef::new(Samples::Document).json())
        .col(ColumnDef::new(Samples::BinaryDocument).json_binary())
        .col(ColumnDef::new(Samples::Bytes).blob())
        .col(ColumnDef::new(Samples::Flag).boolean().not_null().default(true))
        .primary_key(Index::create().name("samples_pkey").col(Samples::Id))
        .to_owned()
}

#[derive(DeriveIden)]
enum Samples {
    Table,
    BinaryDocument,
    Bytes,
    Code,
    Day,
    Document,
    Exact,
    Flag,
    Free,
    Hour,
    Id,
    Instant,
    Large,
    Moment,
    Small,
    Thin,
    Wide,
    Word,
}
