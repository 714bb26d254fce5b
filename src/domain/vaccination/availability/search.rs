//! Search for centres with places for a course: by distance, or by the time of the next free slot.

use std::cmp::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, Utc};
use entity::centres;
use sea_orm::ConnectionTrait;
use tokio::sync::{Mutex as AsyncMutex, Semaphore};
use uuid::Uuid;

use super::bounded::{Bounded, Bounds};
use super::days::ListDays;
use super::replies::Reply;
use super::search_list::{List, ListKey};
use super::stamp::{Moment, Stamp};
use crate::domain::vaccination::slots::Slot;
use crate::domain::values::clock::Clock;
use crate::domain::values::coordinates::Coordinates;
use crate::error::{Error, Result};

/// Time without use after which a list or a reply is removed.
const IDLE: Duration = Duration::from_secs(10);

/// The weight of a list is its number of centres.
const LISTS: Bounds = Bounds { entries: 1_000, weight: 50_000, idle: IDLE };
const REPLIES: Bounds = Bounds { entries: 10_000, weight: 32 << 20, idle: IDLE };

/// Lists that are read at the same time. The other connections are for other requests.
const MAX_CONCURRENT: usize = 2;

/// A search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SearchQuery {
    /// Course.
    pub course_id: Uuid,
    /// First day, on the calendar of each centre; today by default.
    pub from: Option<NaiveDate>,
    /// Number of days.
    pub days: ListDays,
    /// Sorts by the distance from here.
    pub near: Option<Coordinates>,
    /// Maximum number of centres.
    pub limit: usize,
}

/// A centre with slots of the course, and its places.
#[derive(Clone, Debug)]
pub struct Place {
    /// The centre.
    pub centre: centres::Model,
    /// Number of free places.
    pub free: i64,
    /// The first slot with a free place.
    pub next_slot: Option<Slot>,
}

/// A centre that was found.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The centre and its places.
    pub place: &'a Place,
    /// Distance in kilometres, if both positions are known.
    pub distance_km: Option<f64>,
}

