//! Mails about bookings, offers and invitations, with what they are about; more actions of audit events.
//!
//! Parent: m20261128_000028_create_invitations. Date: 2026-11-28.

use revisions::AlterTable;
use sea_orm_migration::prelude::*;

use crate::audit_actions;

const OLD_KINDS: [&str; 8] = [
    "verify_email",
    "change_email",
    "email_change_asked",
    "email_changed",
    "reset_password",
    "password_changed",
    "already_registered",
    "account_deleted",
];

const NEW_KINDS: [&str; 8] = ["booked", "moved", "unbooked", "closed", "offer", "offer_over", "reminder", "invitation"];

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        AlterTable::table(Outbox::Table)
            .add_column(ColumnDef::new(Outbox::ObjectId).uuid())
            .add_column(ColumnDef::new(Outbox::SlotId).uuid())
            .drop_constraint("outbox_kind_check")
            .add_check("outbox_kind_check", is_kind([OLD_KINDS, NEW_KINDS].concat()))
            .apply(manager)
            .await?;
        let object = Index::create()
            .name("outbox_object_id_idx")
            .table(Outbox::Table)
            .col(Outbox::ObjectId)
            .and_where(Expr::cust("object_id IS NOT NULL"))
            .to_owned();
        manager.create_index(object).await?;
        audit_actions::add(manager, 29).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        audit_actions::remove(manager, 29).await?;
        let new = is_kind(NEW_KINDS.to_vec());
        manager.execute(Query::delete().from_table(Outbox::Table).and_where(new).to_owned()).await?;
        manager.drop_index(Index::drop().name("outbox_object_id_idx").to_owned()).await?;
        AlterTable::table(Outbox::Table)
            .drop_constraint("outbox_kind_check")
            .add_check("outbox_kind_check", is_kind(OLD_KINDS.to_vec()))
            .drop_column(Outbox::ObjectId)
            .drop_column(Outbox::SlotId)
            .apply(manager)
            .await
    }
}

fn is_kind(kinds: Vec<&str>) -> Expr {
    Expr::col(Outbox::Kind).is_in(kinds)
}

#[derive(DeriveIden)]
enum Outbox {
    Table,
    Kind,
    ObjectId,
    SlotId,
}
