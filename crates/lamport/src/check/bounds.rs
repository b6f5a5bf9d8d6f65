//! The bounds of an explorer, whose states stateright keeps itself: each state is admitted once, as long as there is room.

use std::{
    collections::HashSet,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use common::{
    capacity,
    process::check::search::{End, Limits},
};

/// How many sets of states there are, so that the threads do not wait for each other.
const SETS: usize = 64;

/// After how many states the memory is looked at.
const LOOK: u64 = 512;

/// The states that an explorer may visit.
#[derive(Debug)]
pub struct Bounds {
    limits: Limits,
    /// The memory at the start, in bytes.
    before: u64,
    seen: Vec<Mutex<HashSet<u64>>>,
    distinct: AtomicU64,
    reached: OnceLock<End>,
}

impl Bounds {
    /// No state was visited yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            before: capacity::resident().unwrap_or(0),
            seen: (0..SETS).map(|_| Mutex::default()).collect(),
            distinct: AtomicU64::new(0),
            reached: OnceLock::new(),
        }
    }

    /// The limit that was reached.
    pub fn reached(&self) -> Option<End> {
        self.reached.get().copied()
    }

    /// Whether the state with this hash may be visited.
    pub fn admit(&self, hash: u64) -> bool {
        let set = &self.seen[(hash >> 32) as usize % SETS];
        let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
        if set.contains(&hash) {
            return true;
        }
        if self.reached.get().is_some() {
            return false;
        }
        let before = self.distinct.fetch_add(1, Ordering::Relaxed);
        let end = if before >= self.limits.most {
            Some(End::TooMany)
        } else if set.try_reserve(1).is_err() || before % LOOK == LOOK - 1 && self.is_full() {
            Some(End::NoMemory)
        } else {
            None
        };
        match end {
            Some(end) => {
                let _ = self.reached.set(end);
                false
            }
            None => set.insert(hash),
        }
    }

    fn is_full(&self) -> bool {
        let now = capacity::resident().unwrap_or(0);
        now.saturating_sub(self.before) > self.limits.memory
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_states_are_admitted_as_the_limit_says() {
        let bounds = Bounds::new(Limits {
            most: 100,
            ..Limits::none(1)
        });
        let hash = |number: u64| number << 32;
        assert_eq!(
            (0..200)
                .filter(|number| bounds.admit(hash(*number)))
                .count(),
            100
        );
        assert_eq!(bounds.reached(), Some(End::TooMany));
        assert!(bounds.admit(hash(7)) && !bounds.admit(hash(150)));

        let bounds = Bounds::new(Limits {
            memory: 0,
            ..Limits::none(1)
        });
        let kept: Vec<_> = (0..1 << 20).map(|number| number as u8).collect();
        let admitted = (0..1 << 20).filter(|number| bounds.admit(hash(*number)));
        assert!(admitted.count() < 1 << 20 && !kept.is_empty());
        assert_eq!(bounds.reached(), Some(End::NoMemory));
    }
}
