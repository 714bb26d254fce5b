//! More actions of audit events; mails of the kind `registration_refused` are no longer sent.
//!
//! Parent: m20261127_000016_verify_national_ids. Date: 2026-11-27.

use revisions::AlterTable;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

const OLD_ACTIONS: [&str; 19] = [
    "registered",
    "login_succeeded",
    "login_failed",
    "logged_out",
    "session_ended",
    "refresh_reused",
    "email_verified",
    "email_change_asked",
    "email_changed",
    "password_changed",
    "password_reset",
    "role_changed",
    "user_disabled",
    "user_enabled",
    "request_approved",
    "request_rejected",
    "request_cancelled",
    "data_exported",
    "account_deleted",
];

const NEW_ACTIONS: [&str; 7] = [
    "profile_changed",
    "nid_verified",
    "account_read",
    "contacts_imported",
    "import_undone",
    "feed_created",
    "feed_deleted",
];

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

/// The trigger of m20261121_000007_create_audit_events.
const SQLITE_TRIGGER: &str = "CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events \
     BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        set_actions(manager, [OLD_ACTIONS.as_slice(), &NEW_ACTIONS].concat()).await?;
        let refused = Expr::col(Outbox::Kind).eq("registration_refused");
        manager.execute(Query::delete().from_table(Outbox::Table).and_where(refused).to_owned()).await?;
        set_kinds(manager, KINDS.to_vec()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        delete_events(manager).await?;
        set_actions(manager, OLD_ACTIONS.to_vec()).await?;
        // In the order of m20261121_000006_create_outbox.
        let mut kinds = KINDS.to_vec();
        kinds.insert(7, "registration_refused");
        set_kinds(manager, kinds).await
    }
}

async fn set_actions(manager: &SchemaManager<'_>, actions: Vec<&str>) -> Result<(), DbErr> {
    AlterTable::table(AuditEvents::Table)
        .drop_constraint("audit_events_action_check")
        .add_check("audit_events_action_check", Expr::col(AuditEvents::Action).is_in(actions))
        .apply(manager)
        .await
}

async fn set_kinds(manager: &SchemaManager<'_>, kinds: Vec<&str>) -> Result<(), DbErr> {
    AlterTable::table(Outbox::Table)
        .drop_constraint("outbox_kind_check")
        .add_check("outbox_kind_check", Expr::col(Outbox::Kind).is_in(kinds))
        .apply(manager)
        .await
}

/// Deletes the events of the new actions, which a trigger otherwise forbids.
async fn delete_events(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let db = manager.get_connection();
    let (before, after) = match db.get_database_backend() {
        DbBackend::Sqlite => ("DROP TRIGGER audit_events_no_delete", SQLITE_TRIGGER),
        _ => (
            "ALTER TABLE audit_events DISABLE TRIGGER audit_events_no_delete",
            "ALTER TABLE audit_events ENABLE TRIGGER audit_events_no_delete",
        ),
    };
    db.execute_unprepared(before).await?;
    let new = Expr::col(AuditEvents::Action).is_in(NEW_ACTIONS);
    manager.execute(Query::delete().from_table(AuditEvents::Table).and_where(new).to_owned()).await?;
    db.execute_unprepared(after).await.map(drop)
}

#[derive(DeriveIden)]
enum AuditEvents {
    Table,
    Action,
}

#[derive(DeriveIden)]
enum Outbox {
    Table,
    Kind,
}
