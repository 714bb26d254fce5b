//! Generations whose access token was seen: noted in memory by the guard, and written to the sessions every second.
//!
//! A client whose answer to a refresh was lost has not used the new pair. So while no token of a generation was seen, it
//! may be given out again. Decision 4 has the details.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use entity::refresh_tokens::{Column, Entity};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::error::Result;

/// Sessions of one statement.
const BATCH: usize = 200;

/// The latest generation of each session, and when it was seen.
type Latest = HashMap<Uuid, (i32, DateTime<Utc>)>;

/// Generations seen by this instance. All clones share them.
#[derive(Clone, Debug, Default)]
pub struct SeenGenerations {
    seen: Arc<RwLock<Latest>>,
    /// Those that are not written yet.
    unwritten: Arc<Mutex<Vec<(Uuid, i32)>>>,
}

impl SeenGenerations {
    /// Notes that an access token of a generation was used.
    pub fn note(&self, session_id: Uuid, generation: i32, now: DateTime<Utc>) {
        // The first generation has no predecessor whose answer could have been lost.
        if generation == 0 || self.contains(session_id, generation) {
            return;
        }
        self.seen.write().unwrap_or_else(PoisonError::into_inner).insert(session_id, (generation, now));
        self.unwritten().push((session_id, generation));
    }

    /// Whether this instance has seen the generation or a later one.
    #[must_use]
    pub fn contains(&self, session_id: Uuid, generation: i32) -> bool {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        seen.get(&session_id).is_some_and(|(latest, _)| *latest >= generation)
    }

    /// Forgets the generations that were seen before `horizon`: all their access tokens have expired.
    pub fn remove_expired(&self, horizon: DateTime<Utc>) {
        self.seen.write().unwrap_or_else(PoisonError::into_inner).retain(|_, (_, at)| *at >= horizon);
    }

    /// Writes the new generations to their sessions, in batches.
    ///
    /// # Errors
    /// Database errors. What was not written is kept for the next time.
    pub async fn write(&self, db: &impl ConnectionTrait) -> Result<()> {
        loop {
            let batch: Vec<_> = self.unwritten().iter().take(BATCH).copied().collect();
            if batch.is_empty() {
                return Ok(());
            }
            // Only the present generation of a session matters, and only until one instance has written it.
            let is_present = batch.iter().fold(Condition::any(), |any, (id, generation)| {
                any.add(Condition::all().add(Column::Id.eq(*id)).add(Column::Generation.eq(*generation)))
            });
            Entity::update_many()
                .col_expr(Column::SeenGeneration, Expr::col(Column::Generation))
                .filter(is_present)
                .filter(Expr::col(Column::SeenGeneration).lt(Expr::col(Column::Generation)))
                .exec(db)
                .await?;
            // Only now, so that a task that is aborted meanwhile loses nothing. New ones are added at the end.
            self.unwritten().drain(..batch.len());
        }
    }

    fn unwritten(&self) -> std::sync::MutexGuard<'_, Vec<(Uuid, i32)>> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
