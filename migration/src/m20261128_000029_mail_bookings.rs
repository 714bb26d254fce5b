//! Mails about bookings, offers and invitations, with what they are about; more actions of audit events.
//!
//! Parent: m20261128_000028_create_invitations. Date: 2026-11-28.

use revisions::AlterTable;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

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

const OLD_ACTIONS: [&str; 41] = [
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
    "profile_changed",
    "nid_verified",
    "account_read",
    "contacts_imported",
    "import_undone",
    "feed_created",
    "feed_deleted",
    "patient_read",
    "patient_changed",
    "request_booked",
    "request_moved",
    "request_unbooked",
    "centre_created",
    "centre_changed",
    "centre_staff_added",
    "centre_staff_removed",
    "calendar_created",
    "slot_created",
    "slot_changed",
    "slot_closed",
    "slot_reopened",
    "day_closed",
];

const NEW_ACTIONS: [&str; 3] = ["invitation_created", "invitations_imported", "invitation_revoked"];

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
        set_actions(manager, [OLD_ACTIONS.as_slice(), &NEW_ACTIONS].concat()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        delete_events(manager).await?;
        set_actions(manager, OLD_ACTIONS.to_vec()).await?;
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

async fn set_actions(manager: &SchemaManager<'_>, actions: Vec<&str>) -> Result<(), DbErr> {
    AlterTable::table(AuditEvents::Table)
        .drop_constraint("audit_events_action_check")
        .add_check("audit_events_action_check", Expr::col(AuditEvents::Action).is_in(actions))
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
    ObjectId,
    SlotId,
}
