//! Outbox: mails that have not been sent yet, written in the transaction that triggers them. The text of a mail is
//! rendered when it is sent.

use revisions::{CompositeIndex, TableExtras, enum_values};
use sea_orm::entity::prelude::*;

use crate::MailKind;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: MailKind,
    #[sea_orm(column_type = "String(StringLen::N(254))", indexed)]
    pub recipient: String,
    /// Account that the mail is about; null if it is found by `recipient`, or was deleted.
    #[sea_orm(indexed)]
    pub user_id: Option<Uuid>,
    #[sea_orm(default_value = 0)]
    pub attempts: i32,
    /// Time of the next attempt; while the mail is being sent, time when its claim expires. Null after it was given up.
    pub due_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    /// Hash of the flow of the request, for the code in the mail.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub flow_hash: Option<String>,
    /// What the mail is about: a vaccine request, or an invitation. The mail is about no account then.
    pub object_id: Option<Uuid>,
    /// Slot of the booking or the offer that the mail is about.
    pub slot_id: Option<Uuid>,
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub user: BelongsTo<Option<super::users::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    const INDEXES: &[CompositeIndex] =
        &[CompositeIndex::on(&["due_at", "id"]), CompositeIndex::on(&["object_id"]).filter("object_id IS NOT NULL")];

    fn enum_values() -> Vec<(Column, Vec<String>)> {
        vec![(Column::Kind, enum_values::<MailKind>())]
    }
}
