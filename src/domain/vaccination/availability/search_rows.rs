//! The statements of the search: the vaccines of a course, the active centres, and the places of their slots.

use chrono::{DateTime, Utc};
use entity::slots::{Column, Entity as Slots, Model};
use entity::{centres, courses, vaccines};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Func, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::days::Span;
use super::slot_rows;
use crate::db::QueryText;
use crate::error::Result;

/// Name of the subquery with the totals of each centre.
const TOTALS: &str = "totals";

/// Name of the column with the first start.
const FIRST: &str = "first_start";

/// Days of a list, and the time zones in which they are in this span.
pub(super) struct ZoneSpan {
    pub span: Span,
    /// IANA names.
    pub zones: Vec<String>,
}

/// The slots of a centre. There are several rows with the same totals if its next slots begin at the same time.
pub(super) struct Totals {
    pub centre_id: Uuid,
    /// Start of the first slot, also of one that is only in the days of other time zones.
    pub first: DateTime<Utc>,
    /// Number of free places; `None` if there are no slots in the days of its time zone.
    pub free: Option<i64>,
    /// The next slot with a free place, if there is one.
    pub next: Option<Model>,
}

/// The active vaccines of a course. `None` if there is no such course.
pub(super) async fn vaccines_of(db: &impl ConnectionTrait, course_id: Uuid) -> Result<Option<Vec<Uuid>>> {
    static QUERY: QueryText = QueryText::new();
    let build = || {
        let of_course = |column| Expr::col((courses::Entity, column));
        let of_vaccine = |column| Expr::col((vaccines::Entity, column));
        let is_active = of_vaccine(vaccines::Column::Active).eq(true);
        let its = of_vaccine(vaccines::Column::CourseId).eq(of_course(courses::Column::Id)).and(is_active);
        Query::select()
            .column((vaccines::Entity, vaccines::Column::Id))
            .from(courses::Entity)
            .left_join(vaccines::Entity, its)
            .and_where(of_course(courses::Column::Id).eq(Uuid::nil()))
            .to_owned()
    };
    let rows = db.query_all_raw(QUERY.statement(db, [true.into(), course_id.into()], build)).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let ids = rows.iter().map(|row| row.try_get_by_index(0)).collect::<std::result::Result<Vec<Option<Uuid>>, DbErr>>();
    Ok(Some(ids?.into_iter().flatten().collect()))
}

/// The active centres by id, in the order of an index.
pub(super) async fn active_centres(db: &impl ConnectionTrait) -> Result<Vec<centres::Model>> {
    let active = centres::Entity::find().filter(centres::Column::Active.eq(true));
    Ok(active.order_by_asc(centres::Column::Id).all(db).await?)
}

/// Totals of the open slots that need no invitation, for each centre and the days of its time zone.
pub(super) async fn totals(db: &impl ConnectionTrait, vaccines: &[Uuid], spans: &[ZoneSpan]) -> Result<Vec<Totals>> {
    let rows = db.query_all(&totals_query(vaccines, spans)).await?;
    let mut totals = Vec::with_capacity(rows.len());
    for row in &rows {
        totals.push(Totals {
            centre_id: row.try_get_by_index(0)?,
            first: row.try_get_by_index(1)?,
            free: row.try_get_by_index(2)?,
            next: slot_rows::read(row, 3)?,
        });
    }
    Ok(totals)
}

/// The totals of each centre, joined with the slots that are next.
///
/// The inner query reads one range of the index on vaccine and start, for all time zones. The zone of a centre is joined
/// afterwards, to choose among its totals; so the plan does not depend on the number of centres or zones.
fn totals_query(vaccines: &[Uuid], spans: &[ZoneSpan]) -> SelectStatement {
    let column = |column: Column| Expr::col((Slots, column));
    let of_centre = |column: centres::Column| Expr::col((centres::Entity, column));
    let centre_id = || Expr::col((TOTALS, Column::CentreId));
    let of_its_zone = |name: fn(usize) -> String| {
        spans.iter().enumerate().fold(CaseStatement::new(), |case, (number, ZoneSpan { zones, .. })| {
            let is_there = of_centre(centres::Column::TimeZone).is_in(zones.iter().cloned());
            case.case(is_there, Expr::col((TOTALS, name(number))))
        })
    };
    let is_next = column(Column::CentreId)
        .eq(centre_id())
        .and(column(Column::StartsAt).eq(of_its_zone(next_column)))
        .and(is_bookable(vaccines))
        .and(has_place());
    let mut query = Query::select();
    query.expr(centre_id()).column((TOTALS, FIRST)).expr_as(of_its_zone(free_column), "free");
    slot_rows::add_columns(&mut query);
    query
        .from_subquery(inner_query(vaccines, spans), TOTALS)
        .left_join(centres::Entity, of_centre(centres::Column::Id).eq(centre_id()))
        .left_join(Slots, is_next);
    query
}

fn inner_query(vaccines: &[Uuid], spans: &[ZoneSpan]) -> SelectStatement {
    let starts_at = || Expr::col((Slots, Column::StartsAt));
    let count = |column: Column| Expr::col((Slots, column));
    let begin = spans.iter().map(|zones| zones.span.begin).min();
    let end = spans.iter().map(|zones| zones.span.end).max();
    let mut query = Query::select();
    query
        .column((Slots, Column::CentreId))
        .expr_as(Func::min(starts_at()), FIRST)
        .from(Slots)
        .and_where(is_bookable(vaccines))
        .and_where_option(begin.map(|begin| starts_at().gte(begin)))
        .and_where_option(end.map(|end| starts_at().lt(end)))
        .group_by_col((Slots, Column::CentreId));
    for (number, ZoneSpan { span, .. }) in spans.iter().enumerate() {
        let is_within = || starts_at().gte(span.begin).and(starts_at().lt(span.end));
        let free = count(Column::Capacity).sub(count(Column::Booked)).sub(count(Column::Held));
        let is_next = is_within().and(has_place());
        query
            .expr_as(Func::sum(Expr::case(is_within(), free)), free_column(number))
            .expr_as(Func::min(Expr::case(is_next, starts_at())), next_column(number));
    }
    query
}

/// The condition that a slot is one of these vaccines, open, and needs no invitation.
fn is_bookable(vaccines: &[Uuid]) -> Expr {
    let column = |column: Column| Expr::col((Slots, column));
    column(Column::VaccineId)
        .is_in(vaccines.iter().copied())
        .and(column(Column::ClosedAt).is_null())
        .and(column(Column::InvitedOnly).eq(false))
}

fn has_place() -> Expr {
    let column = |column: Column| Expr::col((Slots, column));
    column(Column::Booked).add(column(Column::Held)).lt(column(Column::Capacity))
}

fn free_column(number: usize) -> String {
    format!("free_{number}")
}

fn next_column(number: usize) -> String {
    format!("next_{number}")
}
