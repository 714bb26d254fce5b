//! Rows of vaccine requests, joined with their patient, contact, latest entry of the waitlist, slot and centre. Columns are
//! read by their position: looking up fifty names takes longer than all the rest.

use entity::{
    PatientRelation, WaitlistStatus, centres, contacts, patients, slots, users, vaccine_requests, waitlist_entries,
};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{
    EntityTrait, IdenStatic as _, Iterable, JoinType, QueryResult, QuerySelect as _, QueryTrait as _, Select,
    TryGetable, UpdateMany,
};
use uuid::Uuid;
use vaccine_requests::Column;

use crate::db::not_indexed;
use crate::domain::vaccination::request_list::{BookedSlot, ContactName, Request, WaitlistPlace};
use crate::error::Result;

/// The columns of a contact.
const CONTACT: [contacts::Column; 5] = [
    contacts::Column::FirstName,
    contacts::Column::LastName,
    contacts::Column::BirthMonth,
    contacts::Column::BirthDay,
    contacts::Column::BirthYear,
];

/// The statement that reads requests, with the columns that [`read`] reads, in that order.
pub(super) fn query(requests: Select<vaccine_requests::Entity>) -> SelectStatement {
    let mut query = requests.select_only().into_query();
    add_columns::<vaccine_requests::Entity>(&mut query, "r_");
    add_columns::<patients::Entity>(&mut query, "p_");
    add_columns::<waitlist_entries::Entity>(&mut query, "w_");
    query.expr_as(Expr::cust(AHEAD), "ahead");
    add_columns::<slots::Entity>(&mut query, "s_");
    query.column((centres::Entity, centres::Column::Name)).column((centres::Entity, centres::Column::TimeZone));
    query.column((users::Entity, users::Column::Nid)).column((users::Entity, users::Column::NidVerifiedAt));
    for column in CONTACT {
        query.column((contacts::Entity, column));
    }
    let of_request = |column| Expr::col((vaccine_requests::Entity, column));
    let of_patient = |column| Expr::col((patients::Entity, column));
    query
        .join(JoinType::InnerJoin, patients::Entity, of_patient(patients::Column::Id).eq(of_request(Column::PatientId)))
        .join(
            JoinType::LeftJoin,
            users::Entity,
            Expr::col((users::Entity, users::Column::Id))
                .eq(of_patient(patients::Column::UserId))
                .and(of_patient(patients::Column::Relation).eq(PatientRelation::Own)),
        )
        .join(
            JoinType::LeftJoin,
            contacts::Entity,
            Expr::col((contacts::Entity, contacts::Column::Id)).eq(of_patient(patients::Column::ContactId)),
        )
        .join(
            JoinType::LeftJoin,
            waitlist_entries::Entity,
            Expr::col((waitlist_entries::Entity, waitlist_entries::Column::Id))
                .eq(Expr::SubQuery(None, Box::new(latest_entry().into()))),
        )
        // The slot of the booking or of the offer: a request has never both.
        .join(JoinType::LeftJoin, slots::Entity, Expr::cust(ITS_SLOT))
        .join(
            JoinType::LeftJoin,
            centres::Entity,
            Expr::col((centres::Entity, centres::Column::Id)).eq(Expr::col((slots::Entity, slots::Column::CentreId))),
        );
    query
}

/// The slot of a row: booked, or offered.
const ITS_SLOT: &str = "slots.id = COALESCE(vaccine_requests.slot_id, \
    CASE WHEN waitlist_entries.status = 'offered' THEN waitlist_entries.slot_id END)";

/// Entries before an entry that waits, counted to 1,000: those for the same centre or for any; for an entry that takes any
/// centre, all of the course. Each range of an index is limited, because the line may be long.
const AHEAD: &str = "CASE WHEN waitlist_entries.status <> 'waiting' THEN NULL \
    WHEN waitlist_entries.centre_id IS NULL THEN (SELECT count(*) FROM (SELECT 1 FROM waitlist_entries AS other \
    WHERE other.course_id = waitlist_entries.course_id AND other.status = 'waiting' \
    AND (other.priority, other.id) < (waitlist_entries.priority, waitlist_entries.id) LIMIT 1000) AS ahead) \
    ELSE (SELECT count(*) FROM (SELECT 1 FROM (SELECT 1 FROM waitlist_entries AS other \
    WHERE other.course_id = waitlist_entries.course_id AND other.status = 'waiting' \
    AND other.centre_id = waitlist_entries.centre_id \
    AND (other.priority, other.id) < (waitlist_entries.priority, waitlist_entries.id) LIMIT 1000) AS here \
    UNION ALL SELECT 1 FROM (SELECT 1 FROM waitlist_entries AS other \
    WHERE other.course_id = waitlist_entries.course_id AND other.status = 'waiting' AND other.centre_id IS NULL \
    AND (other.priority, other.id) < (waitlist_entries.priority, waitlist_entries.id) LIMIT 1000) AS anywhere \
    LIMIT 1000) AS ahead) END";

/// The id of the latest entry of a request.
pub(super) fn latest_entry() -> SelectStatement {
    const LATEST: &str = "latest";
    let of_latest = |column: waitlist_entries::Column| Expr::col((LATEST, column));
    Query::select()
        .expr(of_latest(waitlist_entries::Column::Id))
        .from_as(waitlist_entries::Entity, LATEST)
        .and_where(of_latest(waitlist_entries::Column::RequestId).eq(Expr::col((vaccine_requests::Entity, Column::Id))))
        .order_by((LATEST, waitlist_entries::Column::Id), sea_orm::Order::Desc)
        .limit(1)
        .to_owned()
}

