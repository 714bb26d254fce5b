//! Birthday feeds, at a URL with a secret for calendar programs, and the time zone of a user.
//!
//! Parent: m20261121_000012_requests_for_contacts. Date: 2026-11-21.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut user = ForeignKey::create();
        user.name("calendar_feeds_user_id_fkey")
            .from(CalendarFeeds::Table, CalendarFeeds::UserId)
            .to(Users::Table, Users::Id)
            .on_delete(ForeignKeyAction::Cascade);
        let table = Table::create()
            .table(CalendarFeeds::Table)
            .col(ColumnDef::new(CalendarFeeds::UserId).uuid().not_null())
            .col(ColumnDef::new(CalendarFeeds::SecretHash).string_len(64).not_null())
            .col(ColumnDef::new(CalendarFeeds::CreatedAt).timestamp_with_time_zone().not_null())
            .primary_key(Index::create().name("calendar_feeds_pkey").col(CalendarFeeds::UserId))
            .index(Index::create().unique().name("calendar_feeds_secret_hash_key").col(CalendarFeeds::SecretHash))
            .foreign_key(&mut user)
            .to_owned();
        manager.create_table(table).await?;
        let time_zone = ColumnDef::new(Users::TimeZone).string_len(64).to_owned();
        manager.alter_table(Table::alter().table(Users::Table).add_column(time_zone).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table(Users::Table).drop_column(Users::TimeZone).to_owned()).await?;
        manager.drop_table(Table::drop().table(CalendarFeeds::Table).to_owned()).await
    }
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
    TimeZone,
}

#[derive(DeriveIden)]
enum CalendarFeeds {
    Table,
    UserId,
    SecretHash,
    CreatedAt,
}
