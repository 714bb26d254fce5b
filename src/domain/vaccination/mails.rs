//! Mails about bookings, offers and invitations: added to the outbox in the transaction of the operation that causes them.
//! [`mail_messages`](super::mail_messages) decides their content when they are sent. Requests without an account get none.

use chrono::{DateTime, Utc};
use entity::vaccine_requests::{Column, Entity as Requests};
use entity::{MailKind, slots, users};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, UnionType};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::db::QueryText;
pub(super) use crate::domain::records::notices::delete_about;
use crate::domain::records::notices::{self, Notice};
use crate::domain::vaccination::rules::BookingRules;
use crate::error::Result;

/// Requests whose owners one statement reads.
const BATCH: usize = 500;

/// Adds the mail about a new or moved booking, and its reminder if the time for that is still to come, by one statement.
/// Reminders of earlier bookings stay, and are dropped when they are due.
pub(super) async fn add_booking(
    transaction: &impl ConnectionTrait,
    rules: &BookingRules,
    kind: MailKind,
    request_id: Uuid,
    slot: &slots::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    static INSERT: QueryText = QueryText::new();
    let remind_at = slot.starts_at - rules.reminder;
    let is_reminded = !rules.reminder.is_zero() && remind_at > now;
    let mail = Notice::new(kind, request_id, Some(slot.id), now);
    let reminder = Notice::new(MailKind::Reminder, request_id, Some(slot.id), remind_at);
    // In the order of the text: the rows, each with the id of the request.
    let values = mail.values().into_iter().chain([request_id.into()]);
    let values = values.chain(reminder.values()).chain([request_id.into(), is_reminded.into()]);
    let build = || {
        let reminder = to_owner(reminder, request_id).and_where(Expr::value(is_reminded)).to_owned();
        notices::insert_rows(to_owner(mail, request_id).union(UnionType::All, reminder).to_owned())
    };
    transaction.execute_raw(INSERT.statement(transaction, values, build)).await?;
    Ok(())
}

/// Adds a mail about the same slot to the owner of each of these requests.
pub(super) async fn add(
    transaction: &impl ConnectionTrait,
    kind: MailKind,
    slot_id: Uuid,
    requests: &[Uuid],
    now: DateTime<Utc>,
) -> Result<()> {
    if let [request_id] = requests {
        return add_one(transaction, Notice::new(kind, *request_id, Some(slot_id), now), *request_id).await;
    }
    for requests in requests.chunks(BATCH) {
        let owners = owners(transaction, requests).await?;
        let mail = |(request_id, email)| (Notice::new(kind, request_id, Some(slot_id), now), email);
        notices::add_all(transaction, owners.into_iter().map(mail)).await?;
    }
    Ok(())
}

async fn add_one(transaction: &impl ConnectionTrait, mail: Notice, request_id: Uuid) -> Result<()> {
    static INSERT: QueryText = QueryText::new();
    let values = mail.values().into_iter().chain([request_id.into()]);
    let build = || notices::insert_rows(to_owner(mail, request_id));
    transaction.execute_raw(INSERT.statement(transaction, values, build)).await?;
    Ok(())
}

/// Adds the mails with the codes of invitations, each with its recipient.
pub(super) async fn add_invitations(
    transaction: &impl ConnectionTrait,
    invitations: &[(Uuid, String)],
    now: DateTime<Utc>,
) -> Result<()> {
    let mail = |(id, email): &(Uuid, String)| (Notice::new(MailKind::Invitation, *id, None, now), email.clone());
    notices::add_all(transaction, invitations.iter().map(mail)).await
}

/// The row of a mail to the owner of a request.
fn to_owner(mail: Notice, request_id: Uuid) -> SelectStatement {
    Query::select()
        .exprs(mail.row(Expr::col((users::Entity, users::Column::Email))))
        .from(Requests)
        .inner_join(users::Entity, is_owner())
        .and_where(Expr::col((Requests, Column::Id)).eq(request_id))
        .to_owned()
}

/// The e-mail addresses of the owners of requests, in the order of the requests.
async fn owners(db: &impl ConnectionTrait, requests: &[Uuid]) -> Result<Vec<(Uuid, String)>> {
    let mut owners = Requests::find()
        .select_only()
        .column(Column::Id)
        .column(users::Column::Email)
        .filter(Column::Id.is_in(requests.iter().copied()))
        .order_by_asc(Column::Id);
    QuerySelect::query(&mut owners).join(JoinType::InnerJoin, users::Entity, is_owner());
    Ok(owners.into_tuple().all(db).await?)
}

/// Whether an account made a request.
fn is_owner() -> Expr {
    Expr::col((users::Entity, users::Column::Id)).eq(Expr::col((Requests, Column::UserId)))
}
