//! Recount: compares the counters of slots, patients and lots with the rows that they count, and looks for doses that count
//! twice. Each page is one statement, so that both sides are of the same moment.

use chrono::{DateTime, Utc};
use entity::{Role, immunizations, lots, patients, slots, vaccine_requests as requests, waitlist_entries as entries};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ConnectionTrait, EntityTrait};
use uuid::Uuid;

use crate::domain::values::actor::Actor;
use crate::domain::values::clock::Clock;
use crate::error::Result;

/// Rows of a page.
const PAGE: u64 = 5000;

/// Violations that are reported.
const MAX_VIOLATIONS: usize = 100;

/// Outcome of a recount.
#[derive(Clone, Debug)]
pub struct Recount {
    /// Time of the recount.
    pub checked_at: DateTime<Utc>,
    /// Number of slots.
    pub slots: u64,
    /// Number of patients.
    pub patients: u64,
    /// Number of lots.
    pub lots: u64,
    /// Number of doses that count.
    pub doses: u64,
    /// Counters that are wrong.
    pub violations: Vec<Miscount>,
}

/// A counter that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miscount {
    /// Name of the invariant, such as `slots_booked`.
    pub invariant: &'static str,
    /// Id of the row.
    pub id: Uuid,
    /// Value of the counter.
    pub stored: i64,
    /// Number of rows.
    pub counted: i64,
}

/// Recounts all slots and patients.
///
/// # Errors
/// [`Error::Forbidden`](crate::error::Error::Forbidden) unless the actor is staff.
pub async fn recount(db: &impl ConnectionTrait, clock: &Clock, actor: &Actor) -> Result<Recount> {
    actor.require(Role::Staff)?;
    let checked_at = clock.now();
    let mut violations = Vec::new();
    let mut pages = [0; 4];
    let tables = [
        ("slots_booked", booked_page as fn(Option<Uuid>) -> SelectStatement),
        ("slots_held", held_page),
        ("patients_open_requests", patient_page),
        ("lots_used", lot_page),
    ];
    for ((invariant, page), rows) in tables.into_iter().zip(&mut pages) {
        let mut after = None;
        loop {
            let found = db.query_all(&page(after)).await?;
            for row in &found {
                let (id, stored, counted): (Uuid, i64, i64) =
                    (row.try_get_by_index(0)?, i64::from(row.try_get_by_index::<i32>(1)?), row.try_get_by_index(2)?);
                after = Some(id);
                *rows += 1;
                if stored != counted && violations.len() < MAX_VIOLATIONS {
                    violations.push(Miscount { invariant, id, stored, counted });
                }
            }
            if found.len() as u64 != PAGE {
                break;
            }
        }
    }
    let [slots, _, patients, lots] = pages;
    violations.extend(twice_counted(db).await?);
    violations.truncate(MAX_VIOLATIONS);
    Ok(Recount { checked_at, slots, patients, lots, doses: counting_doses(db).await?, violations })
}

fn booked_page(after: Option<Uuid>) -> SelectStatement {
    let booked = Query::select()
        .expr(Expr::cust("count(*)"))
        .from(requests::Entity)
        .and_where(
            Expr::col((requests::Entity, requests::Column::SlotId)).eq(Expr::col((slots::Entity, slots::Column::Id))),
        )
        .to_owned();
    page(slots::Entity, "booked", booked, after)
}

fn held_page(after: Option<Uuid>) -> SelectStatement {
    let held = Query::select()
        .expr(Expr::cust("count(*)"))
        .from(entries::Entity)
        .and_where(
            Expr::col((entries::Entity, entries::Column::SlotId)).eq(Expr::col((slots::Entity, slots::Column::Id))),
        )
        // Not a parameter: otherwise SQLite does not use the partial index.
        .and_where(Expr::cust("waitlist_entries.status = 'offered'"))
        .to_owned();
    page(slots::Entity, "held", held, after)
}

fn patient_page(after: Option<Uuid>) -> SelectStatement {
    let open = Query::select()
        .expr(Expr::cust("count(*)"))
        .from(requests::Entity)
        .and_where(
            Expr::col((requests::Entity, requests::Column::PatientId))
                .eq(Expr::col((patients::Entity, patients::Column::Id))),
        )
        .and_where(Expr::col(requests::Column::Status).is_in(["pending", "approved", "booked"]))
        .to_owned();
    page(patients::Entity, "open_requests", open, after)
}

fn lot_page(after: Option<Uuid>) -> SelectStatement {
    let given = Query::select()
        .expr(Expr::cust("count(*)"))
        .from(immunizations::Entity)
        .and_where(
            Expr::col((immunizations::Entity, immunizations::Column::LotId))
                .eq(Expr::col((lots::Entity, lots::Column::Id))),
        )
        .and_where(Expr::cust("immunizations.status = 'completed'"))
        .to_owned();
    page(lots::Entity, "used", given, after)
}

/// The condition that a dose counts.
const COUNTS: &str = "status = 'completed' AND dose_number IS NOT NULL";

/// Doses of a patient that count with the same number of a course, by patient.
async fn twice_counted(db: &impl ConnectionTrait) -> Result<Vec<Miscount>> {
    use immunizations::Column;
    let twice = Query::select()
        .column(Column::PatientId)
        .expr(Expr::cust("count(*)"))
        .from(immunizations::Entity)
        .and_where(Expr::cust(COUNTS))
        .group_by_columns([Column::PatientId, Column::CourseId, Column::DoseNumber])
        .and_having(Expr::cust("count(*) > 1"))
        .limit(MAX_VIOLATIONS as u64)
        .to_owned();
    let rows = db.query_all(&twice).await?;
    let miscount = |row: &sea_orm::QueryResult| {
        let (id, counted) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        Ok(Miscount { invariant: "doses", id, stored: 1, counted })
    };
    rows.iter().map(miscount).collect()
}

async fn counting_doses(db: &impl ConnectionTrait) -> Result<u64> {
    let query = Query::select()
        .expr(Expr::cust("count(*)"))
        .from(immunizations::Entity)
        .and_where(Expr::cust(COUNTS))
        .to_owned();
    let row = db.query_one(&query).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

fn page<E: EntityTrait>(
    entity: E,
    counter: &'static str,
    counted: SelectStatement,
    after: Option<Uuid>,
) -> SelectStatement {
    let table = entity.to_string();
    let mut query = Query::select();
    query
        .expr(Expr::col((table.clone(), "id")))
        .expr(Expr::col((table.clone(), counter)))
        .expr(Expr::SubQuery(None, Box::new(counted.into())))
        .from(entity)
        .order_by((table.clone(), "id"), sea_orm::Order::Asc)
        .limit(PAGE);
    if let Some(after) = after {
        query.and_where(Expr::col((table, "id")).gt(after));
    }
    query
}
