//! Slots: get, add, update. [`availability`](super::availability) lists them, [`bookings`](super::bookings) takes their
//! places, [`closing`](super::closing) closes them.

use chrono::{DateTime, Days, Duration, Utc};
use entity::slots::{ActiveModel, Column, Entity, Model};
use entity::{AuditAction, Role, centres as centres_table, vaccines};
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult as _, Order, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select, Set,
};
use uuid::Uuid;

use crate::db::{Transact, violated_constraint};
use crate::domain::records::idempotency::{Once, Response};
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::{centres, locks, offers};
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::domain::values::number::Number;
use crate::domain::values::time_zone::TimeZone;
use crate::error::{Conflict, Error, Result, Violation};

/// Places of a slot.
pub type Capacity = Number<0, 100_000>;

/// Duration of a slot in minutes.
pub type SlotMinutes = Number<1, 1440>;

/// How far in the future a slot may start.
pub(super) const MAX_AHEAD: Days = Days::new(800);

/// Maximum duration of a slot.
const MAX_DURATION: Duration = Duration::hours(24);

/// Time before and after a full slot in which free ones are looked for.
const ALTERNATIVE_RANGE: Duration = Duration::days(31);

/// Free slots that a refused booking names.
pub(super) const ALTERNATIVES: u64 = 3;

/// Slots before, and slots after a full slot, among which free ones are looked for. It bounds the work of a refusal when
/// everything is full.
const ALTERNATIVE_SLOTS: u64 = 1000;

/// Name of the subquery with these slots.
const NEAR: &str = "near";

/// A slot with the time zone of its centre.
#[derive(Clone, Debug)]
pub struct Slot {
    /// The row.
    pub slot: Model,
    /// The time zone.
    pub zone: TimeZone,
}

/// A slot to be added.
#[derive(Clone, Debug)]
pub struct NewSlot {
    /// Vaccine.
    pub vaccine_id: Uuid,
    /// Start.
    pub starts_at: DateTime<Utc>,
    /// End.
    pub ends_at: DateTime<Utc>,
    /// Places.
    pub capacity: Capacity,
    /// Whether booking needs an invitation.
    pub invited_only: bool,
}

/// Changes of a slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotChanges {
    /// Places.
    pub capacity: Option<Capacity>,
    /// Whether booking needs an invitation.
    pub invited_only: Option<bool>,
}

fn with_zone(slot: Model, time_zone: &str) -> Result<Slot> {
    // The name was checked when it was stored.
    let zone = TimeZone::parse(time_zone).map_err(|violation| Error::internal(violation.message.into_owned()))?;
    Ok(Slot { slot, zone })
}

/// Gets a slot.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(db: &impl ConnectionTrait, id: Uuid) -> Result<Slot> {
    let found = Entity::find_by_id(id).find_also_related(centres_table::Entity).one(db).await?;
    match found {
        Some((slot, Some(centre))) => with_zone(slot, &centre.time_zone),
        _ => Err(Error::NotFound),
    }
}

/// The free slots of the same centre and vaccine that are nearest in time to a slot.
pub(super) async fn alternatives(
    db: &impl ConnectionTrait,
    full: &Model,
    bookable_from: DateTime<Utc>,
) -> Result<Vec<Slot>> {
    let near = |order: Order| {
        Entity::find()
            .filter(Column::CentreId.eq(full.centre_id))
            .filter(Column::VaccineId.eq(full.vaccine_id))
            .filter(Column::StartsAt.gt(Ord::max(bookable_from, full.starts_at - ALTERNATIVE_RANGE)))
            .filter(Column::StartsAt.lt(full.starts_at + ALTERNATIVE_RANGE))
            .order_by(Column::StartsAt, order)
            .limit(ALTERNATIVE_SLOTS)
    };
    let after = near(Order::Asc).filter(Column::StartsAt.gt(full.starts_at));
    let before = near(Order::Desc).filter(Column::StartsAt.lt(full.starts_at));
    let mut slots = free_of(db, after, Order::Asc).await?;
    slots.extend(free_of(db, before, Order::Desc).await?);
    slots.sort_by_key(|slot| ((slot.starts_at - full.starts_at).abs(), slot.starts_at));
    slots.truncate(usize::try_from(ALTERNATIVES).unwrap_or(0));
    let centre = centres::get(db, full.centre_id).await?;
    slots.into_iter().map(|slot| with_zone(slot, &centre.time_zone)).collect()
}

/// The first slots of a query that have a free place for anyone.
async fn free_of(db: &impl ConnectionTrait, slots: Select<Entity>, order: Order) -> Result<Vec<Model>> {
    let column = |column: Column| Expr::col((NEAR, column));
    let mut free = Query::select();
    free.column((NEAR, Asterisk))
        .from_subquery(slots.into_query(), NEAR)
        .and_where(column(Column::ClosedAt).is_null())
        .and_where(column(Column::InvitedOnly).eq(false))
        .and_where(column(Column::Booked).add(column(Column::Held)).lt(column(Column::Capacity)))
        .order_by((NEAR, Column::StartsAt), order)
        .limit(ALTERNATIVES);
    let rows = db.query_all(&free).await?;
    Ok(rows.iter().map(|row| Model::from_query_result(row, "")).collect::<std::result::Result<_, _>>()?)
}

