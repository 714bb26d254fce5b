//! Closing slots: a slot is closed first, and then its bookings and offers end, in batches: the requests are approved again
//! and first in line. A background task continues where a process stopped.

use chrono::{DateTime, NaiveDate, Utc};
use entity::slots::{self, Column, Entity};
use entity::{
    AuditAction, MailKind, RequestStatus, Role, WaitlistStatus, vaccine_requests as requests,
    waitlist_entries as entries,
};
use sea_orm::sea_query::{Expr, LockType, OnConflict, Query, SelectStatement};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::records::audit::{self, Event};
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::places::{self, Taken};
use crate::domain::vaccination::request_rows::is_booked;
use crate::domain::vaccination::slots::{Slot, get, reopen as reopen_slots};
use crate::domain::vaccination::{cancellations, centres, locks, mails, offers};
use crate::domain::values::caller::Caller;
use crate::domain::values::client::Client;
use crate::domain::values::text::Text;
use crate::domain::values::time_zone::TimeZone;
use crate::error::{Conflict, Error, Result};

/// The reason for closing, for those who had booked.
pub type ClosingReason = Text<500>;

/// Bookings or offers that one transaction ends.
const BATCH: u64 = 100;

/// How long after its closing a slot is still looked at.
const RESUMED: chrono::Duration = chrono::Duration::days(90);

/// Slots that one run of the background task continues with.
const SLOTS: u64 = 100;

/// Priority of people whose slot was closed: first in line.
const FIRST_IN_LINE: i16 = -1;

/// Closes a slot of a centre in which the actor acts, and ends its bookings and offers.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`]; a conflict if the slot has begun.
pub async fn close(
    db: &impl Transact,
    context: &Vaccination,
    caller: &Caller,
    id: Uuid,
    reason: Option<ClosingReason>,
) -> Result<Slot> {
    let now = context.clock.now();
    let transaction = db.begin().await?;
    let closed = close_where(&transaction, caller, Column::Id.eq(id), reason, now).await?;
    if closed.is_empty() {
        drop(transaction);
        let slot = own(db, caller, id).await?;
        if slot.closed_at.is_none() {
            return Err(Conflict::SlotOver.into());
        }
    } else {
        centres::event(AuditAction::SlotClosed, caller, id).record(&transaction, now).await?;
        context.commit(transaction, closed.iter().map(|slot| slot.centre_id)).await?;
    }
    end_all(db, context, id).await?;
    get(db, id).await
}

/// Closes all slots of a local day of a centre in which the actor acts, and ends their bookings and offers. Returns the
/// number of slots.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`].
pub async fn close_day(
    db: &impl Transact,
    context: &Vaccination,
    caller: &Caller,
    centre_id: Uuid,
    date: NaiveDate,
    reason: Option<ClosingReason>,
) -> Result<usize> {
    let now = context.clock.now();
    let transaction = db.begin().await?;
    let centre = centres::lock_own(&transaction, &caller.actor, centre_id).await?;
    let zone = TimeZone::parse(&centre.time_zone)?;
    let of_day = Column::CentreId
        .eq(centre_id)
        .and(Column::StartsAt.gte(zone.midnight(date)))
        .and(Column::StartsAt.lt(zone.midnight(date.succ_opt().unwrap_or(date))));
    let closed = close_where(&transaction, caller, of_day, reason, now).await?;
    let detail = date.to_string();
    centres::event(AuditAction::DayClosed, caller, centre_id).detail(&detail).record(&transaction, now).await?;
    context.commit(transaction, [centre_id]).await?;
    for slot in &closed {
        end_all(db, context, slot.id).await?;
    }
    Ok(closed.len())
}

async fn close_where(
    transaction: &impl ConnectionTrait,
    caller: &Caller,
    condition: Expr,
    reason: Option<ClosingReason>,
    now: DateTime<Utc>,
) -> Result<Vec<slots::Model>> {
    caller.actor.require(Role::Staff)?;
    let open: Vec<Uuid> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(condition)
        .filter(Column::ClosedAt.is_null())
        .filter(Column::StartsAt.gt(now))
        .filter(centres::acts_in(&caller.actor, Expr::col((Entity, Column::CentreId))))
        .order_by_asc(Column::Id)
        .into_tuple()
        .all(transaction)
        .await?;
    locks::slots(transaction, open.iter().copied()).await?;
    let closing = Entity::update_many()
        .col_expr(Column::ClosedAt, Expr::value(now))
        .col_expr(Column::ClosedReason, Expr::value(reason.map(ClosingReason::into_string)))
        .filter(Column::Id.is_in(open))
        .filter(Column::ClosedAt.is_null());
    Ok(closing.exec_with_returning(transaction).await?)
}

