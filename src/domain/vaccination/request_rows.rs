//! Rows of vaccine requests, joined with their patient, contact, slot and centre. Columns are read by their position: looking
//! up fifty names takes longer than all the rest.

use entity::{PatientRelation, centres, contacts, patients, slots, users, vaccine_requests};
use sea_orm::sea_query::{Expr, ExprTrait, SelectStatement};
use sea_orm::{
    EntityTrait, IdenStatic as _, Iterable, JoinType, QueryResult, QuerySelect as _, QueryTrait as _, Select,
    TryGetable,
};
use vaccine_requests::Column;

use crate::domain::vaccination::request_list::{BookedSlot, ContactName, Request};
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
            slots::Entity,
            Expr::col((slots::Entity, slots::Column::Id)).eq(of_request(Column::SlotId)),
        )
        .join(
            JoinType::LeftJoin,
            centres::Entity,
            Expr::col((centres::Entity, centres::Column::Id)).eq(Expr::col((slots::Entity, slots::Column::CentreId))),
        );
    query
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
    let slot = match request.slot_id {
        Some(_) => Some(slot(&mut row)?),
        None => row.skip(slots::Column::iter().count()),
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
    Ok(Request { request, patient, nid, nid_verified_at, contact, slot })
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
