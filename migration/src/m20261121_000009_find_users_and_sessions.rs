//! Search column and indexes: users by text and by role, sessions by user and by expiry (for the clean-up).
//!
//! Parent: m20261121_000008_create_throttles. Date: 2026-11-21.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let search_text = ColumnDef::new(Users::SearchText).text().not_null().default("").to_owned();
        manager.alter_table(Table::alter().table(Users::Table).add_column(search_text).to_owned()).await?;
        // The database's lower() is sufficient until the profile is next updated, which stores the folded text.
        let folded = Func::lower(Expr::cust("name || ' ' || email"));
        let fill = Query::update().table(Users::Table).value(Users::SearchText, folded).to_owned();
        manager.execute(fill).await?;
        let by_role =
            Index::create().name("users_role_id_idx").table(Users::Table).col(Users::Role).col(Users::Id).to_owned();
        manager.create_index(by_role).await?;

        for (old, new, column) in [
            ("refresh_tokens_user_id_idx", "refresh_tokens_user_id_id_idx", RefreshTokens::UserId),
            ("refresh_tokens_revoked_at_idx", "refresh_tokens_revoked_at_id_idx", RefreshTokens::RevokedAt),
        ] {
            manager.drop_index(Index::drop().name(old).to_owned()).await?;
            let wider =
                Index::create().name(new).table(RefreshTokens::Table).col(column).col(RefreshTokens::Id).to_owned();
            manager.create_index(wider).await?;
        }
        let by_end = Index::create()
            .name("refresh_tokens_expires_at_idx")
            .table(RefreshTokens::Table)
            .col(RefreshTokens::ExpiresAt)
            .to_owned();
        manager.create_index(by_end).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("refresh_tokens_expires_at_idx").to_owned()).await?;
        for (new, old, column) in [
            ("refresh_tokens_user_id_id_idx", "refresh_tokens_user_id_idx", RefreshTokens::UserId),
            ("refresh_tokens_revoked_at_id_idx", "refresh_tokens_revoked_at_idx", RefreshTokens::RevokedAt),
        ] {
            manager.drop_index(Index::drop().name(new).to_owned()).await?;
            let index = Index::create().name(old).table(RefreshTokens::Table).col(column).to_owned();
            manager.create_index(index).await?;
        }
        manager.drop_index(Index::drop().name("users_role_id_idx").to_owned()).await?;
        manager.alter_table(Table::alter().table(Users::Table).drop_column(Users::SearchText).to_owned()).await
    }
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
    Role,
    SearchText,
}

#[derive(DeriveIden)]
enum RefreshTokens {
    Table,
    Id,
    UserId,
    RevokedAt,
    ExpiresAt,
}