/// Writes the centres that were found as JSON.
pub type SearchFormat = fn(&[Found<'_>]) -> Result<Vec<u8>>;

/// A list, once it was read.
#[derive(Debug, Default)]
struct KeptList {
    list: Option<Arc<List>>,
    /// Locked by the one who reads.
    reading: Arc<AsyncMutex<()>>,
    /// When the last query began that failed.
    failed: Option<Instant>,
}

/// What is kept of searches.
#[derive(Debug)]
struct Memory {
    /// One more with each change.
    generation: u64,
    lists: Bounded<ListKey, KeptList>,
    replies: Bounded<SearchQuery, Arc<Reply>>,
}

/// Searches, with what is kept of them.
#[derive(Debug)]
pub(super) struct Search {
    memory: Mutex<Memory>,
    permits: Semaphore,
}

impl Default for Search {
    fn default() -> Self {
        let memory = Memory { generation: 1, lists: Bounded::new(LISTS), replies: Bounded::new(REPLIES) };
        Self { memory: Mutex::new(memory), permits: Semaphore::new(MAX_CONCURRENT) }
    }
}

impl SearchQuery {
    fn key(&self) -> ListKey {
        (self.course_id, self.from, self.days)
    }
}

impl Search {
    /// Makes everything outdated.
    pub fn changed(&self) {
        self.memory().generation += 1;
    }

    /// Finds centres, as [`Availability::search`](super::Availability::search).
    pub async fn find(
        &self,
        db: &impl ConnectionTrait,
        clock: &Clock,
        query: &SearchQuery,
        format: SearchFormat,
    ) -> Result<Arc<Reply>> {
        let arrived = Moment::now(clock);
        if let Some(reply) = self.kept(query, format, arrived.instant, arrived)? {
            return Ok(reply);
        }
        let reading = self.reading(query, arrived.instant);
        let _reading = reading.lock().await;
        if let Some(reply) = self.kept(query, format, arrived.instant, Moment::now(clock))? {
            return Ok(reply);
        }
        if self.has_failed(query, arrived.instant) {
            return Err(Error::Busy);
        }
        let began = Instant::now();
        let list = self.read(db, clock, query).await;
        let list = list.inspect_err(|error| self.note_failure(query, began, error))?;
        self.reply(query, &list, format)
    }

    /// A reply from what is kept, for a request that arrived at an instant.
    fn kept(
        &self,
        query: &SearchQuery,
        format: SearchFormat,
        arrived: Instant,
        at: Moment,
    ) -> Result<Option<Arc<Reply>>> {
        let mut memory = self.memory();
        let generation = memory.generation;
        let is_good = |stamp: &Stamp| stamp.is_good(generation, arrived, at);
        if let Some(reply) = memory.replies.get(query, at.instant).filter(|reply| is_good(&reply.stamp)) {
            return Ok(Some(Arc::clone(reply)));
        }
        let list = memory.lists.get(&query.key(), at.instant).and_then(|kept| kept.list.clone());
        drop(memory);
        list.filter(|list| is_good(&list.stamp)).map(|list| self.reply(query, &list, format)).transpose()
    }

    /// Chooses centres of a list, and keeps the reply.
    fn reply(&self, query: &SearchQuery, list: &List, format: SearchFormat) -> Result<Arc<Reply>> {
        let json = format(&list.select(query))?;
        let mut memory = self.memory();
        let previous = memory.replies.peek(query).cloned();
        drop(memory);
        let reply = Arc::new(Reply::new(json, None, list.stamp, previous));
        self.memory().replies.insert(*query, Arc::clone(&reply), reply.weight(), Instant::now());
        Ok(reply)
    }

    /// Reads the list of a query from the database, and keeps it.
    async fn read(&self, db: &impl ConnectionTrait, clock: &Clock, query: &SearchQuery) -> Result<Arc<List>> {
        let _permit = self.permits.acquire().await.map_err(Error::internal)?;
        let at = Moment::now(clock);
        // Taken before the query: a change meanwhile makes another one.
        let generation = self.memory().generation;
        let stamp = Stamp { generation, began: at.instant, until: DateTime::<Utc>::MAX_UTC };
        let list = Arc::new(List::read(db, query.key(), stamp, at.time).await?);
        let mut memory = self.memory();
        let reading = Arc::clone(&memory.lists.get_or_insert_with(query.key(), at.instant, KeptList::default).reading);
        let kept = KeptList { list: Some(Arc::clone(&list)), reading, failed: None };
        memory.lists.insert(query.key(), kept, list.places.len(), at.instant);
        drop(memory);
        Ok(list)
    }

    fn reading(&self, query: &SearchQuery, now: Instant) -> Arc<AsyncMutex<()>> {
        Arc::clone(&self.memory().lists.get_or_insert_with(query.key(), now, KeptList::default).reading)
    }

    /// Notes that a query failed. An unknown course is no failure.
    fn note_failure(&self, query: &SearchQuery, began: Instant, error: &Error) {
        if matches!(error, Error::Invalid(_)) {
            return;
        }
        if let Some(kept) = self.memory().lists.peek(&query.key()) {
            kept.failed = Some(began);
        }
    }

    fn has_failed(&self, query: &SearchQuery, arrived: Instant) -> bool {
        let mut memory = self.memory();
        memory.lists.peek(&query.key()).and_then(|kept| kept.failed).is_some_and(|began| began > arrived)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Found<'_> {
    pub(super) fn by_distance(&self, other: &Self) -> Ordering {
        let distance = |found: &Self| found.distance_km.unwrap_or(f64::INFINITY);
        distance(self).total_cmp(&distance(other)).then_with(|| self.place.name().cmp(&other.place.name()))
    }
}

impl Place {
    /// By the next free slot, full centres last; then by name and id.
    pub(super) fn order(&self) -> (bool, Option<DateTime<Utc>>, (&str, Uuid)) {
        let starts_at = self.next_slot.as_ref().map(|next| next.slot.starts_at);
        (starts_at.is_none(), starts_at, self.name())
    }

    fn name(&self) -> (&str, Uuid) {
        (&self.centre.name, self.centre.id)
    }

    pub(super) fn coordinates(&self) -> Option<Coordinates> {
        Coordinates::of(self.centre.latitude?, self.centre.longitude?)
    }
}
