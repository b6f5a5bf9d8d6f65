//! Experiment 6: Lamport's logical clocks.
//!
//! | module | job |
//! | --- | --- |
//! | [`clock`] | the handout's program: the logical clock; and vector clocks, and one for threads |
//! | [`process`] | what an algorithm is: a state machine with an outbox, and its clock |
//! | [`algorithms`], [`workload`] | the algorithms, and what their applications want |
//! | [`channel`], [`engine`] | reliable FIFO channels; a process with its channels, for whoever drives it |
//! | [`simulate`], [`agenda`], [`faults`] | driven in simulated time, and what a network does |
//! | [`check`] | every interleaving of the same processes, by model checking |
//! | [`node`], [`run`] | driven by real sockets: one process by hand, many started and watched |
//! | [`happening`], [`verdict`], [`shortest`] | what happened, whether it was as promised, and the shortest run where not |
//! | [`trace`] | the logs of every program of the lab, merged, verified and drawn |
//! | [`reporting`], [`view`] | what of it is told, and how people see it |
//! | [`config`] | what the program can be told |

pub mod agenda;
pub mod algorithms;
pub mod channel;
pub mod check;
pub mod clock;
pub mod config;
pub mod engine;
pub mod faults;
pub mod happening;
mod logs;
pub mod node;
pub mod process;
pub mod reporting;
pub mod run;
pub mod shortest;
pub mod simulate;
pub mod trace;
pub mod verdict;
pub mod view;
pub mod workload;

use common::{
    event::{Event, Kind},
    exit::{Failure, Summary},
    journal::Journal,
    message::{Carrier, MessageId},
};

use crate::clock::LamportClock;

/// The handout's run: two clocks in one process, and one message from the first to the second.
///
/// # Errors
/// When a clock is at the end of its range, which two clocks that start at 0 are not.
pub fn handout(journal: &Journal) -> Result<Summary, Failure> {
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
