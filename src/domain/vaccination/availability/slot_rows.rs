//! Rows of open slots. Columns are read by their position, which is faster than by name.

use entity::slots::{Column, Entity as Slots, Model};
use sea_orm::QueryResult;
use sea_orm::sea_query::SelectStatement;
use uuid::Uuid;

use crate::error::Result;

/// The columns of an open slot, in the order in which [`read`] reads them. The others are null.
const COLUMNS: [Column; 10] = [
    Column::Id,
    Column::CentreId,
    Column::VaccineId,
    Column::StartsAt,
    Column::EndsAt,
    Column::Capacity,
    Column::Booked,
    Column::Held,
    Column::InvitedOnly,
    Column::CreatedAt,
];

/// Adds the columns to a query.
pub(super) fn add_columns(query: &mut SelectStatement) {
    for column in COLUMNS {
        query.column((Slots, column));
    }
}

/// Reads the columns from position `first` on. `None` if no slot was joined.
pub(super) fn read(row: &QueryResult, first: usize) -> Result<Option<Model>> {
    let Some(id) = row.try_get_by_index::<Option<Uuid>>(first)? else { return Ok(None) };
    Ok(Some(Model {
        id,
        centre_id: row.try_get_by_index(first + 1)?,
        vaccine_id: row.try_get_by_index(first + 2)?,
        starts_at: row.try_get_by_index(first + 3)?,
        ends_at: row.try_get_by_index(first + 4)?,
        capacity: row.try_get_by_index(first + 5)?,
        booked: row.try_get_by_index(first + 6)?,
        held: row.try_get_by_index(first + 7)?,
        invited_only: row.try_get_by_index(first + 8)?,
        closed_at: None,
        closed_reason: None,
        created_at: row.try_get_by_index(first + 9)?,
    }))
}
