//! Reliable FIFO channels, which the algorithms assume: each message is received once, in the order of sending.

use super::{
    check::Check,
    checker::{Checker, Known},
    exercise::Exercise,
    run::RunUnderTest,
};
use crate::{
    property::Property,
    run_event::{MessageAction, RunEvent},
};

/// The last message of each channel.
#[derive(Debug)]
pub(super) struct Channels {
    processes: usize,
    /// By sender and receiver: the number of the last message, and the index of its receive.
    last: Vec<(u64, usize)>,
    violation: Option<((usize, usize), &'static str)>,
}

impl Channels {
    pub(super) fn new(processes: usize) -> Self {
        Self {
            processes,
            last: vec![(0, 0); processes * processes],
            violation: None,
        }
    }
}

impl Checker for Channels {
    fn see(&mut self, index: usize, event: &RunEvent, run: &RunUnderTest<'_>, known: &Known) {
        let MessageAction::Receive { from, number, .. } = event.what else {
            return;
        };
        let channel = &mut self.last[from.index() * self.processes + event.process.index()];
        let (last, before) = *channel;
        if number <= last {
            let reason = if number == last {
                "a message was received twice"
            } else {
                "a message was received after one that was sent later"
            };
            self.violation.get_or_insert(((before, index), reason));
        }
        *channel = (number, index);
        if known.send.is_none() && !run.is_incomplete(from) {
            self.violation
                .get_or_insert(((index, index), "no process sent this message"));
        }
    }

    fn conclude(self: Box<Self>, run: &RunUnderTest<'_>, exercise: Exercise) -> Vec<Check> {
        let property = Property::Channels;
        vec![match self.violation {
            Some((events, reason)) => Check::violated(run, property, events, reason),
            None => Check::held(
                run,
                exercise,
                property,
                "every message was received at most once, in the order of sending",
                &[],
            ),
        }]
    }
}
