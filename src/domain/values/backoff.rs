//! Exponential back-off.

use chrono::Duration;

/// The wait before retry number `retries` (from 0): `first`, doubled each time, and never longer than `longest`.
#[must_use]
pub fn backoff(first: Duration, longest: Duration, retries: i32) -> Duration {
    let factor = u32::try_from(retries).ok().and_then(|retries| 2_i32.checked_pow(retries));
    let wait = factor.and_then(|factor| first.checked_mul(factor));
    wait.map_or(longest, |wait| Ord::min(wait, longest))
}

#[cfg(test)]
mod tests {
    use super::backoff;
    use chrono::Duration;

    #[test]
    fn waits_double_up_to_the_longest() {
        let wait = |retries| backoff(Duration::seconds(1), Duration::seconds(900), retries).num_seconds();
        assert_eq!([0, 1, 2, 9, 10, 40, i32::MAX].map(wait), [1, 2, 4, 512, 900, 900, 900]);
    }
}
