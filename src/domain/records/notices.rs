//! Notices in the outbox: mails about a booking, an offer or an invitation. They name what they are about, but no account:
//! a foreign key would lock the account, which comes before all other rows in the order of locks.

use chrono::{DateTime, Utc};
use entity::MailKind;
use entity::outbox::{ActiveModel, Column, Entity, Model};
use sea_orm::sea_query::{Expr, InsertStatement, Query, SelectStatement, Value};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use uuid::Uuid;

use crate::error::Result;

/// Rows that one statement inserts, reads or deletes.
const BATCH: usize = 500;

/// The columns of a notice, in the order of [`Notice::row`].
const COLUMNS: [Column; 8] = [
    Column::Recipient,
    Column::Id,
    Column::Kind,
    Column::Attempts,
    Column::DueAt,
    Column::CreatedAt,
    Column::ObjectId,
    Column::SlotId,
];

/// A notice without its recipient.
#[derive(Clone, Copy, Debug)]
pub(in crate::domain) struct Notice {
    id: Uuid,
    kind: MailKind,
    object_id: Uuid,
    slot_id: Option<Uuid>,
    due_at: DateTime<Utc>,
}

impl Notice {
    /// A notice about a vaccine request and a slot, or about an invitation, to be sent from `due_at` on.
    pub(in crate::domain) fn new(
        kind: MailKind,
        object_id: Uuid,
        slot_id: Option<Uuid>,
        due_at: DateTime<Utc>,
    ) -> Self {
        Self { id: Uuid::now_v7(), kind, object_id, slot_id, due_at }
    }

    /// The values of the row without the recipient. `created_at` is the time from which the notice is sent: sending is
    /// given up when a mail is old, and a reminder may be stored months before.
    pub(in crate::domain) fn values(self) -> [Value; 7] {
        [
            self.id.into(),
            self.kind.into(),
            0.into(),
            self.due_at.into(),
            self.due_at.into(),
            self.object_id.into(),
            self.slot_id.into(),
        ]
    }

    /// The row for [`insert_rows`], with the recipient that a query reads.
    pub(in crate::domain) fn row(self, recipient: Expr) -> impl Iterator<Item = Expr> {
        std::iter::once(recipient).chain(self.values().into_iter().map(Expr::value))
    }

    fn to(self, recipient: String) -> ActiveModel {
        ActiveModel {
            id: Set(self.id),
            kind: Set(self.kind),
            recipient: Set(recipient),
            user_id: Set(None),
            attempts: Set(0),
            due_at: Set(Some(self.due_at)),
            created_at: Set(self.due_at),
            flow_hash: Set(None),
            object_id: Set(Some(self.object_id)),
            slot_id: Set(self.slot_id),
        }
    }
}

/// INSERT of the notices that a query returns as [rows](Notice::row).
pub(in crate::domain) fn insert_rows(rows: SelectStatement) -> InsertStatement {
    let mut insert = Query::insert();
    insert.into_table(Entity).columns(COLUMNS);
    // Fails only for another number of columns.
    insert.select_from(rows).ok();
    insert
}

/// Adds notices with their recipients, in the transaction of the operation that causes them.
pub(in crate::domain) async fn add_all(
    transaction: &impl ConnectionTrait,
    notices: impl IntoIterator<Item = (Notice, String)>,
) -> Result<()> {
    let rows: Vec<_> = notices.into_iter().map(|(notice, recipient)| notice.to(recipient)).collect();
    for rows in rows.chunks(BATCH) {
        Entity::insert_many(rows.to_vec()).exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// Whether there is a newer unsent notice of the same kind about the same object and slot, which replaces this one. So
/// somebody who books a slot again gets one reminder.
pub(in crate::domain) async fn is_replaced(db: &impl ConnectionTrait, notice: &Model) -> Result<bool> {
    let newer = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::ObjectId.eq(notice.object_id))
        .filter(Column::SlotId.eq(notice.slot_id))
        .filter(Column::Kind.eq(notice.kind))
        .filter(Column::Id.gt(notice.id))
        .filter(Column::DueAt.is_not_null());
    Ok(newer.into_tuple::<Uuid>().one(db).await?.is_some())
}

/// Deletes the unsent notices about vaccine requests, in the transaction that deletes these. Returns their number.
pub(in crate::domain) async fn delete_about(transaction: &impl ConnectionTrait, objects: &[Uuid]) -> Result<u64> {
    let mut deleted = 0;
    for objects in objects.chunks(BATCH) {
        let about = Entity::delete_many().filter(Column::ObjectId.is_in(objects.iter().copied()));
        deleted += about.exec(transaction).await?.rows_affected;
    }
    Ok(deleted)
}

/// Lists the unsent notices about vaccine requests by id.
pub(in crate::domain) async fn list_about(db: &impl ConnectionTrait, objects: &[Uuid]) -> Result<Vec<Model>> {
    let mut notices = Vec::new();
    for objects in objects.chunks(BATCH) {
        let about = Entity::find().filter(Column::ObjectId.is_in(objects.iter().copied()));
        notices.extend(about.order_by_asc(Column::Id).all(db).await?);
    }
    notices.sort_by_key(|notice| notice.id);
    Ok(notices)
}
