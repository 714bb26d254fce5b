//! Availability: the open slots of a centre, and the centres that have free places. Anyone reads it, many again and again, so
//! it is kept in memory.
//!
//! What was read is good until this instance commits a change there (`Availability::changed`), until a slot in it begins,
//! and for at most a second, because another instance or a command may change the database. If it is not good, one request
//! reads it again by one query, and the others wait for that. Bookings never use it.

mod bounded;
mod days;
mod fragments;
pub mod replies;
pub mod representation;
pub mod search;
mod search_list;
mod search_rows;
mod slot_rows;
mod stamp;
mod store;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::domain::auth::read_limiter::ReadLimiter;
use crate::domain::values::clock::Clock;
use crate::domain::values::time_zone::TimeZone;
use crate::error::{Error, Result};
pub use days::ListDays;
use fragments::Found;
use replies::{Reply, SlotFormat, SlotQuery, select};
use search::{Search, SearchFormat, SearchQuery};
use stamp::{Moment, Stamp};
use store::{Known, Parts, Store};

/// What is kept of centres and their slots, and the limiter of those who read it.
#[derive(Debug, Default)]
pub struct Availability {
    store: Mutex<Store>,
    search: Search,
    /// Limiter of reads.
    pub reads: ReadLimiter,
}

impl Availability {
    /// Makes outdated what is kept of these centres. Called after each commit that changes them or their slots, and before
    /// its response.
    pub(in crate::domain) fn changed(&self, centres: impl IntoIterator<Item = Uuid>) {
        let mut is_changed = false;
        for centre_id in centres {
            self.store().changed(centre_id);
            is_changed = true;
        }
        if is_changed {
            self.search.changed();
        }
    }

    /// Lists the open slots of a centre for some local days by time, full ones too. A slot that has begun is not listed, nor
    /// one that is more than 400 days ahead.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such centre; [`Error::Busy`] if the query of another request failed meanwhile.
    pub async fn slots(
        &self,
        db: &impl ConnectionTrait,
        clock: &Clock,
        query: &SlotQuery,
        format: SlotFormat,
    ) -> Result<Arc<Reply>> {
        let arrived = Moment::now(clock);
        if let Some(reply) = self.kept(query, format, arrived.instant, arrived) {
            return Ok(reply);
        }
        let reading = self.store().reading(query.centre_id, arrived.instant);
        // Dropped with the request, if the client goes away: then the next one reads.
        let _reading = reading.lock().await;
        if let Some(reply) = self.kept(query, format, arrived.instant, Moment::now(clock)) {
            return Ok(reply);
        }
        if self.store().has_failed(query.centre_id, arrived.instant) {
            // Those who wait do not all try again, one after the other.
            return Err(Error::Busy);
        }
        let began = Instant::now();
        let parts = self.read(db, clock, query, format).await;
        let parts = parts.inspect_err(|_| self.store().note_failure(query.centre_id, began))?;
        Ok(self.reply(query, &parts, format))
    }

    /// Finds the centres with places for a course.
    ///
    /// # Errors
    /// A violation in `course_id` if there is no such course.
    pub async fn search(
        &self,
        db: &impl ConnectionTrait,
        clock: &Clock,
        query: &SearchQuery,
        format: SearchFormat,
    ) -> Result<Arc<Reply>> {
        self.search.find(db, clock, query, format).await
    }

    /// A reply from what is kept, for a request that arrived at an instant.
    fn kept(&self, query: &SlotQuery, format: SlotFormat, arrived: Instant, at: Moment) -> Option<Arc<Reply>> {
        let mut store = self.store();
        if let Some(reply) = store.reply(query, arrived, at) {
            return Some(reply);
        }
        let parts = store.parts(query, arrived, at)?;
        drop(store);
        Some(self.reply(query, &parts, format))
    }

    /// Puts a reply together, and keeps it.
    fn reply(&self, query: &SlotQuery, parts: &Parts, format: SlotFormat) -> Arc<Reply> {
        let slots = select(query, &parts.fragments);
        let next_cursor = slots.next.map(|position| (format.cursor)(&position));
        let json = (format.page)(&slots.items, next_cursor.as_deref());
        let previous = self.store().last_reply(query);
        let reply = Arc::new(Reply::new(json, next_cursor, parts.stamp(), previous));
        self.store().keep_reply(*query, Arc::clone(&reply), Instant::now());
        reply
    }

    /// Reads the slots of a list from the database, and keeps them.
    async fn read(
        &self,
        db: &impl ConnectionTrait,
        clock: &Clock,
        query: &SlotQuery,
        format: SlotFormat,
    ) -> Result<Parts> {
        loop {
            let at = Moment::now(clock);
            // The generation is taken before the query: a change meanwhile makes another one.
            let begun = self.store().begin(query.centre_id, at.instant);
            let found = Found::read(db, query.centre_id, begun.span(query, at.time)).await?;
            let Some(found) = found else {
                self.store().forget(query.centre_id);
                return Err(Error::NotFound);
            };
            if begun.known.as_ref().is_some_and(|known| known.time_zone != found.time_zone) {
                // The query was for the days of another time zone, and so is everything that is kept.
                self.store().forget(query.centre_id);
                continue;
            }
            let zone = match &begun.known {
                Some(known) => known.zone.clone(),
                None => parse_zone(&found.time_zone)?,
            };
            let stamp = Stamp { generation: begun.generation, began: at.instant, until: DateTime::<Utc>::MAX_UTC };
            let known = Arc::new(Known { time_zone: found.time_zone.clone(), zone, stamp });
            let fragments = match begun.dates(&known, query, at.time) {
                Some(dates) => found.into_fragments(dates, &known.zone, stamp, format.slot)?,
                None => Vec::new(),
            };
            self.store().keep(query, Arc::clone(&known), &fragments, at);
            let own = known.dates(query, at.time);
            let is_own = |date| own.is_some_and(|own| own.contains(date));
            let fragments = fragments.into_iter().filter(|(date, _)| is_own(*date)).map(|(_, fragment)| fragment);
            let fragments = fragments.collect();
            return Ok(Parts::new(known, fragments, at.time));
        }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A time zone of the database.
fn parse_zone(name: &str) -> Result<TimeZone> {
    // The name was checked when it was stored.
    TimeZone::parse(name).map_err(|violation| Error::internal(violation.message.into_owned()))
}
