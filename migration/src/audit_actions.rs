//! Actions of audit events, by the migration that added them.

use revisions::AlterTable;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// The number of a migration, and the actions that it added, in their order.
const ADDED: [(u32, &[&str]); 6] = [
    (
        7,
        &[
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
        ],
    ),
    (
        17,
        &[
            "profile_changed",
            "nid_verified",
            "account_read",
            "contacts_imported",
            "import_undone",
            "feed_created",
            "feed_deleted",
        ],
    ),
    (
        25,
        &[
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
        ],
    ),
    (29, &["invitation_created", "invitations_imported", "invitation_revoked"]),
    (31, &["schedule_put", "dose_reported"]),
    (
        32,
        &[
            "checked_in",
            "walked_in",
            "dose_administered",
            "dose_overridden",
            "dose_entered_in_error",
            "request_missed",
            "request_reopened",
            "arrival_read",
            "lot_created",
            "lot_changed",
            "lot_recalled",
        ],
    ),
];

/// The trigger of m20261121_000007_create_audit_events.
const SQLITE_TRIGGER: &str = "CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events \
     BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END";

/// Allows the actions of a migration.
pub(crate) async fn add(manager: &SchemaManager<'_>, migration: u32) -> Result<(), DbErr> {
    set(manager, |added| added <= migration).await
}

/// Deletes the events with the actions of a migration, which a trigger otherwise forbids, and no longer allows them.
pub(crate) async fn remove(manager: &SchemaManager<'_>, migration: u32) -> Result<(), DbErr> {
    let db = manager.get_connection();
    let (before, after) = match db.get_database_backend() {
        DbBackend::Sqlite => ("DROP TRIGGER audit_events_no_delete", SQLITE_TRIGGER),
        _ => (
            "ALTER TABLE audit_events DISABLE TRIGGER audit_events_no_delete",
            "ALTER TABLE audit_events ENABLE TRIGGER audit_events_no_delete",
        ),
    };
    db.execute_unprepared(before).await?;
    let added = Expr::col(AuditEvents::Action).is_in(actions(|added| added == migration));
    manager.execute(Query::delete().from_table(AuditEvents::Table).and_where(added).to_owned()).await?;
    db.execute_unprepared(after).await?;
    set(manager, |added| added < migration).await
}

async fn set(manager: &SchemaManager<'_>, is_allowed: impl Fn(u32) -> bool) -> Result<(), DbErr> {
    let allowed = Expr::col(AuditEvents::Action).is_in(actions(is_allowed));
    AlterTable::table(AuditEvents::Table)
        .drop_constraint("audit_events_action_check")
        .add_check("audit_events_action_check", allowed)
        .apply(manager)
        .await
}

fn actions(is_wanted: impl Fn(u32) -> bool) -> Vec<&'static str> {
    ADDED.iter().filter(|(migration, _)| is_wanted(*migration)).flat_map(|(_, actions)| *actions).copied().collect()
}

#[derive(DeriveIden)]
enum AuditEvents {
    Table,
    Action,
}
