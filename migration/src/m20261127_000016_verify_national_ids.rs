//! National ids are claims until staff verify them: `users.nid` is no longer unique, and of the accounts with the same
//! id at most one is verified. All existing ids are unverified.
//!
//! Parent: m20261126_000015_create_quotas. Date: 2026-11-27.

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
        AlterTable::table(Users::Table)
            .drop_unique("users_nid_key", [Users::Nid])
            .add_column(ColumnDef::new(Users::NidKey).string_len(64))
            .add_column(ColumnDef::new(Users::NidVerifiedAt).timestamp_with_time_zone())
            .apply(manager)
            .await?;
        // The key of the application for ASCII: upper case, without separators.
        let key = [" ", "-", ".", "/"].into_iter().fold(Expr::col(Users::Nid), |key, separator| {
            Func::cust("replace").args([key, Expr::value(separator), Expr::value("")]).into()
        });
        let fill = Query::update().table(Users::Table).value(Users::NidKey, Func::upper(key)).to_owned();
        manager.execute(fill).await?;
        let index = Index::create()
            .name("users_nid_key_id_idx")
            .table(Users::Table)
            .col(Users::NidKey)
            .col(Users::Id)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .unique()
            .name("users_nid_key_key")
            .table(Users::Table)
            .col(Users::NidKey)
            .and_where(Expr::cust("nid_verified_at IS NOT NULL"))
            .to_owned();
        manager.create_index(index).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("users_nid_key_id_idx").to_owned()).await?;
        manager.drop_index(Index::drop().name("users_nid_key_key").to_owned()).await?;
        // Ids are unique again: of several accounts with the same one, the verified or else the oldest keeps it.
        manager
            .get_connection()
            .execute_unprepared(
                "UPDATE users SET nid = NULL WHERE nid IS NOT NULL AND EXISTS (SELECT 1 FROM users AS other WHERE \
                 other.nid = users.nid AND other.id <> users.id AND CASE WHEN (other.nid_verified_at IS NULL) = \
                 (users.nid_verified_at IS NULL) THEN other.id < users.id ELSE other.nid_verified_at IS NOT NULL END)",
            )
            .await?;
        AlterTable::table(Users::Table)
            .drop_column(Users::NidKey)
            .drop_column(Users::NidVerifiedAt)
            .add_unique("users_nid_key", [Users::Nid])
            .apply(manager)
            .await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
    Nid,
    NidKey,
    NidVerifiedAt,
}
