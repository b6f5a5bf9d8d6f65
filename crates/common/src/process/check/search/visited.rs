//! The visited states, and how each was reached.

use std::hash::{BuildHasherDefault, Hasher};

use hashbrown::{HashMap, hash_map::Entry};

use super::{outcome::End, space::Fingerprint, watch::Watch};

/// The number of shards.
pub(super) const SHARDS: usize = 16;

/// How a state was reached for the first time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Predecessor {
    /// From this state; None for an initial one.
    pub(super) from: Option<Fingerprint>,
    /// The index of the step, or of the initial state.
    pub(super) choice: u32,
}

/// A hasher for fingerprints, which are hashes already.
#[derive(Default)]
pub(in crate::process::check) struct Identity(u64);

impl Hasher for Identity {
    fn write(&mut self, _: &[u8]) {
        unreachable!("fingerprints are numbers");
    }
    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

/// A part of the visited states.
#[derive(Default)]
pub(super) struct Shard(HashMap<Fingerprint, Predecessor, BuildHasherDefault<Identity>>);

/// The shard of a state, from the upper half of the fingerprint; the lower half determines the place in the shard's table.
#[inline]
pub(super) fn shard(fingerprint: Fingerprint) -> usize {
    (fingerprint.get() >> 32) as usize % SHARDS
}

impl Shard {
    #[inline]
    pub(super) fn contains(&self, fingerprint: Fingerprint) -> bool {
        self.0.contains_key(&fingerprint)
    }

    /// How the state was reached.
    pub(super) fn predecessor(&self, fingerprint: Fingerprint) -> Option<Predecessor> {
        self.0.get(&fingerprint).copied()
    }

    /// Makes room for another state; if there is no memory for it, the search ends.
    #[inline]
    pub(super) fn make_room(&mut self, watch: &Watch<'_>) -> bool {
        if self.0.len() < self.0.capacity() {
            return true;
        }
        // The table doubles, and has both until its states have moved.
        let before = self.0.allocation_size();
        let both = (2 * before).max(1024);
        if !watch.reserve(both) {
            return false;
        }
        let more = self.0.len().max(1);
        if self.0.try_reserve(more).is_err() {
            watch.end_by(End::NoMemory);
            return false;
        }
        watch.release(before + both);
        watch.reserve(self.0.allocation_size())
    }

    /// Inserts a state if it is new and may be inserted; whether it was.
    pub(super) fn insert_new(
        &mut self,
        fingerprint: Fingerprint,
        predecessor: Predecessor,
        may_insert: impl FnOnce() -> bool,
    ) -> bool {
        match self.0.entry(fingerprint) {
            Entry::Vacant(entry) if may_insert() => {
                entry.insert(predecessor);
                true
            }
            _ => false,
        }
    }
}
