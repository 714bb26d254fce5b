//! The list of a day at a centre: bookings of its slots, and people who came without one, by time.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use entity::vaccine_requests::{Column, Entity as Requests};
use entity::{RequestStatus, Role, courses, slots, vaccines};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, Order, QueryFilter, QueryResult};
use uuid::Uuid;

use crate::db::not_indexed;
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::course_rules::CourseRules;
use crate::domain::vaccination::door::visit::answers_of_day;
use crate::domain::vaccination::dose_history::{self, Doses};
use crate::domain::vaccination::eligibility::{self, Answers, Eligibility, Facts};
use crate::domain::vaccination::request_list::{self, Request};
use crate::domain::vaccination::{centres, patients};
use crate::domain::values::caller::Caller;
use crate::domain::values::page::{Page, Slice};
use crate::domain::values::time_zone::TimeZone;
use crate::error::{Error, Result};

/// A row of the list.
#[derive(Clone, Debug)]
pub struct DayItem {
    /// The request.
    pub request: Request,
    /// Start of the slot; for somebody without a booking, when they came.
    pub time: DateTime<Utc>,
    /// Time zone of the centre.
    pub zone: TimeZone,
    /// The course.
    pub course: courses::Model,
    /// The vaccine of the slot, or of the request.
    pub vaccine: vaccines::Model,
    /// Whether the patient may have the dose on that day; none after it was given, or nobody came.
    pub eligibility: Option<Eligibility>,
}

/// Position in the list: the time, the slot (the smallest id without one), and the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Time.
    pub time: DateTime<Utc>,
    /// Slot.
    pub slot_id: Uuid,
    /// Request.
    pub request_id: Uuid,
}

/// Lists the requests of a day at a centre by time. That staff read them is recorded for each patient.
///
/// # Errors
/// [`Error::Forbidden`] unless the caller is staff; [`Error::NotFound`] if they act elsewhere.
pub async fn list(
    db: &impl ConnectionTrait,
    context: &Vaccination,
    caller: &Caller,
    centre_id: Uuid,
    date: Option<NaiveDate>,
    page: Page<Position>,
) -> Result<Slice<DayItem, Position>> {
    caller.actor.require(Role::Staff)?;
    let centre = centres::get_own(db, &caller.actor, centre_id).await?;
    let zone = TimeZone::parse(&centre.time_zone)?;
    let date = date.unwrap_or_else(|| zone.date(context.clock.now()));
    let day = (zone.midnight(date), zone.midnight(date.succ_opt().unwrap_or(date)));
    let mut positions = positions(db, &booked(centre_id, day, page)).await?;
    positions.extend(positions_of_walk_ins(db, centre_id, day, page).await?);
    positions.sort_unstable();
    let slice = page.slice(positions, |position| *position);
    let items = items(db, context, zone, date, &slice.items).await?;
    let read = items.iter().map(|item| (item.request.patient.id, item.request.patient.user_id));
    patients::record_read(db, &context.clock, caller, read, None).await?;
    Ok(Slice { items, next: slice.next })
}

async fn positions(db: &impl ConnectionTrait, query: &SelectStatement) -> Result<Vec<Position>> {
    let rows = db.query_all(query).await?;
    rows.iter()
        .map(|row| {
            Ok(Position {
                time: row.try_get_by_index(0)?,
                slot_id: row.try_get_by_index(1)?,
                request_id: row.try_get_by_index(2)?,
            })
        })
        .collect()
}

/// The requests that hold a place of a slot of the day, in the order of two indexes: no rows are sorted.
fn booked(centre_id: Uuid, (from, until): (DateTime<Utc>, DateTime<Utc>), page: Page<Position>) -> SelectStatement {
    let of_slot = |column| Expr::col((slots::Entity, column));
    let of_request = |column| Expr::col((Requests, column));
    let mut query = Query::select();
    query
        .expr(of_slot(slots::Column::StartsAt))
        .expr(of_slot(slots::Column::Id))
        .expr(of_request(Column::Id))
        .from(slots::Entity)
        .inner_join(Requests, of_request(Column::SlotId).eq(of_slot(slots::Column::Id)))
        .and_where(of_slot(slots::Column::CentreId).eq(centre_id))
        .and_where(of_slot(slots::Column::StartsAt).gte(page.after.map_or(from, |after| Ord::max(from, after.time))))
        .and_where(of_slot(slots::Column::StartsAt).lt(until))
        .order_by((slots::Entity, slots::Column::StartsAt), Order::Asc)
        .order_by((slots::Entity, slots::Column::Id), Order::Asc)
        .order_by((Requests, Column::Id), Order::Asc)
        .limit(page.rows());
    if let Some(after) = page.after {
        let position =
            Expr::tuple([of_slot(slots::Column::StartsAt), of_slot(slots::Column::Id), of_request(Column::Id)]);
        let last = Expr::tuple([Expr::value(after.time), Expr::value(after.slot_id), Expr::value(after.request_id)]);
        query.and_where(position.gt(last));
    }
    query
}

