//! Fragments: the open slots of one local day of a centre, as JSON. A reply consists of those of its days.

use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use entity::centres;
use entity::slots::{Column, Entity as Slots, Model};
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use uuid::Uuid;

use super::days::{Dates, Span};
use super::slot_rows;
use super::stamp::Stamp;
use crate::db::QueryText;
use crate::domain::vaccination::slots::Slot;
use crate::domain::values::time_zone::TimeZone;
use crate::error::Result;

/// Writes a slot as JSON, at the end of a buffer.
pub type WriteSlot = fn(&Slot, &mut Vec<u8>) -> Result<()>;

/// The slots of a day.
#[derive(Debug)]
pub(super) struct Fragment {
    pub stamp: Stamp,
    /// By start and id.
    slots: Vec<ListedSlot>,
    json: Vec<u8>,
}

/// A slot of a fragment: what filters and pages need to know.
#[derive(Debug)]
pub(super) struct ListedSlot {
    pub id: Uuid,
    pub vaccine_id: Uuid,
    pub starts_at: DateTime<Utc>,
    json: Range<usize>,
}

impl Fragment {
    fn new(stamp: Stamp) -> Self {
        Self { stamp, slots: Vec::new(), json: Vec::new() }
    }

    fn push(&mut self, slot: &Slot, write: WriteSlot) -> Result<()> {
        let begin = self.json.len();
        write(slot, &mut self.json)?;
        let Model { id, vaccine_id, starts_at, .. } = slot.slot;
        self.stamp = self.stamp.until(starts_at);
        self.slots.push(ListedSlot { id, vaccine_id, starts_at, json: begin..self.json.len() });
        Ok(())
    }

    /// The slots with their JSON.
    pub fn slots(&self) -> impl Iterator<Item = (&ListedSlot, &[u8])> {
        self.slots.iter().map(|slot| (slot, self.json.get(slot.json.clone()).unwrap_or_default()))
    }

    /// Bytes in memory.
    pub fn weight(&self) -> usize {
        size_of::<Self>() + self.json.capacity() + self.slots.capacity() * size_of::<ListedSlot>()
    }
}

/// The time zone of a centre, and open slots of it.
pub(super) struct Found {
    /// IANA name.
    pub time_zone: String,
    /// By start and id.
    slots: Vec<Model>,
}

impl Found {
    /// Reads a centre, and its open slots that start within a span, by one statement. `None` if there is no such centre.
    pub async fn read(db: &impl ConnectionTrait, centre_id: Uuid, span: Span) -> Result<Option<Self>> {
        static QUERY: QueryText = QueryText::new();
        let values = [span.begin.into(), span.end.into(), centre_id.into()];
        let rows = db.query_all_raw(QUERY.statement(db, values, query)).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let time_zone = first.try_get_by_index(0)?;
        let mut slots = Vec::with_capacity(rows.len());
        for row in &rows {
            slots.extend(slot_rows::read(row, 1)?);
        }
        // Not by the statement: PostgreSQL would sort what it has read in the order of an index.
        slots.sort_unstable_by_key(|slot| (slot.starts_at, slot.id));
        Ok(Some(Self { time_zone, slots }))
    }

    /// The fragments of these days, also of those without slots.
    pub fn into_fragments(
        self,
        dates: Dates,
        zone: &TimeZone,
        stamp: Stamp,
        write: WriteSlot,
    ) -> Result<Vec<(NaiveDate, Arc<Fragment>)>> {
        let midnights = dates.midnights(zone);
        let mut slots = self.slots.into_iter().peekable();
        let begin = midnights.first().copied().unwrap_or_default();
        while slots.next_if(|slot| slot.starts_at < begin).is_some() {}
        let mut fragments = Vec::with_capacity(midnights.len());
        for (date, end) in dates.iter().zip(midnights.into_iter().skip(1)) {
            let mut fragment = Fragment::new(stamp);
            while let Some(slot) = slots.next_if(|slot| slot.starts_at < end) {
                fragment.push(&Slot { slot, zone: zone.clone() }, write)?;
            }
            fragments.push((date, Arc::new(fragment)));
        }
        Ok(fragments)
    }
}

fn query() -> SelectStatement {
    let of_slot = |column| Expr::col((Slots, column));
    let of_centre = |column| Expr::col((centres::Entity, column));
    let is_open = of_slot(Column::CentreId)
        .eq(of_centre(centres::Column::Id))
        .and(of_slot(Column::StartsAt).gte(DateTime::<Utc>::UNIX_EPOCH))
        .and(of_slot(Column::StartsAt).lt(DateTime::<Utc>::UNIX_EPOCH))
        .and(of_slot(Column::ClosedAt).is_null());
    let mut query = Query::select();
    query.column((centres::Entity, centres::Column::TimeZone));
    slot_rows::add_columns(&mut query);
    query.from(centres::Entity).left_join(Slots, is_open).and_where(of_centre(centres::Column::Id).eq(Uuid::nil()));
    query
}
