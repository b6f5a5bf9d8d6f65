//! Results that cost much, which one thread computes for all.

use std::sync::{
    PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

use hashbrown::HashMap;

use super::memo::{ByNumber, mix};

/// The number of locks.
const SHARDS: usize = 64;

/// The most results of a shard.
const MOST: usize = 1 << 15;

/// Results by the numbers of what they depend on; as many as there is room for.
pub(super) struct Shared<V> {
    shards: [RwLock<HashMap<u64, V, ByNumber>>; SHARDS],
    bytes: AtomicU64,
}

impl<V: Copy> Shared<V> {
    pub(super) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| RwLock::default()),
            bytes: AtomicU64::new(0),
        }
    }

    /// The result for this key; computed if no thread has computed it.
    pub(super) fn get(&self, key: u64, compute: impl FnOnce() -> V) -> V {
        let shard = &self.shards[(mix(key) >> 40) as usize % SHARDS];
        let known = shard.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = known.get(&key) {
            return *value;
        }
        drop(known);
        let value = compute();
        let mut known = shard.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST {
            let before = known.allocation_size();
            if known.try_reserve(1).is_ok() {
                known.insert(key, value);
                let more = known.allocation_size() - before;
                self.bytes.fetch_add(more as u64, Ordering::Relaxed);
            }
        }
        value
    }

    /// The bytes that it has reserved.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_result_is_computed_by_about_one_thread() {
        let shared = Shared::new();
        let computed = AtomicU64::new(0);
        let results = crate::parallel::each("test", 4, 0..4, |_| {
            let result = |key: u64| {
                shared.get(key, || {
                    computed.fetch_add(1, Ordering::Relaxed);
                    key * 3
                })
            };
            (0..10_000).all(|key| result(key) == key * 3)
        });
        assert!(results.iter().all(|right| *right));
        // Two threads may compute the same at the same time.
        let computed = computed.into_inner();
        assert!((10_000..40_000).contains(&computed), "{computed}");
        assert!(shared.bytes() > 10_000 * 16);
        let known = (0..10_000).map(|key| shared.get(key, || 0));
        assert!(
            known
                .zip(0..)
                .all(|(value, key): (u64, u64)| value == key * 3)
        );
    }
}