/// The requests of people who came on the day without a booking.
async fn positions_of_walk_ins(
    db: &impl ConnectionTrait,
    centre_id: Uuid,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    page: Page<Position>,
) -> Result<Vec<Position>> {
    let mut query = Query::select();
    query
        .column(Column::CheckedInAt)
        .column(Column::Id)
        .from(Requests)
        .and_where(Expr::col(Column::CentreId).eq(centre_id))
        .and_where(Expr::col(Column::CheckedInAt).gte(from))
        .and_where(Expr::col(Column::CheckedInAt).lt(until))
        .and_where(not_indexed(Expr::col(Column::SlotId).is_null()))
        .order_by(Column::CheckedInAt, Order::Asc)
        .order_by(Column::Id, Order::Asc)
        .limit(page.rows());
    if let Some(after) = page.after {
        let id = if after.slot_id.is_nil() { after.request_id } else { Uuid::max() };
        let position = Expr::tuple([Expr::col(Column::CheckedInAt), Expr::col(Column::Id)]);
        query.and_where(position.gt(Expr::tuple([Expr::value(after.time), Expr::value(id)])));
    }
    let rows = db.query_all(&query).await?;
    let position = |row: &QueryResult| {
        Ok(Position { time: row.try_get_by_index(0)?, slot_id: Uuid::nil(), request_id: row.try_get_by_index(1)? })
    };
    rows.iter().map(position).collect()
}

/// What the rules need to know about all rows of a page.
struct Known {
    vaccines: HashMap<Uuid, vaccines::Model>,
    courses: HashMap<Uuid, (courses::Model, CourseRules)>,
    doses: Doses,
}

async fn items(
    db: &impl ConnectionTrait,
    context: &Vaccination,
    zone: TimeZone,
    date: NaiveDate,
    positions: &[Position],
) -> Result<Vec<DayItem>> {
    if positions.is_empty() {
        return Ok(Vec::new());
    }
    let requests = request_list::by_ids(db, positions.iter().map(|position| position.request_id)).await?;
    let known = Known::read(db, context, &requests).await?;
    let mut requests: HashMap<Uuid, Request> =
        requests.into_iter().map(|request| (request.request.id, request)).collect();
    // A request that has changed meanwhile is left out.
    let found = positions.iter().filter_map(|position| Some((position, requests.remove(&position.request_id)?)));
    found.map(|(position, request)| known.item(request, position.time, zone.clone(), date)).collect()
}

impl Known {
    async fn read(db: &impl ConnectionTrait, context: &Vaccination, requests: &[Request]) -> Result<Self> {
        let patients: Vec<Uuid> = requests.iter().map(|request| request.patient.id).collect();
        let ids = requests.iter().map(vaccine_id);
        let vaccines = vaccines::Entity::find().filter(vaccines::Column::Id.is_in(ids)).all(db).await?;
        let ids = requests.iter().map(|request| request.request.course_id);
        let mut courses = HashMap::new();
        for course in courses::Entity::find().filter(courses::Column::Id.is_in(ids)).all(db).await? {
            let rules = context.schedules.of(db, &course).await?;
            courses.insert(course.id, (course, rules));
        }
        Ok(Self {
            vaccines: vaccines.into_iter().map(|vaccine| (vaccine.id, vaccine)).collect(),
            courses,
            doses: dose_history::of_patients(db, &patients).await?,
        })
    }

    fn item(&self, request: Request, time: DateTime<Utc>, zone: TimeZone, date: NaiveDate) -> Result<DayItem> {
        let missing = || Error::internal("a request has no vaccine or course");
        let vaccine = self.vaccines.get(&vaccine_id(&request)).ok_or_else(missing)?;
        let (course, rules) = self.courses.get(&request.request.course_id).ok_or_else(missing)?;
        let is_open = matches!(request.request.status, RequestStatus::Booked | RequestStatus::Approved);
        let doses = self.doses.get(&request.patient.id).map_or(&[][..], Vec::as_slice);
        let answers = answers_of_day(&request.request, &zone, date)?;
        let number = Some(request.request.dose_number);
        let facts = Facts {
            answers: answers.as_ref().map_or(Answers::NotAsked, Answers::Given),
            ..Facts::of_dose(&request.patient, rules, vaccine, doses, number)
        };
        Ok(DayItem {
            eligibility: is_open.then(|| eligibility::judge(&facts, date)),
            time,
            zone,
            course: course.clone(),
            vaccine: vaccine.clone(),
            request,
        })
    }
}

fn vaccine_id(request: &Request) -> Uuid {
    request.slot.as_ref().map_or(request.request.vaccine_id, |booked| booked.slot.vaccine_id)
}
