//! A checker of one kind of property: what it sees of a run, and what it concludes.

use std::fmt;

use common::event::{self, Event};

use crate::{
    algorithms::Algorithm,
    happened_before::VectorTimes,
    ids::{Names, ProcessId},
    property::Property,
    run_event::RunEvent,
};

/// No event.
pub const NONE: u32 = u32::MAX;

/// Where the events of a run stand in its logs.
pub trait Places: fmt::Debug {
    /// The file and line of the event at this place of the run.
    fn place(&self, event: usize) -> String;
}

/// A run, as it is checked.
#[derive(Clone, Copy, Debug)]
pub struct RunUnderTest<'a> {
    /// What it ran.
    pub algorithm: Algorithm,
    /// What the processes are called.
    pub names: &'a Names,
    /// Every event, in causal order: no effect before its cause.
    pub events: &'a [RunEvent],
    /// The processes that did not come to their end, so that their last events may be missing.
    pub gone: &'a [ProcessId],
    /// The processes whose logs are missing altogether.
    pub missing: &'a [ProcessId],
    /// Of each event the place of the send that it receives, or [`NONE`]; without it the senders' numbers decide.
    pub sends: Option<&'a [u32]>,
    /// Where the events stand in logs.
    pub places: Option<&'a dyn Places>,
}

/// One property that was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The property.
    pub property: Property,
    /// Whether it holds.
    pub verdict: event::Verdict,
    /// What was found, in plain words.
    pub found: String,
    /// The first two events that violate it, by their places in the run; the second is the one that violates it. None
    /// where the violation is that something did not happen up to the end.
    pub events: Option<(usize, usize)>,
}

/// What is known at the present event.
#[derive(Debug)]
pub(super) struct Known {
    /// Where the message that is received was sent.
    pub(super) send: Option<usize>,
    /// How many events happened before the present one; kept only where a checker asks for it.
    pub(super) times: Option<VectorTimes>,
}

impl Known {
    /// How many of the other process's events happened before the present event of this process, which counts itself.
    pub(super) fn of(&self, process: ProcessId, other: ProcessId) -> u32 {
        let times = self.times.as_ref().expect("kept for this checker");
        times.known(process.index(), other.index())
    }
}

/// Checks one kind of property: sees every event in causal order, and concludes.
pub(super) trait Checker {
    fn see(&mut self, place: usize, event: &RunEvent, run: &RunUnderTest<'_>, known: &Known);
    fn conclude(self: Box<Self>, run: &RunUnderTest<'_>) -> Vec<Check>;
}

impl<'a> RunUnderTest<'a> {
    /// A run all of whose events are known.
    pub fn new(algorithm: Algorithm, names: &'a Names, events: &'a [RunEvent]) -> Self {
        Self {
            algorithm,
            names,
            events,
            gone: &[],
            missing: &[],
            sends: None,
            places: None,
        }
    }

    /// The same, of which these processes did not come to their end.
    #[must_use]
    pub fn gone(self, gone: &'a [ProcessId]) -> Self {
        Self { gone, ..self }
    }

    /// Whether events of this process may be missing.
    pub(super) fn is_incomplete(&self, process: ProcessId) -> bool {
        self.gone.contains(&process) || self.missing.contains(&process)
    }

    /// An event in words, and where it stands.
    fn sentence(&self, event: usize) -> String {
        let sentence = self.events[event].sentence(self.names);
        match self.places {
            Some(places) => format!("{sentence} ({})", places.place(event)),
            None => sentence,
        }
    }
}

impl Check {
    fn new(property: Property, verdict: event::Verdict, found: impl Into<String>) -> Self {
        Self {
            property,
            verdict,
            found: found.into(),
            events: None,
        }
    }

    /// The property holds.
    pub fn ok(property: Property, found: impl Into<String>) -> Self {
        Self::new(property, event::Verdict::Ok, found)
    }

    /// It could not be decided.
    pub fn open(property: Property, why: impl Into<String>) -> Self {
        Self::new(property, event::Verdict::Open, why)
    }

    /// It holds as far as the logs say: open where a log is missing, or lacks events that others know of.
    pub(super) fn as_far_as_known(
        run: &RunUnderTest<'_>,
        property: Property,
        found: String,
        cut: &[ProcessId],
    ) -> Self {
        let list = |processes: &[ProcessId]| {
            let names: Vec<_> = processes
                .iter()
                .map(|process| run.names.of(*process))
                .collect();
            names.join(", ")
        };
        if !run.missing.is_empty() {
            let found = format!(
                "{found}, as far as is logged; no log of {}",
                list(run.missing)
            );
            return Self::open(property, found);
        }
        if !cut.is_empty() {
            let found = format!(
                "{found}, as far as is logged; the log of {} is cut",
                list(cut)
            );
            return Self::open(property, found);
        }
        Self::ok(property, found)
    }

    /// Something did not happen up to the end of the run.
    pub(super) fn unfulfilled(property: Property, found: String) -> Self {
        Self::new(property, event::Verdict::Fail, found)
    }

    /// Two events violate it; with the reason.
    pub(super) fn violated(
        run: &RunUnderTest<'_>,
        property: Property,
        (one, other): (usize, usize),
        reason: &str,
    ) -> Self {
        let found = if one == other {
            format!("{reason}; {}", run.sentence(one))
        } else {
            format!("{reason}; {}; {}", run.sentence(one), run.sentence(other))
        };
        Self {
            events: Some((one, other)),
            ..Self::new(property, event::Verdict::Fail, found)
        }
    }

    /// Whether the property is violated.
    pub fn is_violated(&self) -> bool {
        self.verdict == event::Verdict::Fail
    }

    /// As an event.
    pub fn event(&self) -> Event {
        Event::check(self.property.name(), self.verdict, self.found.clone())
    }
}
