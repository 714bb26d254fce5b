//! Line of a waitlist: the entries that wait for a place in a slot, in the order of priority and id, with what the rules
//! need to know about each patient.

use chrono::{DateTime, NaiveDate, Utc};
use entity::slots::{self, Entity as Slots};
use entity::waitlist_entries::{Column, Entity as Entries};
use entity::{RequestStatus, centres, patients, users, vaccine_requests as requests, vaccines};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, UnionType};
use sea_orm::{ConnectionTrait, FromQueryResult as _, JoinType, Order, QueryResult};
use uuid::Uuid;

use crate::db::QueryText;
use crate::domain::vaccination::eligibility::{self, Facts, Verdict};
use crate::domain::vaccination::request_rows::{add_columns, is_booked};
use crate::domain::values::time_zone::TimeZone;
use crate::error::Result;

/// Name of the subquery with the entries of a page.
const LINE: &str = "line";

/// The line for places of a vaccine in a centre.
pub(super) struct Line {
    vaccine: vaccines::Model,
    centre_id: Uuid,
    zone: TimeZone,
}

/// Position in a line: priority and id of an entry.
pub(super) type Position = (i16, Uuid);

/// The position before the first entry.
pub(super) const BEGIN: Position = (i16::MIN, Uuid::nil());

/// An entry of a line, and whether a place fits.
pub(super) struct Candidate {
    /// Id of the entry.
    pub entry_id: Uuid,
    /// Position.
    pub position: Position,
    /// Whether the rules allow the dose on the day of the slot, and the account can accept an offer.
    pub is_eligible: bool,
    /// The patient.
    pub patient_id: Uuid,
    /// Whether the patient has another booking, or an offer, at the time of the slot.
    pub is_busy: bool,
}

impl Line {
    /// The line for a slot. `None` if nobody waits.
    pub async fn of(db: &impl ConnectionTrait, slot: &slots::Model) -> Result<Option<Self>> {
        static QUERY: QueryText = QueryText::new();
        let values = [slot.vaccine_id.into(), slot.centre_id.into()];
        let Some(row) = db.query_one_raw(QUERY.statement(db, values, line_of)).await? else { return Ok(None) };
        let time_zone: String = row.try_get("", "time_zone")?;
        Ok(Some(Self {
            vaccine: vaccines::Model::from_query_result(&row, "v_")?,
            centre_id: slot.centre_id,
            zone: TimeZone::parse(&time_zone)?,
        }))
    }

    /// The local date of a slot.
    pub fn date(&self, slot: &slots::Model) -> NaiveDate {
        self.zone.date(slot.starts_at)
    }

    /// The next entries for a slot, at most `limit`, after a position.
    pub async fn page(
        &self,
        db: &impl ConnectionTrait,
        slot: &slots::Model,
        after: Position,
        limit: u64,
    ) -> Result<Vec<Candidate>> {
        static QUERY: QueryText = QueryText::new();
        let date = self.date(slot);
        // In the order of the text: the bookings and offers at that time, the entries for this centre, those for any centre.
        let mut values = Vec::new();
        for _ in 0..2 {
            values.extend([slot.ends_at.into(), slot.starts_at.into(), 1_u64.into(), 0_u64.into()]);
        }
        for centre_id in [Some(self.centre_id), None] {
            values.push(self.vaccine.course_id.into());
            values.extend(centre_id.map(Into::into));
            values.extend([date.into(), date.into(), after.0.into(), after.1.into(), limit.into()]);
        }
        values.push(limit.into());
        let rows = db.query_all_raw(QUERY.statement(db, values, page)).await?;
        rows.iter().map(|row| self.candidate(row, date)).collect()
    }

