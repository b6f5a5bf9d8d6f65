//! The handout's `lamport_clock.py`, statement by statement: the program that `lamport` without a subcommand runs. Its class
//! is `LamportClock` in `common/src/process/clock.rs`, which the algorithms use, too.

use common::{
    event::{Event, Kind},
    exit::Summary,
    journal::Journal,
    message::{Carrier, MessageId},
    process::clock::{LamportClock, Overflow},
};

/// Two clocks, and one message from the first to the second.
pub fn run(journal: &Journal) -> Result<Summary, Overflow> {
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