/// A slot of a centre in which the caller acts.
async fn own(db: &impl ConnectionTrait, caller: &Caller, id: Uuid) -> Result<slots::Model> {
    let own = Entity::find_by_id(id).filter(centres::acts_in(&caller.actor, Expr::col((Entity, Column::CentreId))));
    own.lock(LockType::NoKeyUpdate).one(db).await?.ok_or(Error::NotFound)
}

/// Ends the bookings and the offers of a closed slot.
async fn end_all(db: &impl Transact, context: &Vaccination, id: Uuid) -> Result<()> {
    while end_bookings(db, context, id).await? {}
    while end_offers(db, context, id).await? {}
    Ok(())
}

/// Puts bookings of a closed slot back to `approved`, first in line. False if there are none.
async fn end_bookings(db: &impl Transact, context: &Vaccination, id: Uuid) -> Result<bool> {
    let now = context.clock.now();
    let transaction = db.begin().await?;
    let booked = requests::Entity::find()
        .filter(requests::Column::SlotId.eq(id))
        .filter(is_booked("vaccine_requests"))
        .order_by_asc(requests::Column::Id)
        .limit(BATCH)
        .lock(LockType::NoKeyUpdate)
        .all(&transaction)
        .await?;
    if booked.is_empty() {
        return Ok(false);
    }
    let ids: Vec<Uuid> = booked.iter().map(|request| request.id).collect();
    let back = cancellations::without_slot(RequestStatus::Approved, now)
        .filter(requests::Column::Id.is_in(ids.iter().copied()))
        .exec(&transaction)
        .await?;
    let places = i32::try_from(back.rows_affected).map_err(Error::internal)?;
    let Some(slot) = give_back_closed(&transaction, id, Taken::Booked(places)).await? else { return Ok(false) };
    put_in_line(&transaction, &booked, &slot, now).await?;
    mails::add(&transaction, MailKind::Closed, id, &ids, now).await?;
    let client = Client::default();
    let event = |request: &requests::Model| {
        Event::new(AuditAction::RequestUnbooked, &client).to(request.user_id).on(request.id).detail("slot closed")
    };
    audit::record_all(&transaction, booked.iter().map(event), now).await?;
    context.commit(transaction, [slot.centre_id]).await?;
    Ok(true)
}

/// Gives places of a slot back, if it is still closed. If it was opened again, the others keep their places.
async fn give_back_closed(transaction: &impl ConnectionTrait, id: Uuid, taken: Taken) -> Result<Option<slots::Model>> {
    let slot = places::give_back(transaction, id, taken).await?;
    Ok(Some(slot).filter(|slot| slot.closed_at.is_some()))
}

/// Puts requests whose slot was closed first in line for another place in the centre. Requests without an account are not:
/// an offer could not be accepted.
async fn put_in_line(
    transaction: &impl ConnectionTrait,
    requests: &[requests::Model],
    slot: &slots::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    let centre = centres::get(transaction, slot.centre_id).await?;
    let today = TimeZone::parse(&centre.time_zone)?.date(now);
    let with_account: Vec<_> = requests.iter().filter(|request| request.user_id.is_some()).collect();
    if with_account.is_empty() {
        return Ok(());
    }
    let rows = with_account.into_iter().map(|request| {
        entries::ActiveModel::from(entries::Model {
            id: Uuid::now_v7(),
            request_id: request.id,
            course_id: request.course_id,
            centre_id: Some(slot.centre_id),
            from_date: today,
            to_date: None,
            priority: FIRST_IN_LINE,
            status: WaitlistStatus::Waiting,
            slot_id: None,
            offer_expires_at: None,
            searched_at: None,
            created_at: now,
            updated_at: now,
        })
        .reset_all()
    });
    let waits_already = OnConflict::new().do_nothing().to_owned();
    entries::Entity::insert_many(rows).on_conflict(waits_already).exec_without_returning(transaction).await?;
    Ok(())
}

