//! The limits of a search, its progress and its result.

use std::sync::atomic::{AtomicU64, Ordering};

/// The limits of a search.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The number of threads.
    pub workers: usize,
    /// The most distinct states.
    pub most: u64,
    /// The most bytes of memory for the states.
    pub memory: u64,
    /// Whether the level with the first violation is the last one.
    pub until_violation: bool,
}

impl Limits {
    /// No limit but the number of threads.
    pub fn none(workers: usize) -> Self {
        Self {
            workers,
            most: u64::MAX,
            memory: u64::MAX,
            until_violation: false,
        }
    }
}

/// The progress of a search, readable from other threads.
#[derive(Debug, Default)]
pub struct Progress {
    generated: AtomicU64,
    distinct: AtomicU64,
    depth: AtomicU64,
}

/// The counts of a search.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Distinct states within the bounds.
    pub distinct: u64,
    /// The initial state, and the successors within the bounds, each as often as a step leads to it.
    pub generated: u64,
    /// Steps that lead beyond the bounds.
    pub beyond: u64,
    /// The number of levels, the initial state's included, as TLC counts.
    pub depth: u64,
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// Every state was visited.
    Complete,
    /// Every property is violated, or as many as were to be found; the remaining states were not visited.
    AllViolated,
    /// It was asked to stop.
    Interrupted,
    /// There are more states than the limit.
    TooMany,
    /// The states take more memory than the limit, or than there is.
    NoMemory,
}

/// The result of a search.
#[derive(Debug)]
pub struct Outcome<A> {
    /// The counts.
    pub counts: Counts,
    /// Why it ended.
    pub end: End,
    /// For each property, in their order, a shortest path from the initial state to a violation.
    pub violations: Vec<Option<Vec<A>>>,
}

impl Progress {
    /// Shows these counts.
    pub(in crate::process::check) fn show(&self, counts: &Counts) {
        let Counts {
            generated,
            distinct,
            depth,
            ..
        } = *counts;
        self.generated.store(generated, Ordering::Relaxed);
        self.distinct.store(distinct, Ordering::Relaxed);
        self.depth.store(depth, Ordering::Relaxed);
    }

    /// The counts so far, without the steps that lead beyond the bounds.
    pub fn counts(&self) -> Counts {
        Counts {
            distinct: self.distinct.load(Ordering::Relaxed),
            generated: self.generated.load(Ordering::Relaxed),
            beyond: 0,
            depth: self.depth.load(Ordering::Relaxed),
        }
    }
}
