//! The time, handed in so that tests can move it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration, SubsecRound, Utc};

/// The system's clock, set forward by an amount that is zero outside tests. Clones move together.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead_microseconds: Arc<AtomicI64>,
}

impl Clock {
    /// The time in UTC, cut to microseconds: what PostgreSQL can keep.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let ahead = Duration::microseconds(self.ahead_microseconds.load(Ordering::Relaxed));
        (Utc::now() + ahead).trunc_subsecs(6)
    }

    /// Sets the clock forward.
    pub fn advance(&self, by: Duration) {
        self.ahead_microseconds.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::Relaxed);
    }
}
