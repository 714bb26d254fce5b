//! Closing slots: a slot is closed first, and then its bookings end: the requests become `approved`, in batches. A background task
//! continues where a process stopped.

use chrono::{DateTime, NaiveDate, Utc};
use entity::slots::{self, Column, Entity};
use entity::{AuditAction, RequestStatus, Role, vaccine_requests as requests};
use sea_orm::sea_query::{Expr, ExprTrait, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, TransactionSession as _,
};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::records::audit::{self, Event};
use crate::domain::vaccination::slots::{Slot, get, reopen as reopen_slots};
use crate::domain::vaccination::{bookings, centres, locks};
use crate::domain::values::caller::Caller;
use crate::domain::values::client::Client;
use crate::domain::values::clock::Clock;
use crate::domain::values::local_time::TimeOfDay;
use crate::domain::values::text::Text;
use crate::domain::values::time_zone::{Repeated, TimeZone};
use crate::error::{Conflict, Error, Result};

/// The reason for closing, for those who had booked.
pub type ClosingReason = Text<500>;

/// Bookings that one transaction ends.
const BATCH: u64 = 100;

/// How long after its closing a slot is still looked at.
const RESUMED: chrono::Duration = chrono::Duration::days(90);

/// Slots that one run of the background task continues with.
const SLOTS: u64 = 100;

/// Closes a slot of a centre in which the actor acts, and puts its bookings back.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`]; a conflict if the slot has begun.
pub async fn close(
    db: &impl Transact,
    clock: &Clock,
    caller: &Caller,
    id: Uuid,
    reason: Option<ClosingReason>,
) -> Result<Slot> {
    let now = clock.now();
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
        transaction.commit().await?;
    }
    put_back(db, clock, id).await?;
    get(db, id).await
}

/// Closes all slots of a local day of a centre in which the actor acts, and puts their bookings back. Returns the number
/// of slots.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`].
pub async fn close_day(
    db: &impl Transact,
    clock: &Clock,
    caller: &Caller,
    centre_id: Uuid,
    date: NaiveDate,
    reason: Option<ClosingReason>,
) -> Result<usize> {
    let now = clock.now();
    let transaction = db.begin().await?;
    let centre = centres::lock_own(&transaction, &caller.actor, centre_id).await?;
    let zone = TimeZone::parse(&centre.time_zone)?;
    let midnight = |date: NaiveDate| zone.instant(TimeOfDay::BEGIN.on(date), Repeated::First).time;
    let of_day = Column::CentreId
        .eq(centre_id)
        .and(Column::StartsAt.gte(midnight(date)))
        .and(Column::StartsAt.lt(midnight(date.succ_opt().unwrap_or(date))));
    let closed = close_where(&transaction, caller, of_day, reason, now).await?;
    let detail = date.to_string();
    centres::event(AuditAction::DayClosed, caller, centre_id).detail(&detail).record(&transaction, now).await?;
    transaction.commit().await?;
    for slot in &closed {
        put_back(db, clock, *slot).await?;
    }
    Ok(closed.len())
}

async fn close_where(
    transaction: &impl ConnectionTrait,
    caller: &Caller,
    condition: Expr,
    reason: Option<ClosingReason>,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
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
    let closed = Entity::update_many()
        .col_expr(Column::ClosedAt, Expr::value(now))
        .col_expr(Column::ClosedReason, Expr::value(reason.map(ClosingReason::into_string)))
        .filter(Column::Id.is_in(open))
        .filter(Column::ClosedAt.is_null())
        .exec_with_returning(transaction)
        .await?;
    Ok(closed.into_iter().map(|slot| slot.id).collect())
}

/// A slot of a centre in which the caller acts.
async fn own(db: &impl ConnectionTrait, caller: &Caller, id: Uuid) -> Result<slots::Model> {
    let own = Entity::find_by_id(id).filter(centres::acts_in(&caller.actor, Expr::col((Entity, Column::CentreId))));
    own.lock(LockType::NoKeyUpdate).one(db).await?.ok_or(Error::NotFound)
}

/// Puts the bookings of a closed slot back to `approved`.
async fn put_back(db: &impl Transact, clock: &Clock, id: Uuid) -> Result<()> {
    loop {
        let transaction = db.begin().await?;
        let booked: Vec<(Uuid, Option<Uuid>)> = requests::Entity::find()
            .select_only()
            .columns([requests::Column::Id, requests::Column::UserId])
            .filter(requests::Column::SlotId.eq(id))
            .filter(requests::Column::Status.eq(RequestStatus::Booked))
            .order_by_asc(requests::Column::Id)
            .limit(BATCH)
            .lock(LockType::NoKeyUpdate)
            .into_tuple()
            .all(&transaction)
            .await?;
        if booked.is_empty() {
            return Ok(());
        }
        let back = bookings::without_slot(RequestStatus::Approved, clock.now())
            .filter(requests::Column::Id.is_in(booked.iter().map(|(id, _)| *id)))
            .filter(requests::Column::SlotId.eq(id))
            .filter(requests::Column::Status.eq(RequestStatus::Booked))
            .exec(&transaction)
            .await?;
        // Opened again meanwhile: the others keep their places.
        let places = i32::try_from(back.rows_affected).map_err(Error::internal)?;
        let released = Entity::update_many()
            .col_expr(Column::Booked, Expr::col(Column::Booked).sub(places))
            .filter(Column::Id.eq(id))
            .filter(Column::ClosedAt.is_not_null())
            .exec(&transaction)
            .await?;
        if released.rows_affected == 0 {
            return Ok(());
        }
        let client = Client::default();
        let event = |(request, user): &(Uuid, Option<Uuid>)| {
            Event::new(AuditAction::RequestUnbooked, &client).to(*user).on(*request).detail("slot closed")
        };
        audit::record_all(&transaction, booked.iter().map(event), clock.now()).await?;
        transaction.commit().await?;
    }
}

/// Continues with slots that were closed and still have bookings. Returns their number.
///
/// # Errors
/// Database errors.
pub async fn resume(db: &impl Transact, clock: &Clock) -> Result<usize> {
    let slots: Vec<Uuid> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::ClosedAt.gt(clock.now() - RESUMED))
        .filter(Column::Booked.gt(0))
        .order_by_desc(Column::ClosedAt)
        .limit(SLOTS)
        .into_tuple()
        .all(db)
        .await?;
    let mut outcome = Ok(slots.len());
    for slot in &slots {
        // One slot that fails does not stop the others.
        if let Err(error) = put_back(db, clock, *slot).await {
            outcome = Err(error);
        }
    }
    outcome
}

/// Opens a slot of a centre in which the actor acts again.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`]; a conflict if the slot has begun.
pub async fn reopen(db: &impl Transact, clock: &Clock, caller: &Caller, id: Uuid) -> Result<Slot> {
    caller.actor.require(Role::Staff)?;
    let now = clock.now();
    let transaction = db.begin().await?;
    let slot = own(&transaction, caller, id).await?;
    if slot.starts_at <= now {
        return Err(Conflict::SlotOver.into());
    }
    if !reopen_slots(&transaction, &[id]).await?.is_empty() {
        centres::event(AuditAction::SlotReopened, caller, id).record(&transaction, now).await?;
    }
    transaction.commit().await?;
    get(db, id).await
}
