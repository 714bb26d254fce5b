//! All centres with slots of a course: a search chooses from them.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use entity::centres;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::days::{Dates, ListDays, Span, next_midnight};
use super::parse_zone;
use super::search::{Found, Place, SearchQuery};
use super::search_rows::{self, Totals, ZoneSpan};
use super::stamp::Stamp;
use crate::domain::vaccination::slots::Slot;
use crate::domain::values::time_zone::TimeZone;
use crate::error::{Result, Violation};

/// What a list depends on. Order and number of the centres are chosen from it.
pub(super) type ListKey = (Uuid, Option<NaiveDate>, ListDays);

/// All centres with slots of a course in some days, the next free slot first.
#[derive(Debug)]
pub(super) struct List {
    pub stamp: Stamp,
    pub places: Vec<Place>,
}

impl List {
    /// Reads a list by three statements.
    pub async fn read(db: &impl ConnectionTrait, key: ListKey, stamp: Stamp, now: DateTime<Utc>) -> Result<Self> {
        let vaccines = search_rows::vaccines_of(db, key.0).await?;
        let vaccines = vaccines.ok_or_else(|| Violation::new("course_id", "unknown", "is not a course"))?;
        let centres = search_rows::active_centres(db).await?;
        let zones = Zones::of(&centres, key, now)?;
        let mut totals: HashMap<Uuid, Vec<Totals>> = HashMap::new();
        if !vaccines.is_empty() && !zones.spans.is_empty() {
            for row in search_rows::totals(db, &vaccines, &zones.spans).await? {
                totals.entry(row.centre_id).or_default().push(row);
            }
        }
        let starts = totals.values().flatten().map(|row| row.first);
        let until = starts.chain([zones.next_day]).fold(stamp.until, Ord::min);
        let place = |centre: centres::Model| {
            let rows = totals.remove(&centre.id)?;
            zones.place(centre, rows)
        };
        let mut places: Vec<Place> = centres.into_iter().filter_map(place).collect();
        places.sort_by(|one, other| one.order().cmp(&other.order()));
        Ok(Self { stamp: stamp.until(until), places })
    }

    /// The centres of a query.
    pub fn select(&self, query: &SearchQuery) -> Vec<Found<'_>> {
        let distance = |place: &Place| Some(query.near?.distance_km(place.coordinates()?));
        let mut found: Vec<_> = self.places.iter().map(|place| Found { place, distance_km: distance(place) }).collect();
        if query.near.is_some() {
            found.sort_by(Found::by_distance);
        }
        found.truncate(query.limit);
        found
    }
}

/// The time zones of centres, and the time of the days of a list in each of them.
struct Zones {
    /// Each span once: zones with the same clock have the same.
    spans: Vec<ZoneSpan>,
    by_name: HashMap<String, TimeZone>,
    /// When the next day begins in one of them.
    next_day: DateTime<Utc>,
}

impl Zones {
    fn of(centres: &[centres::Model], (_, from, days): ListKey, now: DateTime<Utc>) -> Result<Self> {
        let mut zones = Self { spans: Vec::new(), by_name: HashMap::new(), next_day: DateTime::<Utc>::MAX_UTC };
        for centre in centres {
            if zones.by_name.contains_key(&centre.time_zone) {
                continue;
            }
            let zone = parse_zone(&centre.time_zone)?;
            zones.next_day = Ord::min(zones.next_day, next_midnight(&zone, now));
            if let Some(dates) = Dates::of_list(from, days, zone.date(now)) {
                zones.add(dates.span(&zone, now), centre.time_zone.clone());
            }
            zones.by_name.insert(centre.time_zone.clone(), zone);
        }
        Ok(zones)
    }

    fn add(&mut self, span: Span, zone: String) {
        match self.spans.iter_mut().find(|known| known.span == span) {
            Some(known) => known.zones.push(zone),
            None => self.spans.push(ZoneSpan { span, zones: vec![zone] }),
        }
    }

    /// A centre with its places. `None` if it has no slots in the days of its zone.
    fn place(&self, centre: centres::Model, rows: Vec<Totals>) -> Option<Place> {
        let zone = self.by_name.get(&centre.time_zone)?;
        let free = rows.first()?.free?;
        let next = rows.into_iter().filter_map(|row| row.next).min_by_key(|slot| (slot.starts_at, slot.id));
        Some(Place { centre, free, next_slot: next.map(|slot| Slot { slot, zone: zone.clone() }) })
    }
}
