//! A snapshot of the zones, from which queries are answered.
//!
//! The registrar publishes a new snapshot after a change. Each thread that answers keeps a reference to one, and checks with
//! a single load from memory whether it is still the newest. So an answer takes no lock, except the first after a change.

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

/// The newest snapshot.
#[derive(Debug)]
pub(super) struct ZoneSnapshot<Z = Zone> {
    version: AtomicU64,
    zone: Mutex<Arc<Z>>,
}

impl<Z> ZoneSnapshot<Z> {
    /// The first snapshot.
    pub(super) fn new(zone: Z) -> Self {
        Self {
            version: AtomicU64::new(0),
            zone: Mutex::new(Arc::new(zone)),
        }
    }

    /// Replaces the newest snapshot.
    pub(super) fn publish(&self, zone: Z) {
        let old = std::mem::replace(
            &mut *self.zone.lock().unwrap_or_else(PoisonError::into_inner),
            Arc::new(zone),
        );
        self.version.fetch_add(1, Ordering::Release);
        drop(old);
    }

    /// A reader, for a thread that answers.
    pub(super) fn reader(&self) -> Reader<'_, Z> {
        Reader {
            version: self.version.load(Ordering::Acquire),
            zone: self.newest(),
            source: self,
        }
    }

    fn newest(&self) -> Arc<Z> {
        Arc::clone(&self.zone.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A reader, with the snapshot that it read last.
#[derive(Debug)]
pub(super) struct Reader<'s, Z = Zone> {
    version: u64,
    zone: Arc<Z>,
    source: &'s ZoneSnapshot<Z>,
}

impl<Z> Reader<'_, Z> {
    /// The newest snapshot.
    pub(super) fn zone(&mut self) -> &Arc<Z> {
        let version = self.source.version.load(Ordering::Acquire);
        if version != self.version {
            (self.version, self.zone) = (version, self.source.newest());
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
    fn an_acknowledged_snapshot_is_read_and_no_reader_goes_back() {
        loom::model(|| {
            // The second is the number of the last snapshot that was acknowledged.
            let shared = Arc::new((ZoneSnapshot::new(0), AtomicU64::new(0)));
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
