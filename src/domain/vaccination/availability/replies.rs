//! Lists of the slots of a centre: what is asked for, and the reply, which is put together from fragments.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::days::ListDays;
use super::fragments::{Fragment, ListedSlot, WriteSlot};
use super::representation::Representation;
use super::stamp::Stamp;
use crate::domain::values::page::{Page, Slice};

/// Position of a slot in a list, which is sorted by start and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Start.
    pub starts_at: DateTime<Utc>,
    /// Id, which makes the position unique.
    pub id: Uuid,
}

/// A list of the open slots of a centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SlotQuery {
    /// Centre.
    pub centre_id: Uuid,
    /// Only slots of this vaccine.
    pub vaccine_id: Option<Uuid>,
    /// First day, on the calendar of the centre; today by default.
    pub from: Option<NaiveDate>,
    /// Number of days.
    pub days: ListDays,
    /// Maximum number of slots; all by default.
    pub limit: Option<u64>,
    /// Position of the last slot of the page before.
    pub after: Option<Position>,
}

/// How a list is written as JSON.
#[derive(Clone, Copy, Debug)]
pub struct SlotFormat {
    /// Writes a slot.
    pub slot: WriteSlot,
    /// Writes the cursor of the page that starts after a position.
    pub cursor: fn(&Position) -> String,
    /// Writes a page of slots, with the cursor of the next one if there is one.
    pub page: fn(&[&[u8]], Option<&str>) -> Vec<u8>,
}

/// A reply, which is kept as long as it is good.
#[derive(Debug)]
pub struct Reply {
    /// The body.
    pub representation: Arc<Representation>,
    /// Cursor of the next page, if there is one.
    pub next_cursor: Option<String>,
    pub(super) stamp: Stamp,
}

impl Reply {
    /// A reply with this body. If the previous one had the same, its hash and its compressed form are taken over.
    pub(super) fn new(json: Vec<u8>, next_cursor: Option<String>, stamp: Stamp, previous: Option<Arc<Self>>) -> Self {
        let same = previous.filter(|previous| previous.representation.plain().bytes == json);
        let representation = match same {
            Some(previous) => Arc::clone(&previous.representation),
            None => Arc::new(Representation::new(json)),
        };
        Self { representation, next_cursor, stamp }
    }

    /// Bytes in memory.
    pub(super) fn weight(&self) -> usize {
        size_of::<(SlotQuery, Self)>() + self.representation.weight()
    }
}

impl ListedSlot {
    fn position(&self) -> Position {
        Position { starts_at: self.starts_at, id: self.id }
    }
}

/// The slots of fragments that a query asks for, as JSON.
pub(super) fn select<'a>(query: &SlotQuery, fragments: &'a [Arc<Fragment>]) -> Slice<&'a [u8], Position> {
    let is_wanted = |slot: &ListedSlot| {
        query.vaccine_id.is_none_or(|vaccine_id| slot.vaccine_id == vaccine_id)
            && query.after.is_none_or(|after| slot.position() > after)
    };
    let slots = fragments.iter().flat_map(|fragment| fragment.slots()).filter(|slot| is_wanted(slot.0));
    let Slice { items, next } = match query.limit {
        Some(limit) => {
            let page = Page { limit, after: query.after };
            let rows = usize::try_from(page.rows()).unwrap_or(usize::MAX);
            page.slice(slots.take(rows).collect(), |(slot, _)| slot.position())
        }
        None => Slice { items: slots.collect(), next: None },
    };
    Slice { items: items.into_iter().map(|(_, json)| json).collect(), next }
}
