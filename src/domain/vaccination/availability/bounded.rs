//! Bounded memory: the values that were used last, up to a number, a weight and a time without use.

use std::hash::Hash;
use std::time::{Duration, Instant};

use hashlink::LruCache;
use hashlink::lru_cache::Entry as Place;

/// Limits of what is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Number of values.
    pub entries: usize,
    /// Sum of their weights.
    pub weight: usize,
    /// Time without use after which a value is removed, when the next one is inserted.
    pub idle: Duration,
}

/// Values with a weight, of which the least recently used ones are removed.
#[derive(Debug)]
pub(super) struct Bounded<K, V> {
    bounds: Bounds,
    /// Least recently used first.
    entries: LruCache<K, Entry<V>>,
    weight: usize,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    weight: usize,
    used: Instant,
}

impl<K: Eq + Hash, V> Bounded<K, V> {
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, entries: LruCache::new_unbounded(), weight: 0 }
    }

    /// A value, which becomes the most recently used one.
    pub fn get(&mut self, key: &K, now: Instant) -> Option<&mut V> {
        let entry = self.entries.get_mut(key)?;
        entry.used = now;
        Some(&mut entry.value)
    }

    /// A value. When it was used last stays the same.
    pub fn peek(&mut self, key: &K) -> Option<&mut V> {
        self.entries.peek_mut(key).map(|entry| &mut entry.value)
    }

    /// A value as [`Self::get`], or a new one of weight 0.
    pub fn get_or_insert_with(&mut self, key: K, now: Instant, new: impl FnOnce() -> V) -> &mut V {
        self.trim(now);
        match self.entries.entry(key) {
            Place::Occupied(mut place) => {
                place.to_back();
                let entry = place.into_mut();
                entry.used = now;
                &mut entry.value
            }
            Place::Vacant(place) => &mut place.insert(Entry { value: new(), weight: 0, used: now }).value,
        }
    }

    /// Inserts a value, or replaces it. If it exceeds the weight on its own, it is not kept.
    pub fn insert(&mut self, key: K, value: V, weight: usize, now: Instant) {
        if let Some(old) = self.entries.insert(key, Entry { value, weight, used: now }) {
            self.weight -= old.weight;
        }
        self.weight += weight;
        self.trim(now);
    }

    pub fn remove(&mut self, key: &K) {
        if let Some(old) = self.entries.remove(key) {
            self.weight -= old.weight;
        }
    }

    fn trim(&mut self, now: Instant) {
        while let Some((_, oldest)) = self.entries.iter().next() {
            let is_over = self.entries.len() > self.bounds.entries
                || self.weight > self.bounds.weight
                || now.saturating_duration_since(oldest.used) > self.bounds.idle;
            if !is_over {
                break;
            }
            if let Some((_, removed)) = self.entries.remove_lru() {
                self.weight -= removed.weight;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Bounded, Bounds};

    fn kept(bounded: &mut Bounded<u8, u8>) -> Vec<u8> {
        (0..10).filter(|key| bounded.peek(key).is_some()).collect()
    }

    #[test]
    fn the_least_recently_used_values_are_removed() {
        let idle = Duration::from_secs(10);
        let mut bounded = Bounded::new(Bounds { entries: 3, weight: 100, idle });
        let now = Instant::now();
        for key in 0..3 {
            bounded.insert(key, key, 30, now);
        }
        assert!(bounded.get(&0, now).is_some());
        bounded.insert(3, 3, 30, now);
        assert_eq!(kept(&mut bounded), [0, 2, 3]);
        // By weight.
        bounded.insert(4, 4, 60, now);
        assert_eq!(kept(&mut bounded), [3, 4]);
        bounded.insert(4, 4, 20, now);
        bounded.insert(5, 5, 50, now);
        assert_eq!(kept(&mut bounded), [3, 4, 5]);
        bounded.remove(&3);
        bounded.insert(6, 6, 101, now);
        assert_eq!(kept(&mut bounded), [0; 0]);
        assert_eq!(bounded.weight, 0);
        // By time.
        *bounded.get_or_insert_with(7, now, || 6) += 1;
        let later = now + idle;
        assert_eq!(bounded.get_or_insert_with(8, later, || 8), &8);
        bounded.insert(9, 9, 0, later + Duration::from_secs(1));
        assert_eq!(kept(&mut bounded), [8, 9]);
    }
}
