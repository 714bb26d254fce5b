//! What is kept of centres: their time zones, fragments and replies, with one generation for each centre.
//!
//! No two centres and no two changes have the same generation. So what was read before a change is never current again, not
//! even if the centre was forgotten meanwhile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, Utc};
use tokio::sync::Mutex as AsyncMutex;
use uuid::Uuid;

use super::bounded::{Bounded, Bounds};
use super::days::{Dates, Span, next_midnight};
use super::fragments::Fragment;
use super::replies::{Reply, SlotQuery};
use super::stamp::{Moment, Stamp};
use crate::domain::values::time_zone::TimeZone;

/// Time without use after which fragments and replies are removed. They are good for a second; a reply that is read again
/// soon after may have the same body.
const IDLE: Duration = Duration::from_secs(10);

const CENTRES: Bounds = Bounds { entries: 10_000, weight: usize::MAX, idle: Duration::from_secs(3600) };
const FRAGMENTS: Bounds = Bounds { entries: 50_000, weight: 128 << 20, idle: IDLE };
const REPLIES: Bounds = Bounds { entries: 10_000, weight: 64 << 20, idle: IDLE };

/// Time after a query within which the days that were asked for since are asked for again.
const POLLING: Duration = Duration::from_secs(2);

/// Maximum number of days of one query.
const MAX_DAYS: i64 = 62;

/// What is kept of centres.
#[derive(Debug)]
pub(super) struct Store {
    last_generation: u64,
    centres: Bounded<Uuid, Centre>,
    fragments: Bounded<(Uuid, NaiveDate), Arc<Fragment>>,
    replies: Bounded<SlotQuery, Arc<Reply>>,
}

#[derive(Debug)]
struct Centre {
    generation: u64,
    known: Option<Arc<Known>>,
    /// The days that were asked for since they were read.
    asked: Option<Dates>,
    /// Locked by the one who reads.
    reading: Arc<AsyncMutex<()>>,
    /// When the last query began that failed.
    failed: Option<Instant>,
}

/// What is known of a centre.
#[derive(Debug)]
pub(super) struct Known {
    /// Name of the time zone in the database.
    pub time_zone: String,
    pub zone: TimeZone,
    pub stamp: Stamp,
}

/// A query that begins.
pub(super) struct Begun {
    pub generation: u64,
    pub known: Option<Arc<Known>>,
    /// Days that others ask for again and again.
    asked: Option<Dates>,
}

/// The parts of a reply.
pub(super) struct Parts {
    pub known: Arc<Known>,
    pub fragments: Vec<Arc<Fragment>>,
    /// When the next day of the centre begins, which may have other days in lists.
    next_day: DateTime<Utc>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            last_generation: 0,
            centres: Bounded::new(CENTRES),
            fragments: Bounded::new(FRAGMENTS),
            replies: Bounded::new(REPLIES),
        }
    }
}

impl Known {
    /// The days of a list.
    pub fn dates(&self, query: &SlotQuery, now: DateTime<Utc>) -> Option<Dates> {
        Dates::of_list(query.from, query.days, self.zone.date(now))
    }
}

impl Begun {
    /// The days that the query has to read: those of the list, and those that others ask for. Then many who ask for
    /// different days together cause one query a second.
    pub fn dates(&self, known: &Known, query: &SlotQuery, now: DateTime<Utc>) -> Option<Dates> {
        match (known.dates(query, now), self.asked) {
            (Some(own), Some(asked)) => {
                let all = own.including(asked);
                Some(if all.count() <= MAX_DAYS { all } else { own })
            }
            (own, asked) => own.or(asked),
        }
    }

    /// The time in which slots have to be read.
    pub fn span(&self, query: &SlotQuery, now: DateTime<Utc>) -> Span {
        match &self.known {
            Some(known) => self.dates(known, query, now).map_or(Span::empty(now), |dates| dates.span(&known.zone, now)),
            None => Span::of_list_anywhere(query.from, query.days, now),
        }
    }
}

impl Parts {
    /// The parts of a reply whose fragments are these.
    pub fn new(known: Arc<Known>, fragments: Vec<Arc<Fragment>>, now: DateTime<Utc>) -> Self {
        let next_day = next_midnight(&known.zone, now);
        Self { known, fragments, next_day }
    }

    pub fn stamp(&self) -> Stamp {
        let stamp = self.known.stamp.until(self.next_day);
        self.fragments.iter().fold(stamp, |stamp, fragment| stamp.and(fragment.stamp))
    }
}

impl Store {
    /// Makes everything that was read of a centre outdated.
    pub fn changed(&mut self, centre_id: Uuid) {
        if let Some(centre) = self.centres.peek(&centre_id) {
            self.last_generation += 1;
            centre.generation = self.last_generation;
        }
    }

