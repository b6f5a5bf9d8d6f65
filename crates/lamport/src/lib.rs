//! Experiment 6: Lamport's logical clocks.
//!
//! | module | job |
//! | --- | --- |
//! | [`clock`] | the handout's program: the logical clock |
//! | [`config`] | what the program can be told |

pub mod clock;
pub mod config;

use common::{
    event::{Event, Kind},
    exit::{Failure, Summary},
    journal::{Journal, Lines, usual_view},
    message::{Carrier, MessageId},
};

use crate::clock::LamportClock;

/// The handout's run: two clocks in one process, and one message from the first to the second.
///
/// # Errors
/// When a clock is at the end of its range, which two clocks that start at 0 are not.
pub fn run(journal: &Journal) -> Result<Summary, Failure> {
    let overflow = |error: clock::Overflow| Failure::no("clock", error);
    let message = || MessageId::new(Carrier::Memory, "clock1", "clock2", 1);
    let (mut clock1, mut clock2) = (LamportClock::new(), LamportClock::new());

    let sent = clock1.send().map_err(overflow)?;
    journal.record(
        Event::new(Kind::Send)
            .message(message())
            .peer("clock2")
            .clock(sent),
    );

    let received = clock2.receive(sent).map_err(overflow)?;
    journal.record(
        Event::new(Kind::Receive)
            .message(message())
            .peer("clock1")
            .clock(received),
    );

    Ok(Summary::done("1 message").count("messages", 1))
}

/// What a person sees: the handout's lines.
pub fn view(event: &Event, lines: &mut Lines) {
    match (event.kind, event.clock) {
        (Kind::Send, Some(time)) => lines.answer = format!("Clock1 Time after sending: {time}"),
        (Kind::Receive, Some(time)) => {
            lines.answer = format!("Clock2 Time after receiving: {time}")
        }
        _ => usual_view(event, lines),
    }
}
