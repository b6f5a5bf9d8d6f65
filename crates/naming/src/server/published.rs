//! The zones that are answered from at this moment.
//!
//! Whoever changes them publishes a new state; whoever answers has a state in hand and looks, with one load from memory,
//! whether it is still the newest. So an answer takes no lock, except the first one after a change.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use crate::dns::zone::Zone;

/// The newest state.
#[derive(Debug)]
pub struct Published {
    version: AtomicU64,
    zone: Mutex<Arc<Zone>>,
}

impl Published {
    /// The first state.
    pub fn new(zone: Zone) -> Self {
        Self {
            version: AtomicU64::new(0),
            zone: Mutex::new(Arc::new(zone)),
        }
    }

    /// From now on this is the newest state.
    pub fn publish(&self, zone: Zone) {
        let old = std::mem::replace(
            &mut *self.zone.lock().unwrap_or_else(PoisonError::into_inner),
            Arc::new(zone),
        );
        self.version.fetch_add(1, Ordering::Release);
        drop(old);
    }

    /// Somebody who answers.
    pub fn reader(&self) -> Reader<'_> {
        Reader {
            version: self.version.load(Ordering::Acquire),
            zone: self.newest(),
            published: self,
        }
    }

    fn newest(&self) -> Arc<Zone> {
        Arc::clone(&self.zone.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The state that somebody has in hand.
#[derive(Debug)]
pub struct Reader<'p> {
    version: u64,
    zone: Arc<Zone>,
    published: &'p Published,
}

impl Reader<'_> {
    /// The newest state.
    pub fn zone(&mut self) -> &Arc<Zone> {
        let version = self.published.version.load(Ordering::Acquire);
        if version != self.version {
            (self.version, self.zone) = (version, self.published.newest());
        }
        &self.zone
    }
}
