//! The handout's [`LamportClock`] with what the algorithms need beside its two methods, and the total order of events that
//! it gives (Lamport 1978, "Time, Clocks, and the Ordering of Events in a Distributed System").
//!
//! ```
//! use lamport::clock::{LamportClock, Overflow};
//!
//! let (mut p, mut q) = (LamportClock::new(), LamportClock::new());
//! let message = p.send()?;
//! assert_eq!((message, p.time()), (1, 1));
//! assert_eq!(q.receive(message)?, 2, "max(0, 1) + 1");
//!
//! // q is ahead now: an old message advances it by one, as every event does.
//! assert_eq!(q.receive(1)?, 3, "max(2, 1) + 1");
//! assert_eq!(p.time(), 1, "no message reached p");
//!
//! // At the end of its range a clock does not move.
//! assert_eq!((q.receive(u64::MAX), q.time()), (Err(Overflow), 3));
//! # Ok::<(), Overflow>(())
//! ```

use serde::{Deserialize, Serialize};

use crate::ids::ProcessId;
pub use crate::{handout::LamportClock, overflow::Overflow};

impl LamportClock {
    /// A clock at this time.
    pub fn at(time: u64) -> Self {
        Self { time }
    }

    /// The time of the last event.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// A local event: the clock advances by one (IR1).
    ///
    /// # Errors
    /// At the end of the clock's range; the clock does not move.
    pub fn tick(&mut self) -> Result<u64, Overflow> {
        self.send()
    }
}

/// A Lamport timestamp: the clock's time, and the process to break ties. It orders all events of a run totally, every
/// process computes the same order, and an effect never precedes its cause (the paper's relation ⇒).
///
/// ```
/// use lamport::{clock::Timestamp, ids::ProcessId};
///
/// let (p1, p2) = (ProcessId(0), ProcessId(1));
/// let request = |time, process| Timestamp { time, process };
/// assert!(request(3, p2) < request(4, p1), "the smaller time first");
/// assert!(request(4, p1) < request(4, p2), "equal times by process");
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Timestamp {
    /// The time of the process's clock after the event.
    pub time: u64,
    /// The process that had the event.
    pub process: ProcessId,
}