/// Puts entries with an offer in a closed slot back in line, first. False if there are none.
async fn end_offers(db: &impl Transact, context: &Vaccination, id: Uuid) -> Result<bool> {
    let now = context.clock.now();
    let transaction = db.begin().await?;
    locks::slots(&transaction, [id]).await?;
    let some = entries::Entity::find()
        .filter(entries::Column::SlotId.eq(id))
        .filter(Expr::cust("status = 'offered'"))
        .limit(BATCH);
    let ids: Vec<Uuid> = some.all(&transaction).await?.into_iter().map(|entry| entry.id).collect();
    if ids.is_empty() {
        return Ok(false);
    }
    let back = entries::Entity::update_many()
        .col_expr(entries::Column::Status, Expr::value(WaitlistStatus::Waiting))
        .col_expr(entries::Column::SlotId, Expr::value(Option::<Uuid>::None))
        .col_expr(entries::Column::OfferExpiresAt, Expr::value(Option::<DateTime<Utc>>::None))
        .col_expr(entries::Column::SearchedAt, Expr::value(Option::<DateTime<Utc>>::None))
        .col_expr(entries::Column::Priority, Expr::value(FIRST_IN_LINE))
        .col_expr(entries::Column::UpdatedAt, Expr::value(now))
        .filter(entries::Column::Id.is_in(ids))
        .filter(entries::Column::Status.eq(WaitlistStatus::Offered))
        .filter(entries::Column::SlotId.eq(id))
        .exec_with_returning(&transaction)
        .await?;
    let places = i32::try_from(back.len()).map_err(Error::internal)?;
    let Some(slot) = give_back_closed(&transaction, id, Taken::Held(places)).await? else { return Ok(false) };
    let requests: Vec<Uuid> = back.iter().map(|entry| entry.request_id).collect();
    mails::add(&transaction, MailKind::OfferOver, id, &requests, now).await?;
    context.commit(transaction, [slot.centre_id]).await?;
    Ok(true)
}

/// Continues with slots that were closed and still have bookings or offers. Returns their number.
///
/// # Errors
/// Database errors.
pub async fn resume(db: &impl Transact, context: &Vaccination) -> Result<usize> {
    let slots: Vec<Uuid> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::ClosedAt.gt(context.clock.now() - RESUMED))
        .filter(Column::Held.gt(0).or(Expr::exists(bookings())))
        .order_by_desc(Column::ClosedAt)
        .limit(SLOTS)
        .into_tuple()
        .all(db)
        .await?;
    let mut outcome = Ok(slots.len());
    for slot in &slots {
        // One slot that fails does not stop the others.
        if let Err(error) = end_all(db, context, *slot).await {
            outcome = Err(error);
        }
    }
    outcome
}

/// The requests that are booked in a slot. Others, whose dose was given, keep their place.
fn bookings() -> SelectStatement {
    Query::select()
        .expr(Expr::cust("1"))
        .from(requests::Entity)
        .and_where(Expr::col((requests::Entity, requests::Column::SlotId)).eq(Expr::col((Entity, Column::Id))))
        .and_where(is_booked("vaccine_requests"))
        .to_owned()
}

/// Opens a slot of a centre in which the actor acts again.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`]; a conflict if the slot has begun.
pub async fn reopen(db: &impl Transact, context: &Vaccination, caller: &Caller, id: Uuid) -> Result<Slot> {
    caller.actor.require(Role::Staff)?;
    let now = context.clock.now();
    let transaction = db.begin().await?;
    let slot = own(&transaction, caller, id).await?;
    if slot.starts_at <= now {
        return Err(Conflict::SlotOver.into());
    }
    let mut opened = reopen_slots(&transaction, &[id]).await?;
    for slot in &mut opened {
        slot.held += offers::offer_free(&transaction, context, slot, now).await?;
        centres::event(AuditAction::SlotReopened, caller, id).record(&transaction, now).await?;
    }
    offers::commit(db, context, transaction, &opened, None).await?;
    get(db, id).await
}
