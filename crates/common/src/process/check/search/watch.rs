//! The limits of a search, looked at by all threads while a round goes on.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use super::outcome::{Counts, End, Limits, Progress};

/// The most states that a thread may insert before it asks again.
const BLOCK: u64 = 256;

/// The limits, and what is used of them.
pub(super) struct Watch<'a> {
    pub(super) limits: Limits,
    progress: &'a Progress,
    stop: &'a (dyn Fn() -> bool + Sync),
    /// How many distinct states the threads have or may still insert.
    granted: AtomicU64,
    /// The bytes reserved for states: the visited, the levels, and the round's.
    bytes: AtomicU64,
    /// Why the search ends, once it does.
    end: OnceLock<End>,
}

/// How many states a thread may still insert.
#[derive(Default)]
pub(super) struct Grant(u64);

impl<'a> Watch<'a> {
    pub(super) fn new(
        limits: Limits,
        progress: &'a Progress,
        stop: &'a (dyn Fn() -> bool + Sync),
    ) -> Self {
        Self {
            limits,
            progress,
            stop,
            granted: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            end: OnceLock::new(),
        }
    }

    /// Why the search ends, if it does.
    #[inline]
    pub(super) fn end(&self) -> Option<End> {
        self.end.get().copied()
    }

    /// Ends the search, for the first reason that there is.
    pub(super) fn end_by(&self, end: End) {
        let _ = self.end.set(end);
    }

    /// Whether the search may go on; `other` bytes are reserved elsewhere.
    #[inline]
    pub(super) fn goes_on(&self, other: u64) -> bool {
        if self.end.get().is_some() {
            return false;
        }
        if (self.stop)() {
            self.end_by(End::Interrupted);
        } else if self.bytes.load(Ordering::Relaxed) + other > self.limits.memory {
            self.end_by(End::NoMemory);
        }
        self.end.get().is_none()
    }

    /// Whether another distinct state may be inserted; if not, the search ends.
    #[inline]
    pub(super) fn may_insert(&self, grant: &mut Grant) -> bool {
        if grant.0 == 0 {
            let most = self.limits.most;
            // The nearer the limit, the fewer: what another thread was granted and does not use is lost.
            let block = |granted: u64| BLOCK.min((most - granted) / 1024 + 1);
            let more = |granted: u64| (granted < most).then(|| granted + block(granted));
            let (done, order) = (Ordering::Relaxed, Ordering::Relaxed);
            match self.granted.fetch_update(done, order, more) {
                Ok(before) => grant.0 = block(before),
                Err(_) => {
                    self.end_by(End::TooMany);
                    return false;
                }
            }
        }
        grant.0 -= 1;
        true
    }

    /// Gives back what a thread did not use.
    pub(super) fn give_back(&self, grant: Grant) {
        self.granted.fetch_sub(grant.0, Ordering::Relaxed);
    }

    /// Reserves these bytes; if that is more than the limit, the search ends.
    pub(super) fn reserve(&self, bytes: usize) -> bool {
        let before = self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        if before + bytes as u64 > self.limits.memory {
            self.end_by(End::NoMemory);
            return false;
        }
        true
    }

    /// These bytes are free again.
    pub(super) fn release(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes as u64, Ordering::Relaxed);
    }

    /// Shows the progress.
    pub(super) fn show(&self, counts: &Counts) {
        self.progress.show(counts);
    }
}
