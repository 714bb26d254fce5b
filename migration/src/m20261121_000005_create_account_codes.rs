//! Codes and reset tokens that can be used: at most one per account and purpose.
//!
//! Parent: m20261121_000004_create_vaccine_requests. Date: 2026-11-21.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let purposes = ["verify_email", "change_email", "reset_password", "set_password"];
        let attempts = Expr::col(AccountCodes::Attempts).gte(0).and(Expr::col(AccountCodes::Attempts).lte(5));
        let mut user = ForeignKey::create();
        user.name("account_codes_user_id_fkey")
            .from(AccountCodes::Table, AccountCodes::UserId)
            .to(Users::Table, Users::Id)
            .on_delete(ForeignKeyAction::Cascade);
        let mut key = Index::create();
        key.name("account_codes_pkey").col(AccountCodes::UserId).col(AccountCodes::Purpose);
        let table = Table::create()
            .table(AccountCodes::Table)
            .col(ColumnDef::new(AccountCodes::UserId).uuid().not_null())
            .col(ColumnDef::new(AccountCodes::Purpose).string_len(16).not_null())
            .col(ColumnDef::new(AccountCodes::Email).string_len(254).not_null())
            .col(ColumnDef::new(AccountCodes::CodeHash).string_len(64))
            .col(ColumnDef::new(AccountCodes::Attempts).integer().not_null().default(0))
            .col(ColumnDef::new(AccountCodes::ExpiresAt).timestamp_with_time_zone().not_null())
            .col(ColumnDef::new(AccountCodes::CreatedAt).timestamp_with_time_zone().not_null())
            .primary_key(&mut key)
            .foreign_key(&mut user)
            .check(Check::named("account_codes_purpose_check", Expr::col(AccountCodes::Purpose).is_in(purposes)))
            .check(Check::named("account_codes_attempts_check", attempts))
            .to_owned();
        manager.create_table(table).await?;
        let expiry = Index::create()
            .name("account_codes_expires_at_idx")
            .table(AccountCodes::Table)
            .col(AccountCodes::ExpiresAt)
            .to_owned();
        manager.create_index(expiry).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(AccountCodes::Table).to_owned()).await
    }
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum AccountCodes {
    Table,
    UserId,
    Purpose,
    Email,
    CodeHash,
    Attempts,
    ExpiresAt,
    CreatedAt,
}
