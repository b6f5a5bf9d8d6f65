//! The zones that are answered from at this moment.
//!
//! Whoever changes them publishes a new state; whoever answers has a state in hand and looks, with one load from memory,
//! whether it is still the newest. So an answer takes no lock, except the first one after a change.

use std::sync::{Arc, PoisonError};
#[cfg(not(loom))]
use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

#[cfg(loom)]
use loom::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use crate::dns::zone::Zone;

/// The newest state.
#[derive(Debug)]
pub struct Published<Z = Zone> {
    version: AtomicU64,
    zone: Mutex<Arc<Z>>,
}

impl<Z> Published<Z> {
    /// The first state.
    pub fn new(zone: Z) -> Self {
        Self {
            version: AtomicU64::new(0),
            zone: Mutex::new(Arc::new(zone)),
        }
    }

    /// From now on this is the newest state.
    pub fn publish(&self, zone: Z) {
        let old = std::mem::replace(
            &mut *self.zone.lock().unwrap_or_else(PoisonError::into_inner),
            Arc::new(zone),
        );
        self.version.fetch_add(1, Ordering::Release);
        drop(old);
    }

    /// Somebody who answers.
    pub fn reader(&self) -> Reader<'_, Z> {
        Reader {
            version: self.version.load(Ordering::Acquire),
            zone: self.newest(),
            published: self,
        }
    }

    fn newest(&self) -> Arc<Z> {
        Arc::clone(&self.zone.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The state that somebody has in hand.
#[derive(Debug)]
pub struct Reader<'p, Z = Zone> {
    version: u64,
    zone: Arc<Z>,
    published: &'p Published<Z>,
}

impl<Z> Reader<'_, Z> {
    /// The newest state.
    pub fn zone(&mut self) -> &Arc<Z> {
        let version = self.published.version.load(Ordering::Acquire);
        if version != self.version {
            (self.version, self.zone) = (version, self.published.newest());
        }
        &self.zone
    }
}

/// Every order in which threads can publish and read (loom). `scripts/interleavings.sh` runs it.
#[cfg(all(test, loom))]
mod interleavings {
    use loom::{sync::Arc, thread};

    use super::*;

    #[test]
    fn what_was_acknowledged_is_answered_from_and_nobody_goes_back() {
        loom::model(|| {
            // The second is the number of the last state that was acknowledged.
            let shared = Arc::new((Published::new(0), AtomicU64::new(0)));
            let registrar = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    for state in 1..=2 {
                        shared.0.publish(state);
                        shared.1.store(state, Ordering::Release);
                    }
                })
            };
            let mut reader = shared.0.reader();
            let mut before = 0;
            for _ in 0..3 {
                let acknowledged = shared.1.load(Ordering::Acquire);
                let state = **reader.zone();
                assert!(state >= acknowledged, "{state} after {acknowledged}");
                assert!(state >= before, "{state} after {before}");
                before = state;
            }
            registrar.join().unwrap();
            assert_eq!(**reader.zone(), 2);
        });
    }
}