    fn candidate(&self, row: &QueryResult, date: NaiveDate) -> Result<Candidate> {
        let patient = patients::Model::from_query_result(row, "p_")?;
        let (entry_id, status): (Uuid, RequestStatus) = (row.try_get("", "entry_id")?, row.try_get("", "status")?);
        let account_id: Option<Uuid> = row.try_get("", "account_id")?;
        let disabled_at: Option<DateTime<Utc>> = row.try_get("", "disabled_at")?;
        let can_accept = account_id.is_some() && disabled_at.is_none();
        let facts = Facts {
            patient: &patient,
            vaccine: &self.vaccine,
            dose_number: row.try_get("", "dose_number")?,
            has_open_request: false,
            has_overlapping_booking: false,
        };
        let is_eligible = eligibility::judge(&facts, date).verdict != Verdict::NotEligible;
        Ok(Candidate {
            entry_id,
            position: (row.try_get("", "priority")?, entry_id),
            is_eligible: is_eligible && status == RequestStatus::Approved && can_accept,
            patient_id: patient.id,
            is_busy: row.try_get("", "is_busy")?,
        })
    }
}

/// The vaccine and the time zone, if somebody waits for the course in this centre or in any.
fn line_of() -> SelectStatement {
    let mut query = Query::select();
    add_columns::<vaccines::Entity>(&mut query, "v_");
    // Not EXISTS: for that, PostgreSQL reads the table until it finds a row. The minimum is the first entry of the index.
    let waits = |centre: fn(Expr) -> Expr| {
        let column = |column| Expr::col((Entries, column));
        let first = Query::select()
            .expr(column(Column::Priority).min())
            .from(Entries)
            .and_where(column(Column::CourseId).eq(Expr::col((vaccines::Entity, vaccines::Column::CourseId))))
            .and_where(centre(column(Column::CentreId)))
            .and_where(Expr::cust("waitlist_entries.status = 'waiting'"))
            .to_owned();
        Expr::from(first).is_not_null()
    };
    query
        .expr_as(Expr::col((centres::Entity, centres::Column::TimeZone)), "time_zone")
        .from(vaccines::Entity)
        .join(JoinType::InnerJoin, centres::Entity, Expr::cust("1 = 1"))
        .and_where(Expr::col((vaccines::Entity, vaccines::Column::Id)).eq(Uuid::nil()))
        .and_where(Expr::col((centres::Entity, centres::Column::Id)).eq(Uuid::nil()))
        .and_where(
            waits(|centre| centre.eq(Expr::col((centres::Entity, centres::Column::Id)))).or(waits(Expr::is_null)),
        );
    query
}

/// A page of a line: two ranges of an index, one for the centre and one for any centre, are merged.
fn page() -> SelectStatement {
    let mut entries = of_centre(|centre| centre.eq(Uuid::nil()));
    entries.union(UnionType::All, of_centre(Expr::is_null));
    let of_line = |column: Column| Expr::col((LINE, column));
    let mut query = Query::select();
    query
        .expr_as(of_line(Column::Id), "entry_id")
        .expr_as(of_line(Column::Priority), "priority")
        .expr_as(Expr::col((requests::Entity, requests::Column::Status)), "status")
        .expr_as(Expr::col((requests::Entity, requests::Column::DoseNumber)), "dose_number")
        .expr_as(Expr::col((users::Entity, users::Column::Id)), "account_id")
        .expr_as(Expr::col((users::Entity, users::Column::DisabledAt)), "disabled_at");
    add_columns::<patients::Entity>(&mut query, "p_");
    query
        .expr_as(Expr::exists(bookings_then()).or(Expr::exists(offers_then())), "is_busy")
        .from_subquery(entries, LINE)
        .inner_join(
            requests::Entity,
            Expr::col((requests::Entity, requests::Column::Id)).eq(of_line(Column::RequestId)),
        )
        .inner_join(
            patients::Entity,
            Expr::col((patients::Entity, patients::Column::Id))
                .eq(Expr::col((requests::Entity, requests::Column::PatientId))),
        )
        // Not an inner join: an entry that is left out would end the page early.
        .left_join(
            users::Entity,
            Expr::col((users::Entity, users::Column::Id)).eq(Expr::col((requests::Entity, requests::Column::UserId))),
        )
        .order_by((LINE, Column::Priority), Order::Asc)
        .order_by((LINE, Column::Id), Order::Asc)
        .limit(1);
    query
}

