//! Ends of bookings and requests: unbook, cancel. A place that was booked or offered goes to the next in line.

use chrono::{DateTime, Utc};
use entity::slots::Entity as Slots;
use entity::vaccine_requests::{Column, Entity as Requests};
use entity::{AuditAction, MailKind, RequestStatus, WaitlistStatus, slots, waitlist_entries};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, UpdateMany};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::vaccination::operation::{Locked, Operation, retried};
use crate::domain::vaccination::places::Taken;
use crate::domain::vaccination::request_list::{self, Request};
use crate::domain::vaccination::request_rows::{next_revision, without_check_in};
use crate::domain::vaccination::{locks, mails, offers, patients, waitlist};
use crate::error::{Conflict, Error, Result};

/// Gives a booked place back. The request is approved again.
///
/// # Errors
/// [`Error::NotFound`]; a conflict if the request is not booked, or it is too late.
pub async fn unbook(db: &impl Transact, operation: Operation<'_>) -> Result<Request> {
    let end = End { from: &[RequestStatus::Booked], to: RequestStatus::Approved, action: AuditAction::RequestUnbooked };
    retried(async || end.apply(db, operation).await).await
}

/// Cancels a request, and gives its place back.
///
/// # Errors
/// [`Error::NotFound`]; a conflict if the request is closed, or it is too late.
pub async fn cancel(db: &impl Transact, operation: Operation<'_>) -> Result<Request> {
    let end = End {
        from: &[RequestStatus::Pending, RequestStatus::Approved, RequestStatus::Booked],
        to: RequestStatus::Cancelled,
        action: AuditAction::RequestCancelled,
    };
    retried(async || end.apply(db, operation).await).await
}

/// How a booking or a request ends.
struct End<'a> {
    from: &'a [RequestStatus],
    to: RequestStatus,
    action: AuditAction,
}

impl End<'_> {
    /// Ends it. [`Error::Busy`] if it has changed since it was read: closing a slot puts bookings back, and the line moves
    /// on.
    async fn apply(&self, db: &impl Transact, operation: Operation<'_>) -> Result<Request> {
        let now = operation.now();
        let transaction = db.begin().await?;
        let locked = operation.lock(&transaction).await?;
        self.check(&transaction, &operation, &locked).await?;
        let entry = match locked.request.status {
            RequestStatus::Approved => offers::open_entry(&transaction, operation.request_id).await?,
            _ => None,
        };
        let same_slot = match locked.request.slot_id {
            Some(id) => Column::SlotId.eq(id),
            None => Column::SlotId.is_null(),
        };
        let ended = without_slot(self.to, now)
            .filter(Column::Id.eq(operation.request_id))
            .filter(Column::Status.eq(locked.request.status))
            .filter(same_slot)
            .exec(&transaction)
            .await?;
        if ended.rows_affected == 0 {
            return Err(Error::Busy);
        }
        let slot = give_up(&transaction, &operation, locked.request.slot_id, entry.as_ref()).await?;
        if self.to == RequestStatus::Cancelled {
            patients::close_request(&transaction, locked.patient.id).await?;
        }
        operation.record(&transaction, self.action, &locked.request).await?;
        let request = request_list::by_id(&transaction, operation.request_id).await?;
        offers::commit(db, operation.context, transaction, slot.as_slice(), None).await?;
        Ok(request)
    }

    async fn check(
        &self,
        transaction: &impl ConnectionTrait,
        operation: &Operation<'_>,
        locked: &Locked,
    ) -> Result<()> {
        if !self.from.contains(&locked.request.status) {
            return Err(Conflict::RequestStatus(locked.request.status).into());
        }
        let Some(slot_id) = locked.request.slot_id else { return Ok(()) };
        let slot = Slots::find_by_id(slot_id).one(transaction).await?.ok_or(Error::NotFound)?;
        operation.check_change(transaction, &locked.request, &slot).await?;
        if slot.ends_at <= operation.now() && self.to == RequestStatus::Approved {
            return Err(Conflict::SlotOver.into());
        }
        Ok(())
    }
}

/// Gives up the place that is booked, or offered to the entry. Returns its slot.
async fn give_up(
    transaction: &impl ConnectionTrait,
    operation: &Operation<'_>,
    slot_id: Option<Uuid>,
    entry: Option<&waitlist_entries::Model>,
) -> Result<Option<slots::Model>> {
    if let Some(slot_id) = slot_id {
        // After the end of the slot, too: `booked` counts the requests that are booked.
        let slot = offers::give_back(transaction, operation.context, slot_id, Taken::Booked(1)).await?;
        let requests = [operation.request_id];
        mails::add(transaction, MailKind::Unbooked, slot_id, &requests, operation.now()).await?;
        return Ok(Some(slot));
    }
    let Some(entry) = entry else { return Ok(None) };
    locks::slots(transaction, entry.slot_id).await?;
    waitlist::end(transaction, operation.context, entry, WaitlistStatus::Left).await
}

/// UPDATE that takes the slot from requests.
pub(super) fn without_slot(status: RequestStatus, now: DateTime<Utc>) -> UpdateMany<Requests> {
    without_check_in(Requests::update_many())
        .col_expr(Column::Status, Expr::value(status))
        .col_expr(Column::SlotId, Expr::value(Option::<Uuid>::None))
        .col_expr(Column::Code, Expr::value(Option::<String>::None))
        .col_expr(Column::Revision, next_revision())
        .col_expr(Column::UpdatedAt, Expr::value(now))
}
