//! What was done, by whom, to whom, when and from where. The database lets nobody change or remove a row; only where it
//! came from may be wiped.
//!
//! The ids refer to no table: an event outlives the account, and is then about nobody in particular.

use sea_orm::entity::prelude::*;

use crate::AuditAction;
use crate::schema::{CompositeIndex, TableExtras, enum_values};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
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
