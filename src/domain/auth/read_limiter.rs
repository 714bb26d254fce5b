//! Limiter of public reads: how many an address may send in a minute. In memory of this instance, because a read must not
//! write to the database.
//!
//! Each network has a bucket of tokens that is full at first and refilled evenly (GCRA, the generic cell rate algorithm). Of
//! a bucket only the time is kept at which it will be full; a full one is forgotten.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hashlink::LruCache;

use crate::domain::auth::limits::Limits;
use crate::domain::values::client::network_of;
use crate::error::{Error, Result};

/// Time in which an empty bucket becomes full.
const WINDOW: Duration = Duration::from_secs(60);

/// Maximum number of networks. The one that was seen longest ago is forgotten.
const MAX_NETWORKS: usize = 50_000;

/// Full buckets that are removed with each read, more than one, so that their number falls.
const REMOVED_PER_READ: usize = 2;

/// Limiter of public reads.
#[derive(Debug)]
pub struct ReadLimiter {
    /// When the bucket of each network will be full, least recently used first.
    full_at: Mutex<LruCache<IpAddr, Instant>>,
}

impl Default for ReadLimiter {
    fn default() -> Self {
        Self { full_at: Mutex::new(LruCache::new(MAX_NETWORKS)) }
    }
}

impl ReadLimiter {
    /// Counts a read of free slots. Addresses of this machine are not limited: all clients of a reverse proxy on it, whose
    /// headers are not trusted, have one.
    ///
    /// # Errors
    /// [`Error::TooMany`] if the network of the address has sent too many.
    pub fn count(&self, limits: &Limits, address: Option<IpAddr>) -> Result<()> {
        match address {
            Some(address) if limits.enabled && !address.to_canonical().is_loopback() => {
                self.count_at(limits.availability_per_minute, network_of(address), Instant::now())
            }
            _ => Ok(()),
        }
    }

    fn count_at(&self, per_minute: u32, network: IpAddr, now: Instant) -> Result<()> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let before = full_at.get(&network).copied();
        let after = before.map_or(now, |at| at.max(now)) + WINDOW / per_minute.max(1);
        let wait = after.saturating_duration_since(now + WINDOW);
        if !wait.is_zero() {
            return Err(Error::TooMany { retry_after: chrono::Duration::from_std(wait).unwrap_or_default() });
        }
        full_at.insert(network, after);
        for _ in 0..REMOVED_PER_READ {
            let is_full = full_at.iter().next().is_some_and(|(_, at)| *at <= now);
            if is_full {
                full_at.remove_lru();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{ReadLimiter, WINDOW};
    use crate::error::Error;

    #[test]
    fn each_network_has_a_bucket_that_is_refilled() {
        let (limiter, start) = (ReadLimiter::default(), Instant::now());
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|address| address.parse().unwrap());
        for _ in 0..6 {
            limiter.count_at(6, one, start).unwrap();
        }
        let Err(Error::TooMany { retry_after }) = limiter.count_at(6, one, start) else { panic!("not refused") };
        assert_eq!(retry_after.num_seconds(), 10);
        limiter.count_at(6, other, start).unwrap();
        let later = start + Duration::from_secs(10);
        limiter.count_at(6, one, later).unwrap();
        limiter.count_at(6, one, later).unwrap_err();
    }

    #[test]
    fn full_buckets_are_forgotten() {
        let (limiter, start) = (ReadLimiter::default(), Instant::now());
        for number in 0..100_u8 {
            limiter.count_at(6, [192, 0, 2, number].into(), start).unwrap();
        }
        for number in 100..200_u8 {
            limiter.count_at(6, [192, 0, 2, number].into(), start + WINDOW).unwrap();
        }
        assert_eq!(limiter.full_at.lock().unwrap().len(), 100);
    }
}
