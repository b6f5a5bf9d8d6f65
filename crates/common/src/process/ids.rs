//! How processes are identified: by their number, by their name, and by a session, which tells a process from an earlier
//! one of the same name.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
};

use serde::{Deserialize, Serialize};

/// A process's number, from 0; printed as p1, p2, … where the process has no other name.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct ProcessId(pub u32);

impl ProcessId {
    /// No process: the number stands for one that is not known.
    pub const NOBODY: Self = Self(u32::MAX);

    /// The process's index in a list of all processes.
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// The process at this index in a list of all processes.
    ///
    /// # Panics
    /// When the index is above 2³² − 1.
    #[inline]
    pub fn at(index: usize) -> Self {
        Self(index.try_into().expect("a process's number has 32 bits"))
    }

    /// All processes in a group of N, except this one.
    #[inline]
    pub fn others(self, processes: usize) -> impl Iterator<Item = Self> {
        Self::all(processes).filter(move |other| *other != self)
    }

    /// All processes in a group of N.
    #[inline]
    pub fn all(processes: usize) -> impl Iterator<Item = Self> + Clone {
        (0..processes).map(Self::at)
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", u64::from(self.0) + 1)
    }
}

/// The names of the processes, in the order of their numbers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Names(Vec<String>);

impl Names {
    /// p1, p2, … for N processes.
    pub fn numbered(processes: usize) -> Self {
        Self(
            ProcessId::all(processes)
                .map(|process| process.to_string())
                .collect(),
        )
    }

    /// These names in the order in which every process sorts them: by length (so that p2 comes before p10), then
    /// alphabetically.
    ///
    /// # Errors
    /// A name that two processes have.
    pub fn sorted(mut names: Vec<String>) -> Result<Self, String> {
        names.sort_by(|one, other| (one.len(), one).cmp(&(other.len(), other)));
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(pair[0].clone()),
            None => Ok(Self(names)),
        }
    }

    /// These names, in this order.
    pub fn of_all(names: Vec<String>) -> Self {
        Self(names)
    }

    /// The name of this process.
    pub fn of(&self, process: ProcessId) -> &str {
        self.0.get(process.index()).map_or("?", String::as_str)
    }

    /// The process with this name.
    pub fn process(&self, name: &str) -> Option<ProcessId> {
        self.0
            .iter()
            .position(|known| known == name)
            .map(ProcessId::at)
    }

    /// All names, by number.
    #[inline]
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Adds a process with this name; returns its number.
    pub fn add(&mut self, name: String) -> ProcessId {
        self.0.push(name);
        ProcessId::at(self.0.len() - 1)
    }

    /// The number of processes.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// A random number for a new session of a process; never 0, which stands for an unknown session.
pub fn new_session() -> u32 {
    // The keys of a new hasher are random.
    (RandomState::new().hash_one(std::process::id()) as u32).max(1)
}
