//! Lamport's logical clock (Lamport 1978, "Time, Clocks, and the Ordering of Events in a Distributed System",
//! implementation rules IR1 and IR2), the total order that it gives, and in modules of their own the clock that threads
//! share and the clock that knows what is concurrent.

mod atomic;
mod vector;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::{
    atomic::AtomicLamportClock,
    vector::{Causality, VectorClock},
};
use crate::process::ProcessId;

/// A logical clock: a counter that orders events so that what happened before has the smaller time.
///
/// ```
/// use lamport::clock::LamportClock;
///
/// let (mut p, mut q) = (LamportClock::new(), LamportClock::new());
/// let message = p.send()?;
/// assert_eq!((message, p.time()), (1, 1));
/// assert_eq!(q.receive(message)?, 2, "one more than the later of both");
///
/// // q is ahead now: an old message moves it by one, as every event does, and never back.
/// assert_eq!(q.receive(1)?, 3);
/// assert_eq!(p.time(), 1, "nobody told p");
/// # Ok::<(), lamport::clock::Overflow>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct LamportClock {
    time: u64,
}

/// The clock is at the end of its range: it refuses to move rather than to begin again at 0, which would order
/// later events before earlier ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Overflow;

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time would exceed the end of its range")
    }
}

impl std::error::Error for Overflow {}

impl LamportClock {
    /// A clock at 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// A clock that shows this time, such as one that was kept.
    pub fn at(time: u64) -> Self {
        Self { time }
    }

    /// The time of the last event.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// Something happens that concerns this process alone: the clock moves by one (IR1).
    ///
    /// # Errors
    /// At the end of the clock's range; the clock stays as it is.
    pub fn tick(&mut self) -> Result<u64, Overflow> {
        self.move_past(self.time)
    }

    /// A message is sent: the clock moves by one, and its time goes with the message (IR1, IR2a).
    ///
    /// ```
    /// # use lamport::clock::LamportClock;
    /// let mut clock = LamportClock::new();
    /// assert_eq!((clock.send(), clock.send()), (Ok(1), Ok(2)));
    /// ```
    ///
    /// # Errors
    /// At the end of the clock's range; the clock stays as it is.
    pub fn send(&mut self) -> Result<u64, Overflow> {
        self.tick()
    }

    /// A message with this time is received: the clock moves past both its own time and the message's (IR2b).
    ///
    /// ```
    /// # use lamport::clock::{LamportClock, Overflow};
    /// let mut clock = LamportClock::new();
    /// assert_eq!((clock.receive(10), clock.receive(3)), (Ok(11), Ok(12)));
    /// assert_eq!((clock.receive(u64::MAX), clock.time()), (Err(Overflow), 12));
    /// ```
    ///
    /// # Errors
    /// At the end of the clock's range; the clock stays as it is.
    pub fn receive(&mut self, sent: u64) -> Result<u64, Overflow> {
        self.move_past(self.time.max(sent))
    }

    fn move_past(&mut self, latest: u64) -> Result<u64, Overflow> {
        self.time = latest.checked_add(1).ok_or(Overflow)?;
        Ok(self.time)
    }
}

/// When and where an event happened: the clock's time, and between equal times the process. So any two events of a run
/// have an order, the same for everybody, and it never puts an effect before its cause (the paper's relation =>).
///
/// ```
/// use lamport::{clock::Timestamp, process::ProcessId};
///
/// let (p1, p2) = (ProcessId(0), ProcessId(1));
/// let request = |time, process| Timestamp { time, process };
/// assert!(request(3, p2) < request(4, p1), "the earlier time first");
/// assert!(request(4, p1) < request(4, p2), "and between equal times the process");
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Timestamp {
    /// The time of the process's clock after the event.
    pub time: u64,
    /// Whose event it is.
    pub process: ProcessId,
}
