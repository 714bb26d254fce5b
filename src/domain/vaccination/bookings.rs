//! Bookings: book, move. Each locks the patient first, then changes the request, then slots by ascending id, then the
//! entry of the waitlist (decision 13). Only guarded statements take and give back places.

use chrono::{DateTime, Utc};
use entity::slots::Entity as Slots;
use entity::vaccine_requests::{Column, Entity as Requests};
use entity::{AuditAction, MailKind, RequestStatus, WaitlistStatus, slots, waitlist_entries};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryTrait, TransactionSession as _};
use uuid::Uuid;

use crate::db::{QueryText, Transact};
use crate::domain::records::idempotency::{Once, Response};
use crate::domain::vaccination::operation::{Locked, Operation, retried};
use crate::domain::vaccination::places::Taken;
use crate::domain::vaccination::request_list::{self, Request};
use crate::domain::vaccination::request_rows::{next_revision, without_check_in};
use crate::domain::vaccination::wanted_slot::WantedSlot;
use crate::domain::vaccination::{booking_codes, locks, mails, offers, places, waitlist};
use crate::error::{Conflict, Error, Result, Violation};

/// Books a place in a slot for an approved request. If the place is offered to the request, that is the one.
///
/// # Errors
/// [`Error::NotFound`]; a violation if there is no such slot, or it is of another course; [`Error::SlotFull`] with free
/// slots near it; [`Error::NotEligible`]; a conflict if the slot is closed or over, or the request is not approved.
pub async fn book(
    db: &impl Transact,
    operation: Operation<'_>,
    once: Once<'_, Request>,
    slot_id: Uuid,
) -> Result<Response> {
    let attempt = async || try_book(db, operation, once, slot_id).await;
    match retried(&attempt).await {
        // Places may be held by offers that have expired.
        Err(Error::SlotFull { .. }) if offers::free_expired(db, operation.context, slot_id).await? => {
            retried(attempt).await
        }
        outcome => outcome,
    }
}

async fn try_book(
    db: &impl Transact,
    operation: Operation<'_>,
    once: Once<'_, Request>,
    slot_id: Uuid,
) -> Result<Response> {
    let (actor, now) = (operation.actor(), operation.now());
    let transaction = db.begin().await?;
    if let Some(response) = once.begin(&transaction, actor.user_id, now).await? {
        operation.check_visible(&transaction).await?;
        return Ok(response);
    }
    let locked = operation.lock(&transaction).await?;
    let WantedSlot { slot, entry, .. } = operation.judged_slot(&transaction, &locked, slot_id).await?;
    if let Some(entry) = entry.as_ref().filter(|entry| waitlist::has_offer(entry, slot_id, now)) {
        accept(&transaction, &operation, &locked, &slot, entry).await?;
        return finish(db, &operation, transaction, once, locked, (&[], slot.centre_id)).await;
    }
    if !become_booked(&transaction, operation.request_id, slot_id, now).await? {
        return Err(Conflict::RequestStatus(locked.request.status).into());
    }
    if let Some(offered) = entry.as_ref().and_then(|entry| entry.slot_id) {
        locks::slots(&transaction, [offered, slot_id]).await?;
    }
    let from = operation.bookable_from(&transaction, slot.centre_id).await?;
    if !places::take(&transaction, &locked.request, slot_id, from).await? {
        transaction.rollback().await?;
        return Err(places::refusal(db, &locked.request, slot_id, from).await?);
    }
    let given_back = match &entry {
        Some(entry) => waitlist::end(&transaction, operation.context, entry, WaitlistStatus::Left).await?,
        None => None,
    };
    let rules = &operation.context.rules;
    mails::add_booking(&transaction, rules, MailKind::Booked, operation.request_id, &slot, now).await?;
    operation.record(&transaction, AuditAction::RequestBooked, &locked.request).await?;
    finish(db, &operation, transaction, once, locked, (given_back.as_slice(), slot.centre_id)).await
}

/// Books the place of an offer.
pub(super) async fn accept(
    transaction: &impl ConnectionTrait,
    operation: &Operation<'_>,
    locked: &Locked,
    slot: &slots::Model,
    entry: &waitlist_entries::Model,
) -> Result<()> {
    let now = operation.now();
    if !become_booked(transaction, operation.request_id, slot.id, now).await? {
        return Err(Conflict::RequestStatus(locked.request.status).into());
    }
    if !places::book_held(transaction, slot.id, now).await? {
        let slot = Slots::find_by_id(slot.id).one(transaction).await?.ok_or(Error::NotFound)?;
        return Err(match slot.closed_at {
            Some(_) => Conflict::SlotClosed.into(),
            None if slot.starts_at <= now => Conflict::SlotOver.into(),
            // The offer has just ended.
            None => Error::Busy,
        });
    }
    // Not the time from before the locks: the offer may have expired while this waited.
    offers::end_entry(transaction, entry, WaitlistStatus::Accepted, operation.now()).await?;
    let rules = &operation.context.rules;
    mails::add_booking(transaction, rules, MailKind::Booked, operation.request_id, slot, now).await?;
    operation.record(transaction, AuditAction::RequestBooked, &locked.request).await
}

/// Stores the response, and commits. Places in these slots were given back, and a slot of the centre has changed.
pub(super) async fn finish<T: Transact>(
    db: &T,
    operation: &Operation<'_>,
    transaction: T::Transaction,
    once: Once<'_, Request>,
    locked: Locked,
    (given_back, centre_id): (&[slots::Model], Uuid),
) -> Result<Response> {
    let request = request_list::by_id(&transaction, operation.request_id).await?;
    let response = once.finish(&transaction, operation.actor().user_id, Some(locked.patient.id), &request).await?;
    offers::commit(db, operation.context, transaction, given_back, [centre_id]).await?;
    Ok(response)
}

