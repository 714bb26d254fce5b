//! Clock: the current time, passed as a value so that tests can advance it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration, SubsecRound, Utc};

/// System clock plus an offset, which is zero except in tests. All clones share the offset.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset_microseconds: Arc<AtomicI64>,
}

impl Clock {
    /// Current time in UTC, truncated to microseconds, which is the precision of PostgreSQL.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let offset = Duration::microseconds(self.offset_microseconds.load(Ordering::Relaxed));
        (Utc::now() + offset).trunc_subsecs(6)
    }

    /// Advances the clock, for tests.
    pub fn advance(&self, by: Duration) {
        self.offset_microseconds.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::Relaxed);
    }
}
