//! More actions of audit events; mails of the kind `registration_refused` are no longer sent.
//!
//! Parent: m20261127_000016_verify_national_ids. Date: 2026-11-27.

use revisions::AlterTable;
use sea_orm_migration::prelude::*;

use crate::audit_actions;

const KINDS: [&str; 8] = [
    "verify_email",
    "change_email",
    "email_change_asked",
    "email_changed",
    "reset_password",
    "password_changed",
    "already_registered",
    "account_deleted",
];

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        audit_actions::add(manager, 17).await?;
        let refused = Expr::col(Outbox::Kind).eq("registration_refused");
        manager.execute(Query::delete().from_table(Outbox::Table).and_where(refused).to_owned()).await?;
        set_kinds(manager, KINDS.to_vec()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        audit_actions::remove(manager, 17).await?;
        // In the order of m20261121_000006_create_outbox.
        let mut kinds = KINDS.to_vec();
        kinds.insert(7, "registration_refused");
        set_kinds(manager, kinds).await
    }
}

async fn set_kinds(manager: &SchemaManager<'_>, kinds: Vec<&str>) -> Result<(), DbErr> {
    AlterTable::table(Outbox::Table)
        .drop_constraint("outbox_kind_check")
        .add_check("outbox_kind_check", Expr::col(Outbox::Kind).is_in(kinds))
        .apply(manager)
        .await
}

#[derive(DeriveIden)]
enum Outbox {
    Table,
    Kind,
}
