//! Free slots that fit a wish: the course, the centre, the days, the rules, and the other bookings of the patient.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use entity::slots::{self, Column, Entity as Slots};
use entity::{centres, patients, vaccine_requests as requests, vaccines, waitlist_entries};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::domain::vaccination::course_rules::{CourseRules, Schedules};
use crate::domain::vaccination::dose_history;
use crate::domain::vaccination::eligibility::{self, Facts, Verdict};
use crate::domain::vaccination::request_rows::is_booked;
use crate::domain::vaccination::schedule::GivenDose;
use crate::domain::vaccination::slots::{ALTERNATIVES, Slot};
use crate::domain::values::time_zone::TimeZone;
use crate::error::Result;

/// Slots that one query reads.
const PAGE: u64 = 500;

/// The wish of an entry of the waitlist.
pub(super) struct Wish<'a> {
    /// Course, centre and days.
    pub entry: &'a waitlist_entries::Model,
    /// The patient.
    pub patient: &'a patients::Model,
    /// Number of the dose in its course.
    pub dose_number: i32,
    /// Schedules of the courses.
    pub schedules: &'a Schedules,
}

/// The first free slots that fit, at most three, by time.
pub(super) async fn alternatives(
    db: &impl ConnectionTrait,
    wish: &Wish<'_>,
    bookable_from: DateTime<Utc>,
) -> Result<Vec<Slot>> {
    let max = usize::try_from(ALTERNATIVES).unwrap_or(0);
    find(db, wish, bookable_from, max).await
}

/// The first free slots that fit, at most `max`, by time.
pub(super) async fn first(
    db: &impl ConnectionTrait,
    wish: &Wish<'_>,
    bookable_from: DateTime<Utc>,
    max: usize,
) -> Result<Vec<slots::Model>> {
    Ok(find(db, wish, bookable_from, max).await?.into_iter().map(|slot| slot.slot).collect())
}

async fn find(
    db: &impl ConnectionTrait,
    wish: &Wish<'_>,
    bookable_from: DateTime<Utc>,
    max: usize,
) -> Result<Vec<Slot>> {
    let busy = bookings_of(db, wish.patient.id).await?;
    let of_course = vaccines::Entity::find().filter(vaccines::Column::CourseId.eq(wish.entry.course_id));
    let course = wish.schedules.rules(db, wish.entry.course_id).await?;
    let doses = dose_history::of_patient(db, wish.patient.id).await?;
    let mut found = Vec::new();
    // One query for each vaccine, so that the index has the order.
    for vaccine in of_course.all(db).await? {
        found.extend(find_of(db, wish, (&course, &vaccine, &doses), &busy, bookable_from, max).await?);
    }
    found.sort_by_key(|slot| (slot.slot.starts_at, slot.slot.id));
    found.truncate(max);
    Ok(found)
}

/// Times of the bookings of a patient.
async fn bookings_of(db: &impl ConnectionTrait, patient_id: Uuid) -> Result<Vec<(DateTime<Utc>, DateTime<Utc>)>> {
    let booked = requests::Entity::find()
        .select_only()
        .column(requests::Column::SlotId)
        .filter(requests::Column::PatientId.eq(patient_id))
        .filter(is_booked("vaccine_requests"));
    let slots = Slots::find()
        .select_only()
        .columns([Column::StartsAt, Column::EndsAt])
        .filter(Column::Id.in_subquery(booked.into_query()));
    Ok(slots.into_tuple().all(db).await?)
}

async fn find_of(
    db: &impl ConnectionTrait,
    wish: &Wish<'_>,
    (course, vaccine, doses): (&CourseRules, &vaccines::Model, &[GivenDose]),
    busy: &[(DateTime<Utc>, DateTime<Utc>)],
    bookable_from: DateTime<Utc>,
    max: usize,
) -> Result<Vec<Slot>> {
    let mut found = Vec::new();
    let Some(days) = days(wish, course, vaccine, doses) else { return Ok(found) };
    let mut after = (bookable_from, Uuid::max());
    loop {
        let page = page(db, wish, vaccine.id, days, after).await?;
        let is_last = page.len() as u64 != PAGE;
        if let Some((last, _)) = page.last() {
            after = (last.starts_at, last.id);
        }
        for (slot, centre) in page {
            let Some(centre) = centre else { continue };
            let zone = TimeZone::parse(&centre.time_zone)?;
            let is_busy = busy.iter().any(|(start, end)| *start < slot.ends_at && *end > slot.starts_at);
            let date = zone.date(slot.starts_at);
            if !is_busy && days.0 <= date && days.1.is_none_or(|last| date <= last) {
                found.push(Slot { slot, zone });
            }
            if found.len() == max {
                return Ok(found);
            }
        }
        if is_last {
            return Ok(found);
        }
    }
}

/// The first and the last day that the wish and the rules allow; `None` if there is none.
fn days(
    wish: &Wish<'_>,
    course: &CourseRules,
    vaccine: &vaccines::Model,
    doses: &[GivenDose],
) -> Option<(NaiveDate, Option<NaiveDate>)> {
    let facts = Facts::of_dose(wish.patient, course, vaccine, doses, Some(wish.dose_number));
    let judged = eligibility::judge(&facts, wish.entry.from_date);
    let first = match judged.verdict {
        Verdict::NotEligible => Ord::max(judged.earliest_on?, wish.entry.from_date),
        Verdict::Eligible | Verdict::Unknown => wish.entry.from_date,
    };
    let last = match (wish.entry.to_date, judged.latest_on) {
        (Some(one), Some(other)) => Some(Ord::min(one, other)),
        (one, other) => one.or(other),
    };
    last.is_none_or(|last| first <= last).then_some((first, last))
}

/// The next free slots of a vaccine, by start and id, for the days in any time zone.
async fn page(
    db: &impl ConnectionTrait,
    wish: &Wish<'_>,
    vaccine_id: Uuid,
    (first, last): (NaiveDate, Option<NaiveDate>),
    after: (DateTime<Utc>, Uuid),
) -> Result<Vec<(slots::Model, Option<centres::Model>)>> {
    let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN).and_utc();
    let order = [Column::StartsAt, Column::Id].map(|column| Expr::col((Slots, column)));
    let column = |column| Expr::col((Slots, column));
    let slots = Slots::find()
        .find_also_related(centres::Entity)
        .filter(Column::VaccineId.eq(vaccine_id))
        .filter(Expr::tuple(order).gt(Expr::tuple([Expr::value(after.0), Expr::value(after.1)])))
        .filter(Column::StartsAt.gte(midnight(first - Days::new(1))))
        .filter(Column::ClosedAt.is_null())
        .filter(Column::InvitedOnly.eq(false))
        .filter(column(Column::Booked).add(column(Column::Held)).lt(column(Column::Capacity)))
        .apply_if(wish.entry.centre_id, |slots, id| slots.filter(Column::CentreId.eq(id)))
        .apply_if(last, |slots, last| slots.filter(Column::StartsAt.lt(midnight(last + Days::new(2)))))
        .order_by_asc(Column::StartsAt)
        .order_by_asc(Column::Id)
        .limit(PAGE);
    Ok(slots.all(db).await?)
}
