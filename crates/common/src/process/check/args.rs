//! The faults that may occur and the limits of a search, from a program's options.

use super::{search::Limits, system::FaultBudget};
use crate::{capacity, config::in_range, exit::Failure, parallel, size::Size};

/// The default limit of distinct states.
const MOST_STATES: u64 = 20_000_000;

/// The flags of the faults that may occur.
pub const FAULTS: [&str; 5] = [
    "--may-lose",
    "--may-duplicate",
    "--may-reorder",
    "--may-crash",
    "--may-suspect",
];

/// The options of a check.
#[derive(Clone, Copy, Debug, Default)]
pub struct CheckArgs {
    /// `--may-lose`
    pub may_lose: Option<u8>,
    /// `--may-duplicate`
    pub may_duplicate: Option<u8>,
    /// `--may-reorder`
    pub may_reorder: Option<u8>,
    /// `--may-crash`
    pub may_crash: Option<u8>,
    /// `--may-suspect`
    pub may_suspect: Option<u8>,
    /// `--states`
    pub states: Option<u64>,
    /// `--memory`
    pub memory: Option<Size>,
    /// `--workers`
    pub workers: Option<usize>,
}

impl CheckArgs {
    /// The faults that may occur among this many processes.
    ///
    /// # Errors
    /// When one is out of range (exit code 2).
    pub fn budget(&self, processes: usize) -> Result<FaultBudget, Failure> {
        let times = |flag: &str, times: Option<u8>| in_range(flag, times.unwrap_or(0), 0, 100);
        let crashes = self.may_crash.unwrap_or(0);
        Ok(FaultBudget {
            lost: times("--may-lose", self.may_lose)?,
            duplicated: times("--may-duplicate", self.may_duplicate)?,
            reordered: times("--may-reorder", self.may_reorder)?,
            crashed: in_range("--may-crash", crashes, 0, processes as u8)?,
            suspected: times("--may-suspect", self.may_suspect)?,
        })
    }

    /// The limits of the search.
    ///
    /// # Errors
    /// When one is out of range (exit code 2).
    pub fn limits(&self) -> Result<Limits, Failure> {
        let workers = self.workers.unwrap_or_else(parallel::processors);
        let most = self.states.unwrap_or(MOST_STATES);
        let memory = self.memory.map(|Size(bytes)| bytes);
        Ok(Limits {
            workers: in_range("--workers", workers, 1, 1_024)?,
            most: in_range("--states", most, 1, 1 << 40)?,
            memory: memory.unwrap_or_else(|| capacity::memory().number / 2),
            until_violation: false,
        })
    }
}
