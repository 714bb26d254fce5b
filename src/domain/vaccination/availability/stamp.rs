//! Whether something that was read is still good.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use crate::domain::values::clock::Clock;

/// How long something is good after its query began: another instance, or a command, may change the database meanwhile.
const LIFETIME: Duration = Duration::from_secs(1);

/// A moment on the clock that never jumps, and on that of the service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub instant: Instant,
    pub time: DateTime<Utc>,
}

impl Moment {
    pub fn now(clock: &Clock) -> Self {
        Self { instant: Instant::now(), time: clock.now() }
    }
}

/// When something was read, and until when it is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Generation before the query. A change makes a new one.
    pub generation: u64,
    /// When the query began.
    pub began: Instant,
    /// Time from which on it is wrong without any change, because a slot or the next day begins.
    pub until: DateTime<Utc>,
}

/// Generation of what was put together from several ones. It is never current.
const MIXED: u64 = 0;

impl Stamp {
    /// Whether it is good for a request that arrived at an instant: it is current, or its query began after the arrival, so
    /// that it has every change that was complete then. Without the second rule, those who wait for a query would each
    /// repeat it if there was a change meanwhile.
    pub fn is_good(&self, generation: u64, arrived: Instant, at: Moment) -> bool {
        let is_current = self.generation == generation && at.instant.saturating_duration_since(self.began) < LIFETIME;
        (is_current || self.began > arrived) && at.time < self.until
    }

    /// The same with an earlier end.
    pub fn until(self, time: DateTime<Utc>) -> Self {
        Self { until: Ord::min(self.until, time), ..self }
    }

    /// Stamp of what is made of two parts.
    pub fn and(self, other: Self) -> Self {
        let generation = if self.generation == other.generation { self.generation } else { MIXED };
        Self { generation, began: Ord::min(self.began, other.began), until: Ord::min(self.until, other.until) }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_change_a_second_or_the_begin_of_a_slot_ends_it() {
        let now = Moment::now(&Clock::default());
        let stamp = Stamp { generation: 7, began: now.instant, until: now.time + TimeDelta::minutes(1) };
        let after = |milliseconds: u64| Moment { instant: now.instant + Duration::from_millis(milliseconds), ..now };
        let is_good = |generation, at: Moment| stamp.is_good(generation, at.instant, at);
        assert!(is_good(7, now) && is_good(7, after(999)));
        assert!(!is_good(8, now) && !is_good(7, after(1000)));
        assert!(!is_good(7, Moment { time: stamp.until, ..now }));
        assert!(!stamp.until(now.time).is_good(7, now.instant, now));
    }

    #[test]
    fn those_who_waited_for_a_query_may_use_it_after_a_change() {
        let arrived = Moment::now(&Clock::default());
        let began = arrived.instant + Duration::from_millis(5);
        let stamp = Stamp { generation: 7, began, until: DateTime::<Utc>::MAX_UTC };
        let at = Moment { instant: began + Duration::from_secs(3), ..arrived };
        assert!(stamp.is_good(8, arrived.instant, at));
        assert!(!stamp.is_good(8, began, at));
    }

    #[test]
    fn what_is_made_of_two_generations_is_never_current() {
        let now = Moment::now(&Clock::default());
        let one = Stamp { generation: 7, began: now.instant, until: DateTime::<Utc>::MAX_UTC };
        let earlier = Stamp { began: now.instant - Duration::from_millis(500), ..one };
        assert_eq!(one.and(earlier), earlier);
        let mixed = one.and(Stamp { generation: 8, ..one });
        assert!(!mixed.is_good(7, now.instant, now) && !mixed.is_good(8, now.instant, now));
    }
}
