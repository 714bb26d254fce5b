//! The sessions that ended while access tokens of theirs may still be in use, kept in memory.
//!
//! The instance that ends a session knows at once; the others read what is new once a second. So a request costs a
//! look-up in a map and no query, and a revoked token lives a second at most.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Duration, Utc};
use entity::refresh_tokens;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::error::Result;

/// How far each reading goes back behind the one before it: longer than a transaction may take from setting
/// `revoked_at` to being visible, and than the clocks of two instances may differ.
const OVERLAP: Duration = Duration::seconds(60);

/// Rows that are read at a time.
const PAGE: usize = 10_000;

/// The list. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Revocations {
    /// With the second in which each ended. In 32 bits, up to the year 2106: there may be a million of them.
    sessions: Arc<RwLock<HashMap<Uuid, u32>>>,
}

impl Revocations {
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

    /// Drops the sessions that ended before `horizon`, since when all their access tokens have expired.
    ///
    /// `revoked_at` may be somewhat earlier than the last token of its session, as it may be read somewhat late.
    pub fn forget(&self, horizon: DateTime<Utc>) {
        let horizon = seconds(horizon - OVERLAP);
        self.sessions.write().unwrap_or_else(PoisonError::into_inner).retain(|_, revoked_at| *revoked_at >= horizon);
    }

    /// Reads what ended since `since`, with some overlap.
    ///
    /// # Errors
    /// Fails when the database does; the list stays as it is.
    pub async fn read(&self, db: &impl ConnectionTrait, since: DateTime<Utc>) -> Result<()> {
        use refresh_tokens::Column;
        let place = |time: DateTime<Utc>, id: Uuid| Expr::tuple([Expr::value(time), Expr::value(id)]);
        let mut last = (since - OVERLAP, Uuid::max());
        // A page at a time: after a mass of sign-outs the rows weigh far more than the list.
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
            let Some((id, revoked_at)) = ended.last().copied() else { return Ok(()) };
            last = (revoked_at, id);
            let is_last_page = ended.len() < PAGE;
            let ended = ended.into_iter().map(|(id, revoked_at)| (id, seconds(revoked_at)));
            self.sessions.write().unwrap_or_else(PoisonError::into_inner).extend(ended);
            if is_last_page {
                return Ok(());
            }
        }
    }
}

fn seconds(time: DateTime<Utc>) -> u32 {
    u32::try_from(Ord::max(time.timestamp(), 0)).unwrap_or(u32::MAX)
}