/// Adds a slot to a centre in which the actor acts.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`]; violations; a conflict if there is a slot of this vaccine at this time.
pub async fn create(
    db: &impl Transact,
    context: &Vaccination,
    caller: &Caller,
    once: Once<'_, Slot>,
    centre_id: Uuid,
    new: NewSlot,
) -> Result<Response> {
    caller.actor.require(Role::Staff)?;
    let now = context.clock.now();
    let transaction = db.begin().await?;
    if let Some(response) = once.begin(&transaction, caller.actor.user_id, now).await? {
        return Ok(response);
    }
    check_times(&new, now)?;
    let centre = lock_active(&transaction, &caller.actor, centre_id).await?;
    offered_vaccine(&transaction, new.vaccine_id).await?;
    let row = row(centre_id, &new, (new.starts_at, new.ends_at), now);
    let mut slot = Entity::insert(row).exec_with_returning(&transaction).await?;
    slot.held += offers::offer_free(&transaction, context, &slot, now).await?;
    centres::event(AuditAction::SlotCreated, caller, slot.id).record(&transaction, now).await?;
    let slot = with_zone(slot, &centre.time_zone)?;
    let response = once.finish(&transaction, caller.actor.user_id, None, &slot).await?;
    offers::commit(db, context, transaction, std::slice::from_ref(&slot.slot), None).await?;
    Ok(response)
}

fn check_times(new: &NewSlot, now: DateTime<Utc>) -> Result<()> {
    let refused = |field, code, message: &str| Err(Violation::new(field, code, message.to_owned()).into());
    if new.starts_at <= now {
        return refused("starts_at", "past", "must be in the future");
    }
    if new.starts_at > now + MAX_AHEAD {
        return refused("starts_at", "range", "must be within 800 days");
    }
    if new.ends_at <= new.starts_at {
        return refused("ends_at", "order", "must be after starts_at");
    }
    if new.ends_at - new.starts_at > MAX_DURATION {
        return refused("ends_at", "range", "must be at most 24 hours after starts_at");
    }
    Ok(())
}

pub(super) async fn lock_active(
    transaction: &impl ConnectionTrait,
    actor: &Actor,
    centre_id: Uuid,
) -> Result<centres_table::Model> {
    let centre = centres::lock_own(transaction, actor, centre_id).await?;
    if !centre.active {
        return Err(Conflict::CentreInactive.into());
    }
    Ok(centre)
}

/// A vaccine that is offered.
pub(super) async fn offered_vaccine(db: &impl ConnectionTrait, id: Uuid) -> Result<vaccines::Model> {
    let vaccine = vaccines::Entity::find_by_id(id).one(db).await?.filter(|vaccine| vaccine.active);
    Ok(vaccine.ok_or_else(|| Violation::new("vaccine_id", "unknown", "is not a vaccine that is offered"))?)
}

/// The row of a new slot.
pub(super) fn row(
    centre_id: Uuid,
    new: &NewSlot,
    times: (DateTime<Utc>, DateTime<Utc>),
    now: DateTime<Utc>,
) -> ActiveModel {
    ActiveModel {
        id: Set(Uuid::now_v7()),
        centre_id: Set(centre_id),
        vaccine_id: Set(new.vaccine_id),
        starts_at: Set(times.0),
        ends_at: Set(times.1),
        capacity: Set(new.capacity.get()),
        booked: Set(0),
        held: Set(0),
        invited_only: Set(new.invited_only),
        closed_at: Set(None),
        closed_reason: Set(None),
        created_at: Set(now),
    }
}

/// Opens closed slots again.
pub(super) async fn reopen(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<Model>> {
    locks::slots(db, ids.iter().copied()).await?;
    let slots = Entity::update_many()
        .col_expr(Column::ClosedAt, Expr::value(Option::<DateTime<Utc>>::None))
        .col_expr(Column::ClosedReason, Expr::value(Option::<String>::None))
        .filter(Column::Id.is_in(ids.iter().copied()))
        .filter(Column::ClosedAt.is_not_null());
    Ok(slots.exec_with_returning(db).await?)
}

/// Updates a slot of a centre in which the actor acts. Places that are added are offered to the people in line.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`]; a conflict if the capacity would be below the places that are taken.
pub async fn update(
    db: &impl Transact,
    context: &Vaccination,
    caller: &Caller,
    id: Uuid,
    changes: SlotChanges,
) -> Result<Slot> {
    caller.actor.require(Role::Staff)?;
    if changes == SlotChanges::default() {
        let slot =
            Entity::find_by_id(id).filter(centres::acts_in(&caller.actor, Expr::col((Entity, Column::CentreId))));
        let slot = slot.one(db).await?.ok_or(Error::NotFound)?;
        let centre = centres::get(db, slot.centre_id).await?;
        return with_zone(slot, &centre.time_zone);
    }
    let transaction = db.begin().await?;
    let mut update = Entity::update_many()
        .filter(Column::Id.eq(id))
        .filter(centres::acts_in(&caller.actor, Expr::col((Entity, Column::CentreId))));
    if let Some(capacity) = changes.capacity {
        update = update.col_expr(Column::Capacity, Expr::value(capacity.get()));
    }
    if let Some(invited_only) = changes.invited_only {
        update = update.col_expr(Column::InvitedOnly, Expr::value(invited_only));
    }
    let changed = update.exec_with_returning(&transaction).await.map_err(|error| {
        match violated_constraint(&error).as_deref() {
            Some("slots_booked_check") => Conflict::CapacityBelowBooked.into(),
            _ => Error::from(error),
        }
    })?;
    let mut slot = changed.into_iter().next().ok_or(Error::NotFound)?;
    let now = context.clock.now();
    slot.held += offers::offer_free(&transaction, context, &slot, now).await?;
    centres::event(AuditAction::SlotChanged, caller, id).record(&transaction, now).await?;
    offers::commit(db, context, transaction, std::slice::from_ref(&slot), None).await?;
    let centre = centres::get(db, slot.centre_id).await?;
    with_zone(slot, &centre.time_zone)
}
