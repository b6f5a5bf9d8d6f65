//! Lamport's logical clock (Lamport 1978, "Time, Clocks, and the Ordering of Events in a Distributed System",
//! implementation rules IR1 and IR2).

use std::fmt;

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
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LamportClock {
    time: u64,
}

/// The clock is at the end of its range: it refuses to move rather than to begin again at 0, which would order
/// later events before earlier ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Overflow;

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the time would exceed {}", u64::MAX)
    }
}

impl std::error::Error for Overflow {}

impl LamportClock {
    /// A clock at 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// The time of the last event.
    pub fn time(&self) -> u64 {
        self.time
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
        self.move_to(self.time)
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
        self.move_to(self.time.max(sent))
    }

    fn move_to(&mut self, latest: u64) -> Result<u64, Overflow> {
        self.time = latest.checked_add(1).ok_or(Overflow)?;
        Ok(self.time)
    }
}
