//! Accounts: patients, staff and admins.
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
        let role = Expr::col(Users::Role).is_in(["patient", "staff", "admin"]);
        let table = Table::create()
            .table(Users::Table)
            .col(ColumnDef::new(Users::Id).uuid().not_null())
            .col(ColumnDef::new(Users::Name).string_len(200).not_null())
            .col(ColumnDef::new(Users::Email).string_len(254).not_null())
            .col(ColumnDef::new(Users::PasswordHash).string_len(255).not_null())
            .col(ColumnDef::new(Users::Role).string_len(16).not_null().default("patient"))
            .col(ColumnDef::new(Users::Nid).string_len(64))
            .col(ColumnDef::new(Users::PhoneNumber).string_len(32))
            .col(ColumnDef::new(Users::Address).string_len(500))
            .col(ColumnDef::new(Users::BirthDate).date())
            .col(ColumnDef::new(Users::EmailVerifiedAt).timestamp_with_time_zone())
            .col(ColumnDef::new(Users::DisabledAt).timestamp_with_time_zone())
            .col(ColumnDef::new(Users::CreatedAt).timestamp_with_time_zone().not_null())
            .col(ColumnDef::new(Users::UpdatedAt).timestamp_with_time_zone().not_null())
            .primary_key(Index::create().name("users_pkey").col(Users::Id))
            .index(Index::create().unique().name("users_email_key").col(Users::Email))
            .index(Index::create().unique().name("users_nid_key").col(Users::Nid))
            .check(Check::named("users_role_check", role))
            .to_owned();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Users::Table).to_owned()).await
    }
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
    Name,
    Email,
    PasswordHash,
    Role,
    Nid,
    PhoneNumber,
    Address,
    BirthDate,
    EmailVerifiedAt,
    DisabledAt,
    CreatedAt,
    UpdatedAt,
}
