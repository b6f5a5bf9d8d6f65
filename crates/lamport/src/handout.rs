//! The handout's `lamport_clock.py`, statement by statement: the program that `lamport` without a subcommand runs. The
//! algorithms of this crate use the same clock.

use common::{
    event::{Event, Kind},
    exit::{Failure, Summary},
    journal::Journal,
    message::{Carrier, MessageId},
};

use crate::overflow::Overflow;

/// A logical clock (Lamport 1978).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct LamportClock {
    pub(crate) time: u64,
}

impl LamportClock {
    /// A clock at 0.
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
}

/// Two clocks, and one message from the first to the second.
pub fn run(journal: &Journal) -> Result<Summary, Failure> {
    let print = |kind, label, time| {
        let message = MessageId::new(Carrier::Memory, "clock1", "clock2", 1);
        let event = Event::new(kind).message(message).clock(time);
        journal.record(event.text(format!("{label}: {time}")));
    };
    let mut clock1 = LamportClock::new();
    let mut clock2 = LamportClock::new();

    let message_time1 = clock1.send()?;
    print(Kind::Send, "Clock1 Time after sending", message_time1);

    let message_time2 = clock2.receive(message_time1)?;
    print(Kind::Receive, "Clock2 Time after receiving", message_time2);

    Ok(Summary::done("1 message").count("messages", 1))
}