    /// A reply that is good for a request that arrived at an instant.
    pub fn reply(&mut self, query: &SlotQuery, arrived: Instant, at: Moment) -> Option<Arc<Reply>> {
        let generation = self.centres.get(&query.centre_id, at.instant)?.generation;
        let reply = self.replies.get(query, at.instant)?;
        reply.stamp.is_good(generation, arrived, at).then(|| Arc::clone(reply))
    }

    /// The last reply to a query, good or not.
    pub fn last_reply(&mut self, query: &SlotQuery) -> Option<Arc<Reply>> {
        self.replies.peek(query).cloned()
    }

    pub fn keep_reply(&mut self, query: SlotQuery, reply: Arc<Reply>, now: Instant) {
        let weight = reply.weight();
        self.replies.insert(query, reply, weight, now);
    }

    /// The parts of a reply, if all are good for a request that arrived at an instant.
    pub fn parts(&mut self, query: &SlotQuery, arrived: Instant, at: Moment) -> Option<Parts> {
        let centre = self.centres.get(&query.centre_id, at.instant)?;
        let generation = centre.generation;
        let is_good = |stamp: &Stamp| stamp.is_good(generation, arrived, at);
        let known = centre.known.as_ref().filter(|known| is_good(&known.stamp)).map(Arc::clone)?;
        let dates = known.dates(query, at.time);
        let mut fragments = Vec::new();
        for date in dates.into_iter().flat_map(Dates::iter) {
            let fragment = self.fragments.get(&(query.centre_id, date), at.instant)?;
            if !is_good(&fragment.stamp) {
                return None;
            }
            fragments.push(Arc::clone(fragment));
        }
        centre.asked = match (centre.asked, dates) {
            (Some(asked), Some(dates)) => Some(asked.including(dates)),
            (asked, dates) => asked.or(dates),
        };
        Some(Parts::new(known, fragments, at.time))
    }

    /// The lock of those who read a centre.
    pub fn reading(&mut self, centre_id: Uuid, now: Instant) -> Arc<AsyncMutex<()>> {
        Arc::clone(&self.centre(centre_id, now).reading)
    }

    /// Begins a query. Its generation is taken before.
    pub fn begin(&mut self, centre_id: Uuid, now: Instant) -> Begun {
        let centre = self.centre(centre_id, now);
        let known = centre.known.clone();
        let is_polled = known.as_ref().is_some_and(|known| now.saturating_duration_since(known.stamp.began) < POLLING);
        Begun { generation: centre.generation, known, asked: centre.asked.filter(|_| is_polled) }
    }

    /// Keeps what was read. If there was a change meanwhile, it is good for those only who have waited for it.
    pub fn keep(&mut self, query: &SlotQuery, known: Arc<Known>, fragments: &[(NaiveDate, Arc<Fragment>)], at: Moment) {
        let centre = self.centre(query.centre_id, at.instant);
        centre.asked = known.dates(query, at.time);
        centre.known = Some(known);
        for (date, fragment) in fragments {
            let key = (query.centre_id, *date);
            self.fragments.insert(key, Arc::clone(fragment), fragment.weight(), at.instant);
        }
    }

    /// Notes that a query failed.
    pub fn note_failure(&mut self, centre_id: Uuid, began: Instant) {
        if let Some(centre) = self.centres.peek(&centre_id) {
            centre.failed = Some(began);
        }
    }

    /// Whether a query failed that began after an instant.
    pub fn has_failed(&mut self, centre_id: Uuid, arrived: Instant) -> bool {
        self.centres.peek(&centre_id).and_then(|centre| centre.failed).is_some_and(|began| began > arrived)
    }

    /// Forgets a centre, which does not exist or has another time zone.
    pub fn forget(&mut self, centre_id: Uuid) {
        self.centres.remove(&centre_id);
    }

    fn centre(&mut self, id: Uuid, now: Instant) -> &mut Centre {
        let last_generation = &mut self.last_generation;
        self.centres.get_or_insert_with(id, now, || {
            *last_generation += 1;
            Centre { generation: *last_generation, known: None, asked: None, reading: Arc::default(), failed: None }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_generation_never_comes_back() {
        let (mut store, id, now) = (Store::default(), Uuid::now_v7(), Instant::now());
        let mut seen = BTreeSet::new();
        for _ in 0..3 {
            assert!(seen.insert(store.begin(id, now).generation));
            assert_eq!(store.begin(id, now).generation, store.begin(id, now).generation);
            assert!(seen.insert(store.begin(Uuid::now_v7(), now).generation));
            store.changed(id);
            assert!(seen.insert(store.begin(id, now).generation));
            store.forget(id);
            store.changed(id);
        }
        assert!(!seen.contains(&0));
    }

    #[test]
    fn those_who_waited_for_a_failed_query_do_not_repeat_it() {
        let (mut store, id, arrived) = (Store::default(), Uuid::now_v7(), Instant::now());
        store.reading(id, arrived);
        let began = arrived + Duration::from_millis(1);
        assert!(!store.has_failed(id, arrived));
        store.note_failure(id, began);
        assert!(store.has_failed(id, arrived));
        assert!(!store.has_failed(id, began));
    }
}
