//! A run as it is checked: its events in causal order, and which of them may be missing.

use std::fmt;

use crate::process::{
    ids::{Names, ProcessId},
    reliable_link::ChannelOrder,
    run_event::RunEvent,
};

/// No event.
pub const NONE: u32 = u32::MAX;

/// The places of a run's events in its logs.
pub trait Places: fmt::Debug {
    /// File and line of the event with this index.
    fn place(&self, event: usize) -> String;
}

/// Whether something is expected of a process at the end of a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expected {
    /// It ended by itself, so it must have done everything.
    Yes,
    /// Nothing is known of its end: it may still do it.
    Unknown,
    /// It crashed, or has no log.
    No,
}

/// A run, as it is checked.
#[derive(Clone, Copy, Debug)]
pub struct RunUnderTest<'a> {
    /// The names of the processes.
    pub names: &'a Names,
    /// All events, in causal order.
    pub events: &'a [RunEvent],
    /// The processes that did not end by themselves, as far as is known: their last events may be missing, and they may still
    /// do what they have not done.
    pub unfinished: &'a [ProcessId],
    /// The processes that crashed: their last events may be missing, and nothing is expected of them.
    pub crashed: &'a [ProcessId],
    /// The processes without a log.
    pub missing: &'a [ProcessId],
    /// In which order the channels deliver.
    pub order: ChannelOrder,
    /// For each event the index of the send that it receives, or [`NONE`]. Without it the senders' numbers identify the sends.
    pub sends: Option<&'a [u32]>,
    /// The places of the events in logs.
    pub places: Option<&'a dyn Places>,
}

impl<'a> RunUnderTest<'a> {
    /// A run all of whose events are known.
    pub fn new(names: &'a Names, events: &'a [RunEvent]) -> Self {
        Self {
            names,
            events,
            unfinished: &[],
            crashed: &[],
            missing: &[],
            order: ChannelOrder::Fifo,
            sends: None,
            places: None,
        }
    }

    /// The same run, in which these processes did not end by themselves.
    #[must_use]
    pub fn unfinished(self, unfinished: &'a [ProcessId]) -> Self {
        Self { unfinished, ..self }
    }

    /// The same run, in which these processes crashed.
    #[must_use]
    pub fn crashed(self, crashed: &'a [ProcessId]) -> Self {
        Self { crashed, ..self }
    }

    /// The same run, over channels that deliver in this order.
    #[must_use]
    pub fn order(self, order: ChannelOrder) -> Self {
        Self { order, ..self }
    }

    /// Whether events of this process may be missing.
    pub fn is_incomplete(&self, process: ProcessId) -> bool {
        self.expects(process) != Expected::Yes
    }

    /// Whether the process must have done everything when the run ends.
    pub fn expects(&self, process: ProcessId) -> Expected {
        if self.crashed.contains(&process) || self.missing.contains(&process) {
            Expected::No
        } else if self.unfinished.contains(&process) {
            Expected::Unknown
        } else {
            Expected::Yes
        }
    }

    /// Which processes may still have something to do.
    pub fn cut_short(&self) -> String {
        let names = self
            .unfinished
            .iter()
            .map(|process| self.names.of(*process));
        let names: Vec<_> = names.collect();
        let log = if names.len() == 1 { "log" } else { "logs" };
        let ends = if names.len() == 1 { "ends" } else { "end" };
        format!("the {log} of {} {ends} without a stop", names.join(", "))
    }

    /// An event in words, with its place in the logs.
    pub fn sentence(&self, event: usize) -> String {
        let sentence = self.events[event].sentence(self.names);
        match self.places {
            Some(places) => format!("{sentence} ({})", places.place(event)),
            None => sentence,
        }
    }
}
