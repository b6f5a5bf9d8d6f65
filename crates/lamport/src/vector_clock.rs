//! The vector clock of causally ordered multicast (Birman, Schiper & Stephenson 1991): how many multicasts of each process
//! a process has delivered. And of snapshots (Mattern 1989): how many of each process it has recorded.

use std::fmt;

use common::process::{clock::Overflow, ids::ProcessId};
use serde::{Deserialize, Serialize};

/// A counter for each process.
///
/// ```
/// use common::process::ids::ProcessId;
/// use lamport::vector_clock::VectorClock;
///
/// let mut delivered = VectorClock::new(3);
/// delivered.tick(ProcessId(1))?;
/// assert_eq!(delivered.of(ProcessId(1)), 1);
/// assert_eq!(delivered.to_string(), "[0,1,0]");
/// # Ok::<(), common::process::clock::Overflow>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct VectorClock(Vec<u64>);

impl VectorClock {
    /// A clock of N processes, with all counters at 0.
    pub fn new(processes: usize) -> Self {
        Self(vec![0; processes])
    }

    /// The counter of this process; 0 where the clock has none for it.
    pub fn of(&self, process: ProcessId) -> u64 {
        self.0.get(process.index()).copied().unwrap_or(0)
    }

    /// The number of processes.
    pub fn processes(&self) -> usize {
        self.0.len()
    }

    /// Advances the counter of this process by one.
    ///
    /// # Errors
    /// At the end of the counter's range; the clock does not move.
    ///
    /// # Panics
    /// When the clock has no counter for the process.
    pub fn tick(&mut self, process: ProcessId) -> Result<u64, Overflow> {
        let counter = &mut self.0[process.index()];
        *counter = counter.checked_add(1).ok_or(Overflow)?;
        Ok(*counter)
    }

    /// Advances the counter of this process to this value, if it is less.
    ///
    /// # Panics
    /// When the clock has no counter for the process.
    pub fn advance(&mut self, process: ProcessId, count: u64) {
        let counter = &mut self.0[process.index()];
        *counter = count.max(*counter);
    }
}

impl fmt::Display for VectorClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (place, count) in self.0.iter().enumerate() {
            write!(f, "{}{count}", if place == 0 { "" } else { "," })?;
        }
        f.write_str("]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_end_of_its_range_it_does_not_move() {
        let mut clock = VectorClock(vec![u64::MAX, 3]);
        assert_eq!(clock.tick(ProcessId(0)), Err(Overflow));
        assert_eq!(clock, VectorClock(vec![u64::MAX, 3]));
        assert_eq!(clock.tick(ProcessId(1)), Ok(4));
    }
}
