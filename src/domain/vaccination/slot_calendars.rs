//! Calendars of slots: adds the slots of opening hours to a centre.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use entity::slots::{Column, Entity};
use entity::{AuditAction, Role};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::records::idempotency::{Once, Response};
use crate::domain::vaccination::calendar::{self, Calendar, Hours};
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::slots::{Capacity, MAX_AHEAD, NewSlot, lock_active, offered_vaccine, reopen, row};
use crate::domain::vaccination::{centres, offers, waitlist};
use crate::domain::values::caller::Caller;
use crate::domain::values::time_zone::TimeZone;
use crate::error::{Result, Violation, with_causes};

/// Maximum number of days of a calendar.
pub const MAX_CALENDAR_DAYS: i64 = 400;

/// Maximum number of slots of a calendar.
pub const MAX_CALENDAR_SLOTS: usize = 20_000;

/// Rows of one statement.
const BATCH: usize = 500;

/// A calendar of slots to be added.
#[derive(Clone, Debug)]
pub struct NewCalendar {
    /// Vaccine.
    pub vaccine_id: Uuid,
    /// Opening hours.
    pub hours: Hours,
    /// Places of each slot.
    pub capacity: Capacity,
    /// Whether booking needs an invitation.
    pub invited_only: bool,
    /// Whether nothing is changed.
    pub is_dry_run: bool,
}

/// What a calendar has done, or would do.
#[derive(Clone, Debug)]
pub struct CalendarReport {
    /// Number of new slots.
    pub created: usize,
    /// Number of slots that existed already.
    pub existing: usize,
    /// Number of closed slots that were opened again.
    pub reopened: usize,
    /// The slots of the calendar, what was left out, and warnings.
    pub calendar: Calendar,
}

/// Adds a calendar of slots to a centre in which the actor acts. Slots that exist stay as they are, and closed ones are
/// opened again, so that a calendar can be sent twice. Its places are offered to the people in line.
///
/// # Errors
/// [`Forbidden`](crate::error::Error::Forbidden), [`NotFound`](crate::error::Error::NotFound); violations.
pub async fn add(
    db: &impl Transact,
    context: &Vaccination,
    caller: &Caller,
    once: Once<'_, CalendarReport>,
    centre_id: Uuid,
    new: NewCalendar,
) -> Result<Response> {
    caller.actor.require(Role::Staff)?;
    let now = context.clock.now();
    let transaction = db.begin().await?;
    if let Some(response) = once.begin(&transaction, caller.actor.user_id, now).await? {
        return Ok(response);
    }
    let centre = lock_active(&transaction, &caller.actor, centre_id).await?;
    let zone = TimeZone::parse(&centre.time_zone)?;
    check_hours(&new.hours, zone.date(now))?;
    let course_id = offered_vaccine(&transaction, new.vaccine_id).await?.course_id;
    let calendar = calendar::slots(&new.hours, &zone, now);
    if calendar.slots.len() > MAX_CALENDAR_SLOTS {
        let message = format!("would make {} slots; a calendar may have {MAX_CALENDAR_SLOTS}", calendar.slots.len());
        return Err(Violation::new("slot_minutes", "range", message).into());
    }
    let known = existing(&transaction, centre_id, new.vaccine_id, &calendar).await?;
    let (old, added): (Vec<_>, Vec<_>) = calendar.slots.iter().partition(|(start, _)| known.contains_key(start));
    let mut closed: Vec<Uuid> = old.iter().filter_map(|(start, _)| known.get(start)?.closed_id()).collect();
    // Slots are locked by ascending id.
    closed.sort_unstable();
    if !new.is_dry_run {
        let single = NewSlot {
            vaccine_id: new.vaccine_id,
            starts_at: now,
            ends_at: now,
            capacity: new.capacity,
            invited_only: new.invited_only,
        };
        let mut slots = Vec::new();
        for times in added.chunks(BATCH) {
            let rows = times.iter().map(|times| row(centre_id, &single, *times, now));
            slots.extend(Entity::insert_many(rows).exec_with_returning(&transaction).await?);
        }
        for ids in closed.chunks(BATCH) {
            slots.extend(reopen(&transaction, ids).await?);
        }
        slots.sort_by_key(|slot| (slot.starts_at, slot.id));
        offers::offer_added(&transaction, context, &slots, now).await?;
        let detail = format!("{} slots", added.len());
        centres::event(AuditAction::CalendarCreated, caller, centre_id)
            .detail(&detail)
            .record(&transaction, now)
            .await?;
    }
    let report = CalendarReport { created: added.len(), existing: old.len(), reopened: closed.len(), calendar };
    let response = once.finish(&transaction, caller.actor.user_id, None, &report).await?;
    context.commit(transaction, [centre_id]).await?;
    if report.created + report.reopened > 0
        && !new.is_dry_run
        && let Err(error) = waitlist::search_joined_since(db, context, course_id, now).await
    {
        log::warn!("cannot search free slots for the waitlist yet: {}", with_causes(&error));
    }
    Ok(response)
}

/// Checks the dates of a calendar. Its times were checked with each other before.
fn check_hours(hours: &Hours, today: NaiveDate) -> Result<()> {
    if hours.from < today {
        return Err(Violation::new("from", "past", "must not be before today").into());
    }
    if hours.to < hours.from {
        return Err(Violation::new("to", "order", "must not be before from").into());
    }
    if (hours.to - hours.from).num_days() >= MAX_CALENDAR_DAYS || hours.to > today + MAX_AHEAD {
        let message = format!("must be less than {MAX_CALENDAR_DAYS} days after from, and within 800 days");
        return Err(Violation::new("to", "range", message).into());
    }
    Ok(())
}

/// A slot that exists.
struct Existing {
    id: Uuid,
    is_closed: bool,
}

impl Existing {
    fn closed_id(&self) -> Option<Uuid> {
        self.is_closed.then_some(self.id)
    }
}

/// The slots that exist already, by their start.
async fn existing(
    db: &impl ConnectionTrait,
    centre_id: Uuid,
    vaccine_id: Uuid,
    calendar: &Calendar,
) -> Result<BTreeMap<DateTime<Utc>, Existing>> {
    let (Some((first, _)), Some((last, _))) = (calendar.slots.first(), calendar.slots.last()) else {
        return Ok(BTreeMap::new());
    };
    let slots: Vec<(Uuid, DateTime<Utc>, Option<DateTime<Utc>>)> = Entity::find()
        .select_only()
        .columns([Column::Id, Column::StartsAt, Column::ClosedAt])
        .filter(Column::CentreId.eq(centre_id))
        .filter(Column::VaccineId.eq(vaccine_id))
        .filter(Column::StartsAt.between(*first, *last))
        .into_tuple()
        .all(db)
        .await?;
    let existing =
        |(id, start, closed_at): (Uuid, _, Option<_>)| (start, Existing { id, is_closed: closed_at.is_some() });
    Ok(slots.into_iter().map(existing).collect())
}