/// The first entries for a centre, or for any centre. Each part of a UNION has its own order and limit only in a subquery.
fn of_centre(is_centre: impl FnOnce(Expr) -> Expr) -> SelectStatement {
    let column = |column| Expr::col(column);
    let first = Query::select()
        .columns([Column::Id, Column::Priority, Column::RequestId])
        .from(Entries)
        .and_where(column(Column::CourseId).eq(Uuid::nil()))
        .and_where(is_centre(column(Column::CentreId)))
        // Not a parameter: otherwise SQLite does not use the partial index.
        .and_where(Expr::cust("status = 'waiting'"))
        .and_where(column(Column::FromDate).lte(NaiveDate::MIN))
        .and_where(column(Column::ToDate).is_null().or(column(Column::ToDate).gte(NaiveDate::MIN)))
        .and_where(
            Expr::tuple([column(Column::Priority), column(Column::Id)])
                .gt(Expr::tuple([Expr::value(0_i16), Expr::value(Uuid::nil())])),
        )
        .order_by(Column::Priority, Order::Asc)
        .order_by(Column::Id, Order::Asc)
        .limit(1)
        .to_owned();
    Query::select()
        .columns([Column::Id, Column::Priority, Column::RequestId])
        .from_subquery(first, "entries")
        .to_owned()
}

const OTHER: &str = "other";
const THEN: &str = "then";

/// The bookings of the patient at the time of the slot.
fn bookings_then() -> SelectStatement {
    let of_other = |column: requests::Column| Expr::col((OTHER, column));
    let its_slot = Expr::col((THEN, slots::Column::Id)).eq(of_other(requests::Column::SlotId));
    let mut query = others_of_patient();
    query.join_as(JoinType::InnerJoin, Slots, THEN, its_slot).and_where(is_booked(OTHER));
    at_that_time(query)
}

/// The offers to the patient at the time of the slot.
fn offers_then() -> SelectStatement {
    const OFFER: &str = "offer";
    let of_offer = |column: Column| Expr::col((OFFER, column));
    let its_request = of_offer(Column::RequestId).eq(Expr::col((OTHER, requests::Column::Id)));
    let its_slot = Expr::col((THEN, slots::Column::Id)).eq(of_offer(Column::SlotId));
    let mut query = others_of_patient();
    query
        .join_as(JoinType::InnerJoin, Entries, OFFER, its_request)
        .join_as(JoinType::InnerJoin, Slots, THEN, its_slot)
        .and_where(Expr::cust("offer.status = 'offered'"));
    at_that_time(query)
}

fn others_of_patient() -> SelectStatement {
    let patient_id = Expr::col((OTHER, requests::Column::PatientId));
    Query::select()
        .expr(Expr::cust("1"))
        .from_as(requests::Entity, OTHER)
        .and_where(patient_id.eq(Expr::col((patients::Entity, patients::Column::Id))))
        .to_owned()
}

/// Only slots at the time of the slot. With an OFFSET, PostgreSQL reads them for each patient. Otherwise it may read all
/// offers at that time once, of which there can be many.
fn at_that_time(mut query: SelectStatement) -> SelectStatement {
    let of_slot = |column: slots::Column| Expr::col((THEN, column));
    query
        .and_where(of_slot(slots::Column::StartsAt).lt(DateTime::<Utc>::UNIX_EPOCH))
        .and_where(of_slot(slots::Column::EndsAt).gt(DateTime::<Utc>::UNIX_EPOCH))
        .limit(1)
        .offset(0);
    query
}
