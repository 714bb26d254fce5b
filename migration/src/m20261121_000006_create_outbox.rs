//! Outbox: mails that have not been sent yet.
//!
//! Parent: m20261121_000005_create_account_codes. Date: 2026-11-21.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let kinds = [
            "verify_email",
            "change_email",
            "email_change_asked",
            "email_changed",
            "reset_password",
            "password_changed",
            "already_registered",
            "registration_refused",
            "account_deleted",
        ];
        // Deleting an account deletes its mails.
        let mut user = ForeignKey::create();
        user.name("outbox_user_id_fkey")
            .from(Outbox::Table, Outbox::UserId)
            .to(Users::Table, Users::Id)
            .on_delete(ForeignKeyAction::Cascade);
        let table = Table::create()
            .table(Outbox::Table)
            .col(ColumnDef::new(Outbox::Id).uuid().not_null())
            .col(ColumnDef::new(Outbox::Kind).string_len(32).not_null())
            .col(ColumnDef::new(Outbox::Recipient).string_len(254).not_null())
            .col(ColumnDef::new(Outbox::UserId).uuid())
            .col(ColumnDef::new(Outbox::Attempts).integer().not_null().default(0))
            .col(ColumnDef::new(Outbox::DueAt).timestamp_with_time_zone())
            .col(ColumnDef::new(Outbox::CreatedAt).timestamp_with_time_zone().not_null())
            .primary_key(Index::create().name("outbox_pkey").col(Outbox::Id))
            .foreign_key(&mut user)
            .check(Check::named("outbox_kind_check", Expr::col(Outbox::Kind).is_in(kinds)))
            .to_owned();
        manager.create_table(table).await?;
        for (name, column) in [("outbox_recipient_idx", Outbox::Recipient), ("outbox_user_id_idx", Outbox::UserId)] {
            let index = Index::create().name(name).table(Outbox::Table).col(column).to_owned();
            manager.create_index(index).await?;
        }
        let due = Index::create()
            .name("outbox_due_at_id_idx")
            .table(Outbox::Table)
            .col(Outbox::DueAt)
            .col(Outbox::Id)
            .to_owned();
        manager.create_index(due).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Outbox::Table).to_owned()).await
    }
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Outbox {
    Table,
    Id,
    Kind,
    Recipient,
    UserId,
    Attempts,
    DueAt,
    CreatedAt,
}