/// The condition that a request of a table or alias is booked, beside one on another column.
pub(super) fn is_booked(table: &str) -> Expr {
    not_indexed(Expr::cust(format!("{table}.status = 'booked'")))
}

/// Adds to an UPDATE that the patient is not at a centre.
pub(super) fn without_check_in(update: UpdateMany<vaccine_requests::Entity>) -> UpdateMany<vaccine_requests::Entity> {
    let columns = [Column::CheckedInAt, Column::CentreId, Column::IdentifiedBy, Column::Answers];
    columns.into_iter().fold(update, |update, column| update.col_expr(column, Expr::cust("NULL")))
}

/// The revision of a booking after a change.
pub(super) fn next_revision() -> Expr {
    Expr::cust("revision + 1")
}

/// Adds all columns of a table to a query, with a prefix.
pub(super) fn add_columns<E: EntityTrait>(query: &mut SelectStatement, prefix: &str) {
    for column in E::Column::iter() {
        query.expr_as(Expr::col((E::default(), column)), format!("{prefix}{}", column.as_str()));
    }
}

/// Reads a row of [`query`].
pub(super) fn read(row: &QueryResult) -> Result<Request> {
    let mut row = Columns { row, next: 0 };
    let request = request(&mut row)?;
    let patient = patient(&mut row)?;
    let (entry, ahead) = match row.peek::<Option<Uuid>>()? {
        Some(_) => (Some(entry(&mut row)?), row.next::<Option<i64>>()?),
        None => (row.skip(waitlist_entries::Column::iter().count() + 1), None),
    };
    let is_offered = entry.as_ref().is_some_and(|entry| entry.status == WaitlistStatus::Offered);
    let slot = match request.slot_id.is_some() || is_offered {
        true => Some(slot(&mut row)?),
        false => row.skip(slots::Column::iter().count()),
    };
    let slot = match slot {
        Some(slot) => Some(BookedSlot { slot, centre_name: row.next()?, time_zone: row.next()? }),
        None => row.skip(2),
    };
    let (nid, nid_verified_at) = (row.next()?, row.next()?);
    let contact = match patient.contact_id {
        Some(_) => Some(contact(&mut row)?),
        None => None,
    };
    let (slot, offered) = if request.slot_id.is_some() { (slot, None) } else { (None, slot) };
    let waitlist = entry.map(|entry| WaitlistPlace { entry, ahead, offered });
    Ok(Request { request, patient, nid, nid_verified_at, contact, slot, waitlist })
}

/// The columns of a row, one after the other.
struct Columns<'a> {
    row: &'a QueryResult,
    next: usize,
}

impl Columns<'_> {
    fn next<T: TryGetable>(&mut self) -> Result<T> {
        let index = self.next;
        self.next += 1;
        Ok(self.row.try_get_by_index(index)?)
    }

    /// Reads a column without moving on.
    fn peek<T: TryGetable>(&self) -> Result<T> {
        Ok(self.row.try_get_by_index(self.next)?)
    }

    /// Skips columns that are null, because nothing was joined.
    fn skip<T>(&mut self, count: usize) -> Option<T> {
        self.next += count;
        None
    }
}

fn request(row: &mut Columns<'_>) -> Result<vaccine_requests::Model> {
    Ok(vaccine_requests::Model {
        id: row.next()?,
        user_id: row.next()?,
        vaccine_id: row.next()?,
        dose_number: row.next()?,
        status: row.next()?,
        note: row.next()?,
        reason: row.next()?,
        reviewed_by: row.next()?,
        created_at: row.next()?,
        updated_at: row.next()?,
        patient_id: row.next()?,
        course_id: row.next()?,
        slot_id: row.next()?,
        code: row.next()?,
        moves: row.next()?,
        invitation_id: row.next()?,
        revision: row.next()?,
        checked_in_at: row.next()?,
        centre_id: row.next()?,
        identified_by: row.next()?,
        answers: row.next()?,
    })
}

fn patient(row: &mut Columns<'_>) -> Result<patients::Model> {
    Ok(patients::Model {
        id: row.next()?,
        user_id: row.next()?,
        contact_id: row.next()?,
        relation: row.next()?,
        name: row.next()?,
        given_name: row.next()?,
        family_name: row.next()?,
        birth_year: row.next()?,
        birth_month: row.next()?,
        birth_day: row.next()?,
        open_requests: row.next()?,
        created_at: row.next()?,
        updated_at: row.next()?,
    })
}

fn entry(row: &mut Columns<'_>) -> Result<waitlist_entries::Model> {
    Ok(waitlist_entries::Model {
        id: row.next()?,
        request_id: row.next()?,
        course_id: row.next()?,
        centre_id: row.next()?,
        from_date: row.next()?,
        to_date: row.next()?,
        priority: row.next()?,
        status: row.next()?,
        slot_id: row.next()?,
        offer_expires_at: row.next()?,
        searched_at: row.next()?,
        created_at: row.next()?,
        updated_at: row.next()?,
    })
}

fn slot(row: &mut Columns<'_>) -> Result<slots::Model> {
    Ok(slots::Model {
        id: row.next()?,
        centre_id: row.next()?,
        vaccine_id: row.next()?,
        starts_at: row.next()?,
        ends_at: row.next()?,
        capacity: row.next()?,
        booked: row.next()?,
        held: row.next()?,
        invited_only: row.next()?,
        closed_at: row.next()?,
        closed_reason: row.next()?,
        created_at: row.next()?,
    })
}

fn contact(row: &mut Columns<'_>) -> Result<ContactName> {
    Ok(ContactName {
        first_name: row.next()?,
        last_name: row.next()?,
        birth_month: row.next()?,
        birth_day: row.next()?,
        birth_year: row.next()?,
    })
}
