//! What was done, by whom, to whom, when and from where. The database lets nobody change or remove a row; only where it
//! came from may be wiped.
//!
//! The ids refer to no table: an event outlives the account, and is then about nobody in particular.

use sea_orm::entity::prelude::*;

use crate::AuditAction;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(
        extra = "CONSTRAINT audit_events_action_check CHECK (action IN ('registered', 'login_succeeded', 'login_failed', 'logged_out', 'session_ended', 'refresh_reused', 'email_verified', 'email_change_asked', 'email_changed', 'password_changed', 'password_reset', 'role_changed', 'user_disabled', 'user_enabled', 'request_approved', 'request_rejected', 'request_cancelled', 'data_exported', 'account_deleted'))"
    )]
    pub action: AuditAction,
    /// Whose account did it; absent for strangers and for operators on the command line.
    pub actor_id: Option<Uuid>,
    /// Whose account it was done to.
    pub subject_id: Option<Uuid>,
    /// What else it was done to, such as a vaccine request or a session.
    pub object_id: Option<Uuid>,
    /// The new role, for instance.
    #[sea_orm(column_type = "String(StringLen::N(100))", nullable)]
    pub detail: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(45))", nullable)]
    pub ip: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(255))", nullable)]
    pub user_agent: Option<String>,
    pub occurred_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
