//! Vector clocks (Fidge 1988; Mattern 1989, "Virtual Time and Global States of Distributed Systems"): they know not only
//! that a later time is no cause of an earlier one, but which events are concurrent.

use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Serialize};

use super::Overflow;
use crate::process::ProcessId;

/// What one event is to another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Causality {
    /// It happened before the other, and can be a cause of it.
    Before,
    /// It happened after the other.
    After,
    /// Neither can know of the other.
    Concurrent,
    /// They are the same event.
    Equal,
}

/// How many events of each process an event knows of, itself included. Clocks that are merged or compared are of the same
/// processes.
///
/// ```
/// use lamport::{clock::{Causality, VectorClock}, process::ProcessId};
///
/// let (p1, p2, p3) = (ProcessId(0), ProcessId(1), ProcessId(2));
/// let mut clocks = vec![VectorClock::new(3); 3];
///
/// clocks[0].tick(p1)?;
/// let message = clocks[0].clone();
/// clocks[1].receive(p2, &message)?;
/// clocks[2].tick(p3)?;
///
/// assert_eq!(clocks[1].to_string(), "[1,1,0]");
/// assert_eq!(message.causality(&clocks[1]), Causality::Before);
/// assert_eq!(clocks[1].causality(&message), Causality::After);
/// assert_eq!(clocks[2].causality(&clocks[1]), Causality::Concurrent);
/// # Ok::<(), lamport::clock::Overflow>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct VectorClock(Vec<u64>);

impl VectorClock {
    /// The clock of one of so many processes, of which nothing is known yet.
    pub fn new(processes: usize) -> Self {
        Self(vec![0; processes])
    }

    /// How many events of this process it knows of; of one that it has no entry for, none.
    pub fn of(&self, process: ProcessId) -> u64 {
        self.0.get(process.index()).copied().unwrap_or(0)
    }

    /// The number of processes.
    pub fn processes(&self) -> usize {
        self.0.len()
    }

    /// Something happens at this process: its entry moves by one.
    ///
    /// # Errors
    /// At the end of the entry's range; the clock stays as it is.
    ///
    /// # Panics
    /// When the clock has no entry for it.
    pub fn tick(&mut self, process: ProcessId) -> Result<u64, Overflow> {
        let own = &mut self.0[process.index()];
        *own = own.checked_add(1).ok_or(Overflow)?;
        Ok(*own)
    }

    /// What the other knows is known here too.
    pub fn merge(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own = (*own).max(*other);
        }
    }

    /// A message with this clock is received at this process: it knows what the sender knew, and one event more.
    ///
    /// # Errors
    /// At the end of the entry's range; the clock stays as it is.
    ///
    /// # Panics
    /// When the clock has no entry for the process.
    pub fn receive(&mut self, process: ProcessId, sent: &Self) -> Result<u64, Overflow> {
        if self.of(process).max(sent.of(process)) == u64::MAX {
            return Err(Overflow);
        }
        self.merge(sent);
        self.tick(process)
    }

    /// What the event with this clock is to the one with the other: the one with less knowledge happened before.
    pub fn causality(&self, other: &Self) -> Causality {
        let each = || self.0.iter().zip(&other.0);
        match (
            each().all(|(own, other)| own <= other),
            each().all(|(own, other)| own >= other),
        ) {
            (true, true) => Causality::Equal,
            (true, false) => Causality::Before,
            (false, true) => Causality::After,
            (false, false) => Causality::Concurrent,
        }
    }
}

/// Happened before is less; concurrent events have no order.
impl PartialOrd for VectorClock {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.causality(other) {
            Causality::Before => Some(Ordering::Less),
            Causality::Equal => Some(Ordering::Equal),
            Causality::After => Some(Ordering::Greater),
            Causality::Concurrent => None,
        }
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
    fn at_the_end_of_its_range_it_refuses_and_stays() {
        let me = ProcessId(0);
        let mut clock = VectorClock(vec![u64::MAX, 3]);
        assert_eq!(clock.tick(me), Err(Overflow));
        assert_eq!(clock.receive(me, &VectorClock(vec![0, 9])), Err(Overflow));
        assert_eq!(clock, VectorClock(vec![u64::MAX, 3]));
        let mut other = VectorClock(vec![1, 0]);
        let told = VectorClock(vec![u64::MAX, 7]);
        assert_eq!(other.receive(me, &told), Err(Overflow));
        assert_eq!(other, VectorClock(vec![1, 0]), "nothing half done");
        assert_eq!(other.receive(ProcessId(1), &told), Ok(8));
    }

    #[test]
    fn its_order_is_happened_before() {
        let (one, two) = (VectorClock(vec![1, 0]), VectorClock(vec![1, 1]));
        assert!(one < two);
        assert_eq!(one.partial_cmp(&one), Some(Ordering::Equal));
        assert_eq!(one.partial_cmp(&VectorClock(vec![0, 5])), None);
    }
}
