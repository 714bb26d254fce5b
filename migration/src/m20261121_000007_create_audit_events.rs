//! Audit events: action, actor, subject, client and time. Triggers make the table append-only.
//!
//! Parent: m20261121_000006_create_outbox. Date: 2026-11-21.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

/// Append-only: no row can be deleted, and only `ip` and `user_agent` can be set to null, when an account is deleted.
const SQLITE_TRIGGERS: [&str; 2] = [
    "CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events \
     BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END",
    "CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events \
     WHEN NEW.ip IS NOT NULL OR NEW.user_agent IS NOT NULL OR NEW.id IS NOT OLD.id OR NEW.action IS NOT OLD.action \
     OR NEW.actor_id IS NOT OLD.actor_id OR NEW.subject_id IS NOT OLD.subject_id \
     OR NEW.object_id IS NOT OLD.object_id OR NEW.detail IS NOT OLD.detail OR NEW.occurred_at IS NOT OLD.occurred_at \
     BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END",
];

/// OR REPLACE, because `fresh` drops the tables but not the functions.
const POSTGRES_TRIGGERS: [&str; 3] = [
    "CREATE OR REPLACE FUNCTION audit_events_refuse() RETURNS trigger LANGUAGE plpgsql AS \
     $$ BEGIN RAISE EXCEPTION 'audit_events is append-only'; END $$",
    "CREATE TRIGGER audit_events_no_delete BEFORE DELETE OR TRUNCATE ON audit_events \
     FOR EACH STATEMENT EXECUTE FUNCTION audit_events_refuse()",
    "CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events FOR EACH ROW \
     WHEN (NEW.ip IS NOT NULL OR NEW.user_agent IS NOT NULL \
     OR (NEW.id, NEW.action, NEW.actor_id, NEW.subject_id, NEW.object_id, NEW.detail, NEW.occurred_at) \
     IS DISTINCT FROM (OLD.id, OLD.action, OLD.actor_id, OLD.subject_id, OLD.object_id, OLD.detail, OLD.occurred_at)) \
     EXECUTE FUNCTION audit_events_refuse()",
];

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(table()).await?;
        for (name, column) in [
            ("audit_events_subject_id_id_idx", AuditEvents::SubjectId),
            ("audit_events_actor_id_id_idx", AuditEvents::ActorId),
            ("audit_events_action_id_idx", AuditEvents::Action),
        ] {
            let index =
                Index::create().name(name).table(AuditEvents::Table).col(column).col(AuditEvents::Id).to_owned();
            manager.create_index(index).await?;
        }
        let db = manager.get_connection();
        let triggers: &[&str] = match db.get_database_backend() {
            DbBackend::Sqlite => &SQLITE_TRIGGERS,
            _ => &POSTGRES_TRIGGERS,
        };
        for trigger in triggers {
            db.execute_unprepared(trigger).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(AuditEvents::Table).to_owned()).await?;
        let db = manager.get_connection();
        if db.get_database_backend() == DbBackend::Postgres {
            db.execute_unprepared("DROP FUNCTION audit_events_refuse()").await?;
        }
        Ok(())
    }
}

fn table() -> TableCreateStatement {
    let actions = [
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
    Table::create()
        .table(AuditEvents::Table)
        .col(ColumnDef::new(AuditEvents::Id).uuid().not_null())
        .col(ColumnDef::new(AuditEvents::Action).string_len(32).not_null())
        .col(ColumnDef::new(AuditEvents::ActorId).uuid())
        .col(ColumnDef::new(AuditEvents::SubjectId).uuid())
        .col(ColumnDef::new(AuditEvents::ObjectId).uuid())
        .col(ColumnDef::new(AuditEvents::Detail).string_len(100))
        .col(ColumnDef::new(AuditEvents::Ip).string_len(45))
        .col(ColumnDef::new(AuditEvents::UserAgent).string_len(255))
        .col(ColumnDef::new(AuditEvents::OccurredAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("audit_events_pkey").col(AuditEvents::Id))
        .check(Check::named("audit_events_action_check", Expr::col(AuditEvents::Action).is_in(actions)))
        .to_owned()
}

#[derive(DeriveIden)]
enum AuditEvents {
    Table,
    Id,
    Action,
    ActorId,
    SubjectId,
    ObjectId,
    Detail,
    Ip,
    UserAgent,
    OccurredAt,
}
