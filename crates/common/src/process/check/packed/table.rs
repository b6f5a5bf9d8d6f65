//! A table that numbers values: equal values have one number. Threads read it without a lock, and add to it with one of many.

use std::{
    hash::Hash,
    sync::{
        OnceLock, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use hashbrown::HashTable;

use crate::process::check::search::fingerprint;

/// The number of locks.
const SHARDS: usize = 16;

/// A value's number is below this.
const MOST: u64 = 1 << 23;

/// The first block of values has this many; each further one has as many as all before it.
const FIRST: usize = 1 << 10;

/// The number of blocks.
const BLOCKS: usize = 14;

type Block<T> = Box<[OnceLock<Entry<T>>]>;

/// Numbered values.
pub(super) struct Table<T> {
    blocks: [OnceLock<Block<T>>; BLOCKS],
    numbers: [RwLock<HashTable<u32>>; SHARDS],
    next: AtomicU64,
    bytes: AtomicU64,
    is_full: AtomicBool,
    /// The bytes that a value has elsewhere, at about.
    each: fn(&T) -> usize,
}

struct Entry<T> {
    value: T,
    hash: u64,
}

/// The block of a number, and the place in it.
fn place(number: u32) -> (usize, usize) {
    let number = number as usize;
    match (number / FIRST).checked_ilog2() {
        None => (0, number),
        Some(doubled) => (doubled as usize + 1, number - (FIRST << doubled)),
    }
}

/// The length of a block.
fn length(block: usize) -> usize {
    FIRST << block.saturating_sub(1)
}

impl<T: Eq + Hash> Table<T> {
    pub(super) fn new(each: fn(&T) -> usize) -> Self {
        Self {
            blocks: std::array::from_fn(|_| OnceLock::new()),
            numbers: std::array::from_fn(|_| RwLock::default()),
            next: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            is_full: AtomicBool::new(false),
            each,
        }
    }

    /// The value with this number.
    pub(super) fn value(&self, number: u32) -> &T {
        &self.entry(number).value
    }

    /// The hash of the value with this number, the same on every run.
    pub(super) fn hash(&self, number: u32) -> u64 {
        self.entry(number).hash
    }

    fn entry(&self, number: u32) -> &Entry<T> {
        let (block, place) = place(number);
        let block = self.blocks[block].get();
        let entry = block.and_then(|block| block[place].get());
        entry.expect("a number is given with its value")
    }

    /// The number of a value.
    pub(super) fn number(&self, value: T) -> u32 {
        let hash = fingerprint(&value).get();
        let shard = &self.numbers[(hash >> 40) as usize % SHARDS];
        let is_same = |number: &u32| {
            let entry = self.entry(*number);
            entry.hash == hash && entry.value == value
        };
        let numbers = shard.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = numbers.find(hash, is_same) {
            return *number;
        }
        drop(numbers);
        let mut numbers = shard.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = numbers.find(hash, is_same) {
            return *number;
        }
        let before = numbers.allocation_size();
        if numbers.try_reserve(1, |number| self.hash(*number)).is_err() {
            self.is_full.store(true, Ordering::Relaxed);
            return 0;
        }
        let grown = numbers.allocation_size() - before;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if number >= MOST {
            // The search ends, and this state is not kept.
            self.is_full.store(true, Ordering::Relaxed);
            return 0;
        }
        let number = number as u32;
        let mut grown = grown + (self.each)(&value);
        let (block, place) = place(number);
        let entries = self.blocks[block].get_or_init(|| {
            let mut entries = Vec::new();
            if entries.try_reserve_exact(length(block)).is_ok() {
                entries.resize_with(length(block), OnceLock::new);
                grown += length(block) * size_of::<OnceLock<Entry<T>>>();
            }
            entries.into()
        });
        let Some(entry) = entries.get(place) else {
            self.is_full.store(true, Ordering::Relaxed);
            return 0;
        };
        let _ = entry.set(Entry { value, hash });
        self.bytes.fetch_add(grown as u64, Ordering::Relaxed);
        numbers.insert_unique(hash, number, |number| self.hash(*number));
        number
    }

    /// The bytes that it has reserved.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether it has no room for a further value.
    pub(super) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_one_number_whichever_thread_adds_them() {
        let table = Table::new(|_: &u64| 0);
        let numbers: Vec<Vec<u32>> = crate::parallel::each("test", 4, 0..4, |_| {
            (0..50_000)
                .map(|value: u64| table.number(value * 7))
                .collect()
        });
        assert!(numbers.iter().all(|of_thread| *of_thread == numbers[0]));
        for (value, number) in numbers[0].iter().enumerate() {
            assert_eq!(*table.value(*number), value as u64 * 7);
        }
        assert!(table.bytes() > 50_000 * 24 && !table.is_full());
    }

    #[test]
    fn blocks_follow_each_other() {
        let mut next = (0, 0);
        for number in 0..(1 << 20) {
            assert_eq!(place(number), next, "{number}");
            next.1 += 1;
            if next.1 == length(next.0) {
                next = (next.0 + 1, 0);
            }
        }
    }
}
