//! A Lamport clock that the threads of a process share: without a lock, at the cost of an atomic addition.

#[cfg(loom)]
use loom::sync::atomic::{AtomicU64, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicU64, Ordering};

use common::process::clock::Overflow;

/// The last time that the clock shows. The 2³² times above it leave room for the threads that find the clock at its end
/// at the same moment, until each of them has put it back.
pub(crate) const LAST: u64 = u64::MAX - (1 << 32);

/// A Lamport clock for the threads of one process: lock-free, and every event has a time of its own, on any thread.
#[derive(Debug, Default)]
pub(crate) struct AtomicLamportClock(pub(crate) AtomicU64);

impl AtomicLamportClock {
    /// A clock at 0.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The time of the last event.
    pub(crate) fn time(&self) -> u64 {
        self.0.load(Ordering::Relaxed).min(LAST)
    }

    /// A local event, or a send: the clock advances by one (IR1).
    ///
    /// # Errors
    /// At the end of the clock's range, 2³² before that of the number; the clock does not move.
    #[inline]
    pub(crate) fn tick(&self) -> Result<u64, Overflow> {
        // One atomic addition orders the events of all threads; the clock synchronises no other memory.
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        if before >= LAST {
            return Err(self.put_back());
        }
        Ok(before + 1)
    }

    /// Receives a message with this time: the clock advances past its own time and the message's (IR2b).
    ///
    /// # Errors
    /// At the end of the clock's range; the clock does not move.
    pub(crate) fn receive(&self, sent: u64) -> Result<u64, Overflow> {
        if sent >= LAST {
            return Err(Overflow);
        }
        // An event of another thread between the two steps only makes the time later.
        self.0.fetch_max(sent, Ordering::Relaxed);
        self.tick()
    }

    #[cold]
    fn put_back(&self) -> Overflow {
        self.0.fetch_sub(1, Ordering::Relaxed);
        Overflow
    }
}
