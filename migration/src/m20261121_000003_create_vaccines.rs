//! Vaccines: the catalogue.
//!
//! Parent: m20261121_000002_create_refresh_tokens. Date: 2026-11-21.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let doses = Expr::col(Vaccines::Doses).gte(1);
        let interval = Expr::col(Vaccines::MinIntervalDays).gte(0);
        let min_age = Expr::col(Vaccines::MinAgeMonths).gte(0);
        let max_age = Expr::col(Vaccines::MaxAgeMonths).gte(Expr::col(Vaccines::MinAgeMonths));
        let table = Table::create()
            .table(Vaccines::Table)
            .col(ColumnDef::new(Vaccines::Id).uuid().not_null())
            .col(ColumnDef::new(Vaccines::Code).string_len(32).not_null())
            .col(ColumnDef::new(Vaccines::Name).string_len(200).not_null())
            .col(ColumnDef::new(Vaccines::Manufacturer).string_len(200).not_null())
            .col(ColumnDef::new(Vaccines::Doses).integer().not_null())
            .col(ColumnDef::new(Vaccines::MinIntervalDays).integer().not_null().default(0))
            .col(ColumnDef::new(Vaccines::MinAgeMonths).integer())
            .col(ColumnDef::new(Vaccines::MaxAgeMonths).integer())
            .col(ColumnDef::new(Vaccines::Active).boolean().not_null().default(true))
            .primary_key(Index::create().name("vaccines_pkey").col(Vaccines::Id))
            .index(Index::create().unique().name("vaccines_code_key").col(Vaccines::Code))
            .check(Check::named("vaccines_doses_check", doses))
            .check(Check::named("vaccines_min_interval_days_check", interval))
            .check(Check::named("vaccines_min_age_months_check", min_age))
            .check(Check::named("vaccines_max_age_months_check", max_age))
            .to_owned();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Vaccines::Table).to_owned()).await
    }
}

#[derive(DeriveIden)]
enum Vaccines {
    Table,
    Id,
    Code,
    Name,
    Manufacturer,
    Doses,
    MinIntervalDays,
    MinAgeMonths,
    MaxAgeMonths,
    Active,
}
