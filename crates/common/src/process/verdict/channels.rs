//! Reliable channels, which the algorithms assume: each message is received once, of FIFO channels in the order of sending.

use std::collections::HashSet;

use super::{
    check::Check,
    checker::{Checker, Known},
    exercise::Exercise,
    run::RunUnderTest,
};
use crate::process::{
    ids::ProcessId,
    property::Property,
    reliable_link::ChannelOrder,
    run_event::{MessageAction, RunEvent},
};

/// The last message of a channel.
#[derive(Clone, Copy, Debug)]
struct Last {
    from: ProcessId,
    number: u64,
    /// The index of its receive.
    receive: usize,
}

/// The last message of each channel.
#[derive(Debug)]
pub struct Channels {
    /// By receiver: the channels that it has received from, sorted by sender.
    last: Vec<Vec<Last>>,
    /// By receiver: the messages that it has received, with their senders; of unordered channels.
    received: Vec<HashSet<(ProcessId, u64)>>,
    violation: Option<((usize, usize), &'static str)>,
}

impl Channels {
    /// For this number of processes.
    pub fn new(processes: usize) -> Self {
        Self {
            last: vec![Vec::new(); processes],
            received: vec![HashSet::new(); processes],
            violation: None,
        }
    }
}

impl Checker for Channels {
    fn see(&mut self, index: usize, event: &RunEvent, run: &RunUnderTest<'_>, known: &Known) {
        let MessageAction::Receive { from, number, .. } = event.what else {
            return;
        };
        let last = Last {
            from,
            number,
            receive: index,
        };
        let channels = &mut self.last[event.process.index()];
        match channels.binary_search_by_key(&from, |channel| channel.from) {
            Err(place) => channels.insert(place, last),
            Ok(place) => {
                let before = std::mem::replace(&mut channels[place], last);
                if run.order == ChannelOrder::Fifo && number <= before.number {
                    let reason = if number == before.number {
                        "a message was received twice"
                    } else {
                        "a message was received after one that was sent later"
                    };
                    self.violation
                        .get_or_insert(((before.receive, index), reason));
                }
            }
        }
        if run.order == ChannelOrder::Unordered
            && !self.received[event.process.index()].insert((from, number))
        {
            self.violation
                .get_or_insert(((index, index), "a message was received twice"));
        }
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
                match run.order {
                    ChannelOrder::Fifo => {
                        "every message was received at most once, in the order of sending"
                    }
                    ChannelOrder::Unordered => {
                        "every message was received at most once, in any order"
                    }
                },
                &[],
            ),
        }]
    }
}
