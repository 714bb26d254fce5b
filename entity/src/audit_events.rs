//! Audit events: action, actor, subject, client and time. Triggers make the table append-only; only the client (IP
//! address and user agent) can be erased.
//!
//! The ids are not foreign keys: an event is kept after its account was deleted, and then identifies nobody.

use revisions::{CompositeIndex, TableExtras, enum_values};
use sea_orm::entity::prelude::*;

use crate::AuditAction;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub action: AuditAction,
    /// Account that performed the action; null for anonymous clients and for operators on the command line.
    pub actor_id: Option<Uuid>,
    /// Account that the action concerns.
    pub subject_id: Option<Uuid>,
    /// Other object of the action, such as a vaccine request or a session.
    pub object_id: Option<Uuid>,
    /// More information, such as the new role.
    #[sea_orm(column_type = "String(StringLen::N(100))", nullable)]
    pub detail: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(45))", nullable)]
    pub ip: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(255))", nullable)]
    pub user_agent: Option<String>,
    pub occurred_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    const INDEXES: &[CompositeIndex] = &[
        CompositeIndex::on(&["subject_id", "id"]),
        CompositeIndex::on(&["actor_id", "id"]),
        CompositeIndex::on(&["action", "id"]),
    ];

    fn enum_values() -> Vec<(Column, Vec<String>)> {
        vec![(Column::Action, enum_values::<AuditAction>())]
    }
}
