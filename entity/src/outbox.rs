//! Mails waiting to be sent, each written in the transaction that causes it. What a mail says is made when it leaves.

use sea_orm::entity::prelude::*;

use crate::MailKind;
use crate::schema::{CompositeIndex, TableExtras, enum_values};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: MailKind,
    #[sea_orm(column_type = "String(StringLen::N(254))", indexed)]
    pub recipient: String,
    /// Whom it is about; absent when that has to be looked up by the address, or is gone.
    #[sea_orm(indexed)]
    pub user_id: Option<Uuid>,
    #[sea_orm(default_value = 0)]
    pub attempts: i32,
    /// When it may be tried next; while it is being sent, when another may take it over. Absent once it is given up.
    pub due_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub user: BelongsTo<Option<super::users::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    const INDEXES: &[CompositeIndex] = &[CompositeIndex::on(&["due_at", "id"])];

    fn enum_values() -> Vec<(Column, Vec<String>)> {
        vec![(Column::Kind, enum_values::<MailKind>())]
    }
}
