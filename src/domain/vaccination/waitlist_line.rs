//! Line of a waitlist: the entries that wait for a place in a slot, in the order of priority and id, with what the rules
//! need to know about each patient.

use chrono::{DateTime, NaiveDate, Utc};
use entity::slots;
use entity::waitlist_entries::{Column, Entity as Entries};
use entity::{RequestStatus, centres, patients, vaccines};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{
    ConnectionTrait, DbErr, FromQueryResult as _, IdenStatic as _, Iterable as _, JoinType, QueryResult, Statement,
    Value,
};
use uuid::Uuid;

use crate::db::QueryText;
use crate::domain::vaccination::course_rules::{CourseRules, Schedules};
use crate::domain::vaccination::dose_history::{self, Doses};
use crate::domain::vaccination::eligibility::{self, Facts, Verdict};
use crate::domain::vaccination::request_rows::add_columns;
use crate::domain::values::time_zone::TimeZone;
use crate::error::Result;

/// The line for places of a vaccine in a centre.
pub(super) struct Line {
    vaccine: vaccines::Model,
    course: CourseRules,
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
    pub async fn of(db: &impl ConnectionTrait, schedules: &Schedules, slot: &slots::Model) -> Result<Option<Self>> {
        static QUERY: QueryText = QueryText::new();
        let values = [slot.vaccine_id.into(), slot.centre_id.into()];
        let Some(row) = db.query_one_raw(QUERY.statement(db, values, line_of)).await? else { return Ok(None) };
        let time_zone: String = row.try_get("", "time_zone")?;
        let vaccine = vaccines::Model::from_query_result(&row, "v_")?;
        Ok(Some(Self {
            course: schedules.rules(db, vaccine.course_id).await?,
            vaccine,
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
        let date = self.date(slot);
        let values: [Value; 7] = [
            slot.ends_at.into(),
            slot.starts_at.into(),
            self.vaccine.course_id.into(),
            self.centre_id.into(),
            date.into(),
            after.0.into(),
            after.1.into(),
        ];
        let statement = Statement::from_sql_and_values(db.get_database_backend(), page_text(limit), values);
        let rows = db.query_all_raw(statement).await?;
        let ids = rows.iter().map(|row| row.try_get("", "p_id")).collect::<std::result::Result<Vec<Uuid>, DbErr>>()?;
        let doses = if ids.is_empty() { Doses::new() } else { dose_history::of_patients(db, &ids).await? };
        rows.iter().map(|row| self.candidate(row, &doses, date)).collect()
    }

    fn candidate(&self, row: &QueryResult, doses: &Doses, date: NaiveDate) -> Result<Candidate> {
        let patient = patients::Model::from_query_result(row, "p_")?;
        let (entry_id, status): (Uuid, RequestStatus) = (row.try_get("", "entry_id")?, row.try_get("", "status")?);
        let account_id: Option<Uuid> = row.try_get("", "account_id")?;
        let disabled_at: Option<DateTime<Utc>> = row.try_get("", "disabled_at")?;
        let can_accept = account_id.is_some() && disabled_at.is_none();
        let number = row.try_get("", "dose_number")?;
        let doses = doses.get(&patient.id).map_or(&[][..], Vec::as_slice);
        let facts = Facts::of_dose(&patient, &self.course, &self.vaccine, doses, Some(number));
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

/// The statement that reads a page of a line: two ranges of an index, one for the centre and one for any centre, are
/// merged.
///
/// It is written by hand, because a limit of the query builder is a parameter: PostgreSQL then plans the statement each
/// time, which takes longer than reading the page. With an OFFSET, it reads the bookings and offers of each patient;
/// otherwise it may read all offers at that time.
fn page_text(limit: u64) -> String {
    let patient = patients::Column::iter().map(|column| column.as_str().to_owned());
    let patient: String = patient.map(|column| format!("patients.{column} AS p_{column}, ")).collect();
    let [here, anywhere] = ["centre_id = $4", "centre_id IS NULL"].map(|is_centre| {
        format!(
            "SELECT id, priority, request_id FROM waitlist_entries WHERE course_id = $3 AND {is_centre} \
            AND status = 'waiting' AND from_date <= $5 AND (to_date IS NULL OR to_date >= $5) \
            AND (priority, id) > ($6, $7) ORDER BY priority, id LIMIT {limit}"
        )
    });
    format!(
        "SELECT line.id AS entry_id, line.priority AS priority, vaccine_requests.status AS status, \
        vaccine_requests.dose_number AS dose_number, users.id AS account_id, users.disabled_at AS disabled_at, {patient}\
        EXISTS (SELECT 1 FROM vaccine_requests AS other JOIN slots AS other_slot ON other_slot.id = other.slot_id \
        WHERE other.patient_id = patients.id AND (other.status = 'booked') IS TRUE \
        AND other_slot.starts_at < $1 AND other_slot.ends_at > $2 LIMIT 1 OFFSET 0) \
        OR EXISTS (SELECT 1 FROM vaccine_requests AS other JOIN waitlist_entries AS offer ON offer.request_id = other.id \
        JOIN slots AS other_slot ON other_slot.id = offer.slot_id \
        WHERE other.patient_id = patients.id AND offer.status = 'offered' \
        AND other_slot.starts_at < $1 AND other_slot.ends_at > $2 LIMIT 1 OFFSET 0) AS is_busy \
        FROM (SELECT id, priority, request_id FROM ({here}) AS here \
        UNION ALL SELECT id, priority, request_id FROM ({anywhere}) AS anywhere) AS line \
        JOIN vaccine_requests ON vaccine_requests.id = line.request_id \
        JOIN patients ON patients.id = vaccine_requests.patient_id \
        LEFT JOIN users ON users.id = vaccine_requests.user_id \
        ORDER BY line.priority, line.id LIMIT {limit}"
    )
}
