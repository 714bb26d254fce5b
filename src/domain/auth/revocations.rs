//! Revocations: in-memory list of the sessions that have ended while their access tokens may not have expired.
//!
//! The instance that ends a session adds it at once; the others read new entries every second. So checking a request is
//! a lookup in a map, without a query, and a revoked token is accepted for one second at most. While the list cannot be read
//! for longer than the configured age, every access token is refused.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use chrono::{DateTime, Duration, Utc};
use entity::refresh_tokens;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::error::{Error, Result};

/// Overlap of two reads: longer than a transaction may take from setting
/// `revoked_at` until its commit is visible, and than the clocks of two instances may differ.
const OVERLAP: Duration = Duration::seconds(60);

/// Rows that one query reads.
const PAGE: usize = 10_000;

/// List of revoked sessions. All clones share it.
#[derive(Clone, Debug)]
pub struct Revocations {
    /// Time at which each session ended, in seconds. 32 bits, which last until 2106, save memory: the list may have a
    /// million entries.
    sessions: Arc<RwLock<HashMap<Uuid, u32>>>,
    /// When the last successful reading began, in milliseconds of a monotonic clock since `created`.
    read_at: Arc<AtomicU64>,
    created: Instant,
    max_age: std::time::Duration,
}

impl Revocations {
    /// Creates an empty list, which is out of date if it has not been read for `max_age`.
    #[must_use]
    pub fn new(max_age: std::time::Duration) -> Self {
        Self { sessions: Arc::default(), read_at: Arc::default(), created: Instant::now(), max_age }
    }

    /// Checks that the list is up to date. If it is not, a session that another instance has ended may be missing.
    ///
    /// # Errors
    /// [`Error::Outdated`].
    pub fn check_age(&self) -> Result<()> {
        let age = self.now_millis().saturating_sub(self.read_at.load(Ordering::Relaxed));
        if u128::from(age) > self.max_age.as_millis() { Err(Error::Outdated) } else { Ok(()) }
    }

    fn now_millis(&self) -> u64 {
        u64::try_from(self.created.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether the session has ended.
    #[must_use]
    pub fn contains(&self, session_id: Uuid) -> bool {
        self.sessions.read().unwrap_or_else(PoisonError::into_inner).contains_key(&session_id)
    }

    /// Adds sessions that have just ended.
    pub fn add(&self, sessions: impl IntoIterator<Item = Uuid>, revoked_at: DateTime<Utc>) {
        let sessions = sessions.into_iter().map(|id| (id, seconds(revoked_at)));
        self.sessions.write().unwrap_or_else(PoisonError::into_inner).extend(sessions);
    }

    /// Removes the sessions that ended before `horizon`: all their access tokens have expired.
    ///
    /// They are kept a little longer, because the last token of a session may be issued shortly after `revoked_at`.
    pub fn remove_expired(&self, horizon: DateTime<Utc>) {
        let horizon = seconds(horizon - OVERLAP);
        self.sessions.write().unwrap_or_else(PoisonError::into_inner).retain(|_, revoked_at| *revoked_at >= horizon);
    }

    /// Reads the sessions that ended since `since`, with an overlap.
    ///
    /// # Errors
    /// Database errors; the list is then unchanged or partly updated.
    pub async fn read(&self, db: &impl ConnectionTrait, since: DateTime<Utc>) -> Result<()> {
        use refresh_tokens::Column;
        let began = self.now_millis();
        let place = |time: DateTime<Utc>, id: Uuid| Expr::tuple([Expr::value(time), Expr::value(id)]);
        let mut last = (since - OVERLAP, Uuid::max());
        // Reads page by page, because after many logouts all rows together would need far more memory than the list.
        loop {
            let ended: Vec<(Uuid, DateTime<Utc>)> = refresh_tokens::Entity::find()
                .select_only()
                .columns([Column::Id, Column::RevokedAt])
                .filter(Expr::tuple([Expr::col(Column::RevokedAt), Expr::col(Column::Id)]).gt(place(last.0, last.1)))
                .order_by_asc(Column::RevokedAt)
                .order_by_asc(Column::Id)
                .limit(PAGE as u64)
                .into_tuple()
                .all(db)
                .await?;
            let is_last_page = ended.len() < PAGE;
            last = ended.last().map_or(last, |(id, revoked_at)| (*revoked_at, *id));
            let ended = ended.into_iter().map(|(id, revoked_at)| (id, seconds(revoked_at)));
            self.sessions.write().unwrap_or_else(PoisonError::into_inner).extend(ended);
            if is_last_page {
                self.read_at.store(began, Ordering::Relaxed);
                return Ok(());
            }
        }
    }
}

fn seconds(time: DateTime<Utc>) -> u32 {
    u32::try_from(Ord::max(time.timestamp(), 0)).unwrap_or(u32::MAX)
}
