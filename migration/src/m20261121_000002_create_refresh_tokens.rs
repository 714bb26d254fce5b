//! Sessions: one row per log-in, which every refresh updates.
//!
//! Parent: m20261121_000001_create_users. Date: 2026-11-21.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SET NULL keeps the revoked sessions of a deleted account, so that every instance learns of the revocation.
        let mut user = ForeignKey::create();
        user.name("refresh_tokens_user_id_fkey")
            .from(RefreshTokens::Table, RefreshTokens::UserId)
            .to(Users::Table, Users::Id)
            .on_delete(ForeignKeyAction::SetNull);
        let table = Table::create()
            .table(RefreshTokens::Table)
            .col(ColumnDef::new(RefreshTokens::Id).uuid().not_null())
            .col(ColumnDef::new(RefreshTokens::UserId).uuid())
            .col(ColumnDef::new(RefreshTokens::Generation).integer().not_null().default(0))
            .col(ColumnDef::new(RefreshTokens::RotatedAt).timestamp_with_time_zone().not_null())
            .col(ColumnDef::new(RefreshTokens::ExpiresAt).timestamp_with_time_zone().not_null())
            .col(ColumnDef::new(RefreshTokens::RevokedAt).timestamp_with_time_zone())
            .col(ColumnDef::new(RefreshTokens::UserAgent).string_len(255))
            .col(ColumnDef::new(RefreshTokens::Ip).string_len(45))
            .col(ColumnDef::new(RefreshTokens::CreatedAt).timestamp_with_time_zone().not_null())
            .primary_key(Index::create().name("refresh_tokens_pkey").col(RefreshTokens::Id))
            .foreign_key(&mut user)
            .to_owned();
        manager.create_table(table).await?;
        for (name, column) in [
            ("refresh_tokens_user_id_idx", RefreshTokens::UserId),
            ("refresh_tokens_revoked_at_idx", RefreshTokens::RevokedAt),
        ] {
            let index = Index::create().name(name).table(RefreshTokens::Table).col(column).to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(RefreshTokens::Table).to_owned()).await
    }
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum RefreshTokens {
    Table,
    Id,
    UserId,
    Generation,
    RotatedAt,
    ExpiresAt,
    RevokedAt,
    UserAgent,
    Ip,
    CreatedAt,
}
