//! A bounded table of entries that expire, by name and slot. When it is full, an entry goes that was not used since the hand
//! passed it last: the CLOCK algorithm, or second chance, an approximation of least recently used.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use hashbrown::HashTable;

use crate::dns::owner::Owner;

/// What each entry takes beside what is in it, in bytes, about.
const OVERHEAD: usize = 360;

/// An entry that takes more than this part of the whole table is not kept.
const LARGEST_PART: usize = 8;

/// What an entry of a name is about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Slot {
    /// Records of this type.
    Type(u16),
    /// The name itself: it does not exist.
    Name,
    /// The zone cut at the name.
    Cut,
    /// That the resolution of this type failed.
    Failure(u16),
}

#[derive(Debug)]
struct Entry<T> {
    owner: Owner,
    slot: Slot,
    /// From when on it is not valid.
    expires: Duration,
    /// Whether it was used since the hand passed it.
    used: bool,
    cost: usize,
    value: T,
}

/// The table.
#[derive(Debug)]
pub(super) struct Table<T> {
    index: HashTable<usize>,
    /// With a key that is new in every process, so that nobody can choose names that collide.
    hasher: RandomState,
    entries: Vec<Option<Entry<T>>>,
    free: Vec<usize>,
    hand: usize,
    bytes: usize,
    most: usize,
}

impl<T> Table<T> {
    /// An empty table of at most this many bytes, about.
    pub(super) fn new(most: usize) -> Self {
        Self {
            index: HashTable::new(),
            hasher: RandomState::new(),
            entries: Vec::new(),
            free: Vec::new(),
            hand: 0,
            bytes: 0,
            most,
        }
    }

    /// The number of entries and of bytes.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.index.len(), self.bytes)
    }

    /// An entry that is still valid, and for how many seconds; less than one counts as one.
    pub(super) fn get(&mut self, owner: &[u8], slot: Slot, now: Duration) -> Option<(&T, u32)> {
        let at = self.find(owner, slot)?;
        if self.entries[at].as_ref()?.expires <= now {
            self.remove(owner, slot);
            return None;
        }
        let entry = self.entries[at].as_mut()?;
        entry.used = true;
        let left = entry.expires - now;
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        Some((&entry.value, u32::try_from(seconds).unwrap_or(u32::MAX)))
    }

    /// Adds an entry, in place of an older one, that is valid for `ttl` seconds and takes about `cost` bytes. With a TTL of 0,
    /// or when it is too large, it is not kept.
    pub(super) fn insert(
        &mut self,
        owner: Owner,
        slot: Slot,
        ttl: u32,
        now: Duration,
        value: T,
        cost: usize,
    ) {
        self.remove(owner.as_slice(), slot);
        let cost = cost + owner.as_slice().len() + OVERHEAD;
        if ttl == 0 || cost > self.most / LARGEST_PART {
            return;
        }
        while self.bytes + cost > self.most {
            self.evict(now);
        }
        let hash = self.hash(owner.as_slice(), slot);
        let entry = Some(Entry {
            owner,
            slot,
            expires: now + Duration::from_secs(ttl.into()),
            used: false,
            cost,
            value,
        });
        let at = match self.free.pop() {
            Some(at) => {
                self.entries[at] = entry;
                at
            }
            None => {
                self.entries.push(entry);
                self.entries.len() - 1
            }
        };
        self.bytes += cost;
        let Self {
            index,
            hasher,
            entries,
            ..
        } = self;
        index.insert_unique(hash, at, |at| {
            entries[*at].as_ref().map_or(0, |entry| {
                hasher.hash_one((entry.owner.as_slice(), entry.slot))
            })
        });
    }

    /// Removes an entry.
    pub(super) fn remove(&mut self, owner: &[u8], slot: Slot) {
        let hash = self.hash(owner, slot);
        let entries = &self.entries;
        let found = self
            .index
            .find_entry(hash, |at| is(entries, *at, owner, slot));
        if let Ok(found) = found {
            let (at, _) = found.remove();
            if let Some(entry) = self.entries[at].take() {
                self.bytes -= entry.cost;
            }
            self.free.push(at);
        }
    }

    /// Removes the next entry that has expired or was not used since the hand passed it.
    fn evict(&mut self, now: Duration) {
        while !self.index.is_empty() {
            let at = self.hand % self.entries.len();
            self.hand = at + 1;
            let Some(entry) = &mut self.entries[at] else {
                continue;
            };
            if std::mem::take(&mut entry.used) && entry.expires > now {
                continue;
            }
            let (owner, slot) = (entry.owner.clone(), entry.slot);
            return self.remove(owner.as_slice(), slot);
        }
    }

    fn find(&self, owner: &[u8], slot: Slot) -> Option<usize> {
        let hash = self.hash(owner, slot);
        self.index
            .find(hash, |at| is(&self.entries, *at, owner, slot))
            .copied()
    }

    fn hash(&self, owner: &[u8], slot: Slot) -> u64 {
        self.hasher.hash_one((owner, slot))
    }
}

/// Whether the entry at `at` has this name and slot.
fn is<T>(entries: &[Option<Entry<T>>], at: usize, owner: &[u8], slot: Slot) -> bool {
    entries[at]
        .as_ref()
        .is_some_and(|entry| entry.slot == slot && entry.owner.as_slice() == owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: usize) -> Owner {
        format!("n{number}.lab.").parse().unwrap()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn entries_expire_and_their_time_counts_down() {
        let mut table = Table::new(10_000);
        table.insert(name(1), Slot::Name, 60, Duration::ZERO, "one", 10);
        let get = |table: &mut Table<_>, now| {
            let found = table.get(name(1).as_slice(), Slot::Name, now);
            found.map(|(value, left)| (*value, left))
        };
        assert_eq!(get(&mut table, Duration::ZERO), Some(("one", 60)));
        assert_eq!(get(&mut table, SECOND * 59 / 2), Some(("one", 31)));
        assert_eq!(get(&mut table, SECOND * 59), Some(("one", 1)));
        assert_eq!(get(&mut table, SECOND * 60), None);
        assert_eq!(table.size(), (0, 0));
        table.insert(name(1), Slot::Name, 0, Duration::ZERO, "none", 10);
        assert_eq!(get(&mut table, Duration::ZERO), None);
    }

    #[test]
    fn any_number_of_names_takes_bounded_memory_and_what_is_used_stays() {
        let mut table = Table::new(100_000);
        table.insert(name(0), Slot::Cut, 3600, Duration::ZERO, 0, 100);
        for number in 1..100_000 {
            table.insert(name(number), Slot::Name, 3600, SECOND, number, 100);
            assert!(table.size().1 <= 100_000);
            if number % 10 == 0 {
                assert!(table.get(name(0).as_slice(), Slot::Cut, SECOND).is_some());
            }
        }
        let (count, _) = table.size();
        assert!((150..300).contains(&count), "{count}");
        assert!(table.entries.len() <= 1000 && table.free.len() <= 1000);
        // One that takes too much of it is not kept.
        table.insert(name(1), Slot::Cut, 60, SECOND, 1, 50_000);
        assert!(table.get(name(1).as_slice(), Slot::Cut, SECOND).is_none());
    }
}
