//! Lamport's logical clock, the end of its range, and the total order of events that it gives (Lamport 1978, "Time, Clocks,
//! and the Ordering of Events in a Distributed System").
//!
//! ```
//! use common::process::clock::{LamportClock, Overflow};
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

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ids::ProcessId;

/// A logical clock (Lamport 1978): the handout's class. At the end of its range its methods return [`Overflow`], and it does
/// not move.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct LamportClock {
    time: u64,
}

impl LamportClock {
    /// A clock at 0.
    #[inline]
    pub fn new() -> Self {
        Self { time: 0 }
    }

    /// Sends a message: the clock advances by one, and the message carries the new time (IR1, IR2a).
    pub fn send(&mut self) -> Result<u64, Overflow> {
        self.time = self.time.checked_add(1).ok_or(Overflow)?;
        Ok(self.time)
    }

    /// Receives a message: the clock advances past its own time and the message's (IR2b).
    pub fn receive(&mut self, received_time: u64) -> Result<u64, Overflow> {
        let latest = self.time.max(received_time);
        self.time = latest.checked_add(1).ok_or(Overflow)?;
        Ok(self.time)
    }

    /// A local event: the clock advances by one (IR1).
    ///
    /// # Errors
    /// At the end of the clock's range; the clock does not move.
    #[inline]
    pub fn tick(&mut self) -> Result<u64, Overflow> {
        self.send()
    }

    /// A clock at this time.
    #[inline]
    pub fn at(time: u64) -> Self {
        Self { time }
    }

    /// The time of the last event.
    #[inline]
    pub fn time(&self) -> u64 {
        self.time
    }
}

/// The clock is at 2⁶⁴ − 1 and stays there. Starting again at 0 would order later events before earlier ones. The handout's
/// clock has no end: Python's integers are unbounded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Overflow;

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time would exceed the end of its range")
    }
}

impl std::error::Error for Overflow {}

/// A Lamport timestamp: the clock's time, and the process to break ties. It orders all events of a run totally, every
/// process computes the same order, and an effect never precedes its cause (the paper's relation ⇒).
///
/// ```
/// use common::process::{clock::Timestamp, ids::ProcessId};
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
