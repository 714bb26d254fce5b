//! Clock skew: the difference between the clock of this instance and that of the database. Tokens, sessions and codes
//! have times that one instance writes and another one compares with its own clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration, Utc};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::domain::values::clock::Clock;
use crate::error::{Error, Result};

/// Difference above which this instance is not ready.
const MAX_SKEW: Duration = Duration::seconds(5);

/// The difference when it was last measured. All clones share it.
#[derive(Clone, Debug, Default)]
pub struct Skew {
    millis: Arc<AtomicI64>,
}

impl Skew {
    /// Measures the difference: positive if the clock of this instance is ahead. On SQLite, which has no clock of its
    /// own, it is zero.
    ///
    /// # Errors
    /// Database errors.
    pub async fn measure(&self, db: &impl ConnectionTrait, clock: &Clock) -> Result<Duration> {
        if db.get_database_backend() != DbBackend::Postgres {
            return Ok(Duration::zero());
        }
        let before = clock.now();
        let query = Statement::from_string(DbBackend::Postgres, "SELECT clock_timestamp() AS now");
        let row = db.query_one_raw(query).await?.ok_or(Error::NotFound)?;
        let now: DateTime<Utc> = row.try_get("", "now")?;
        let after = clock.now();
        // The time of the database is that of a moment between the two.
        let skew = if now < before {
            before - now
        } else if now > after {
            after - now
        } else {
            Duration::zero()
        };
        self.millis.store(skew.num_milliseconds(), Ordering::Relaxed);
        Ok(skew)
    }

    /// Checks that the difference is small enough.
    ///
    /// # Errors
    /// [`Error::ClockSkew`].
    pub fn check(&self) -> Result<()> {
        let skew = Duration::milliseconds(self.millis.load(Ordering::Relaxed));
        if skew.abs() > MAX_SKEW { Err(Error::ClockSkew) } else { Ok(()) }
    }
}