/// Books an approved request. False if it is not approved.
async fn become_booked(
    transaction: &impl ConnectionTrait,
    id: Uuid,
    slot_id: Uuid,
    now: DateTime<Utc>,
) -> Result<bool> {
    static UPDATE: QueryText = QueryText::new();
    let values = [
        RequestStatus::Booked.into(),
        slot_id.into(),
        booking_codes::new()?.into(),
        now.into(),
        id.into(),
        RequestStatus::Approved.into(),
    ];
    let build = || {
        without_check_in(Requests::update_many())
            .col_expr(Column::Status, Expr::value(RequestStatus::Booked))
            .col_expr(Column::SlotId, Expr::value(Uuid::nil()))
            .col_expr(Column::Code, Expr::value(""))
            .col_expr(Column::Revision, next_revision())
            .col_expr(Column::UpdatedAt, Expr::value(now))
            .filter(Column::Id.eq(id))
            .filter(Column::Status.eq(RequestStatus::Approved))
            .into_query()
    };
    let booked = transaction.execute_raw(UPDATE.statement(transaction, values, build)).await?;
    Ok(booked.rows_affected() == 1)
}

/// Moves a booking to another slot. If that is refused, the old place is kept.
///
/// # Errors
/// As [`book`]; a conflict if it is too late, or the booking was moved too often.
pub async fn rebook(
    db: &impl Transact,
    operation: Operation<'_>,
    once: Once<'_, Request>,
    slot_id: Uuid,
) -> Result<Response> {
    match try_rebook(db, operation, once, slot_id).await {
        Err(Error::SlotFull { .. }) if offers::free_expired(db, operation.context, slot_id).await? => {
            try_rebook(db, operation, once, slot_id).await
        }
        outcome => outcome,
    }
}

async fn try_rebook(
    db: &impl Transact,
    operation: Operation<'_>,
    once: Once<'_, Request>,
    slot_id: Uuid,
) -> Result<Response> {
    let (actor, now) = (operation.actor(), operation.now());
    let transaction = db.begin().await?;
    if let Some(response) = once.begin(&transaction, actor.user_id, now).await? {
        operation.check_visible(&transaction).await?;
        return Ok(response);
    }
    let locked = operation.lock(&transaction).await?;
    let (Some(old_id), RequestStatus::Booked) = (locked.request.slot_id, locked.request.status) else {
        return Err(Conflict::RequestStatus(locked.request.status).into());
    };
    if old_id == slot_id {
        return Err(Violation::new("slot_id", "same", "is the booked slot already").into());
    }
    let old = Slots::find_by_id(old_id).one(&transaction).await?.ok_or(Error::NotFound)?;
    operation.check_change(&transaction, &locked.request, &old).await?;
    if old.ends_at <= now {
        return Err(Conflict::SlotOver.into());
    }
    let is_staff = operation.acts_in(&transaction, old.centre_id).await?;
    let new = operation.judged_slot(&transaction, &locked, slot_id).await?.slot;
    let from = operation.bookable_from(&transaction, new.centre_id).await?;
    let max_moves = (!is_staff).then_some(operation.context.rules.max_moves);
    change_slot(&transaction, &operation, old_id, slot_id, max_moves).await?;
    locks::slots(&transaction, [old_id, slot_id]).await?;
    if !places::take(&transaction, &locked.request, slot_id, from).await? {
        transaction.rollback().await?;
        return Err(places::refusal(db, &locked.request, slot_id, from).await?);
    }
    let left = offers::give_back(&transaction, operation.context, old_id, Taken::Booked(1)).await?;
    let rules = &operation.context.rules;
    mails::add_booking(&transaction, rules, MailKind::Moved, operation.request_id, &new, now).await?;
    operation.record(&transaction, AuditAction::RequestMoved, &locked.request).await?;
    finish(db, &operation, transaction, once, locked, (&[left], new.centre_id)).await
}

/// Changes the slot of a booking, if it was not moved too often.
async fn change_slot(
    transaction: &impl ConnectionTrait,
    operation: &Operation<'_>,
    old_id: Uuid,
    slot_id: Uuid,
    max_moves: Option<i32>,
) -> Result<()> {
    let moved = without_check_in(Requests::update_many())
        .col_expr(Column::SlotId, Expr::value(slot_id))
        .col_expr(Column::Moves, Expr::col(Column::Moves).add(1))
        .col_expr(Column::Revision, next_revision())
        .col_expr(Column::UpdatedAt, Expr::value(operation.now()))
        .filter(Column::Id.eq(operation.request_id))
        .filter(Column::Status.eq(RequestStatus::Booked))
        .filter(Column::SlotId.eq(old_id))
        .apply_if(max_moves, |update, max| update.filter(Column::Moves.lt(max)))
        .exec(transaction)
        .await?;
    if moved.rows_affected > 0 {
        return Ok(());
    }
    // The slot may have been closed since the request was read: then the booking is gone.
    let request = request_list::by_id(transaction, operation.request_id).await?.request;
    let is_same = request.status == RequestStatus::Booked && request.slot_id == Some(old_id);
    Err(if is_same { Conflict::TooManyMoves } else { Conflict::RequestStatus(request.status) }.into())
}
