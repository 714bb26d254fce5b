//! More actions of audit events: patients, bookings, centres, slots.
//!
//! Parent: m20261127_000024_create_idempotency_keys. Date: 2026-11-27.

use revisions::AlterTable;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

const OLD_ACTIONS: [&str; 26] = [
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
];

const NEW_ACTIONS: [&str; 15] = [
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
        set_actions(manager, [OLD_ACTIONS.as_slice(), &NEW_ACTIONS].concat()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        delete_events(manager).await?;
        set_actions(manager, OLD_ACTIONS.to_vec()).await
    }
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
