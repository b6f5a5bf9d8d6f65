//! A monitor of properties. It is part of each state of the model: it sees each event, and keeps the part of the history on
//! which the properties depend.

use std::{fmt::Debug, hash::Hash};

use super::{
    super::{Meaning, ids::ProcessId, property::Property, verdict::exercise::Exercise},
    relevance::Visit,
};

/// What is known of the last entry to the critical section, where a reduced search visits only one of the orders of concurrent
/// events.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Known {
    /// Nothing of its exit.
    #[default]
    Nothing,
    /// The exit happened before.
    Exited,
}

/// The message that a process receives.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Received {
    /// The time of its send event.
    pub sent: u64,
    /// What its sender knew.
    pub known: Known,
}

/// What the monitor sees of an event.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Seen {
    /// The process's clock before the event, and its time.
    pub clock: (u64, u64),
    /// The message that is received.
    pub received: Option<Received>,
    /// The meaning.
    pub meaning: Option<Meaning>,
    /// Whether it only shows what the clock would do.
    pub is_probe: bool,
}

/// The properties of a path as an automaton.
pub trait Monitor: Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// Begins the next step.
    fn step(&mut self);

    /// A process has an event. Returns what that exercises.
    fn see(&mut self, process: ProcessId, seen: &Seen) -> Exercise;

    /// A process crashes.
    fn crash(&mut self, _process: ProcessId) {}

    /// Whether the last step violated this property.
    fn violates(&self, property: Property) -> bool;

    /// Whether the liveness properties hold if this state is final; `crashed` has a bit for each process that crashed.
    fn complete(&self, processes: usize, crashed: u16) -> bool;

    /// The obligations that are not fulfilled in this state, a bit for each, for a search for lassos; `crashed` has a bit for
    /// each process that crashed.
    fn unfulfilled(&self, _crashed: u16) -> u64 {
        0
    }

    /// What of an event makes a difference to the monitor, if anything does, when nothing that a reduced search asks for is
    /// kept.
    fn relevant(seen: Seen) -> Option<Seen> {
        Some(seen)
    }

    /// In a reduced search: what this process knows of the last entry.
    fn known(&self, _process: ProcessId) -> Known {
        Known::Nothing
    }

    /// In a reduced search: visits the times in use.
    fn times(&mut self, _visit: Visit<'_>) {}
}
