//! The interface of the checkers: each sees all events of a run, and concludes.

use std::fmt;

use super::{check::Check, exercise::Exercise, run::RunUnderTest};
use crate::process::{happened_before::VectorTimes, ids::ProcessId, run_event::RunEvent};

/// Facts about the present event that several checkers need.
#[derive(Debug)]
pub struct Known {
    /// The index of the send that it receives.
    pub send: Option<usize>,
    /// The vector timestamps; computed only for checkers that need them.
    pub times: Option<VectorTimes>,
}

impl Known {
    /// How many events of the other process happened before the present event of this process; of this process, including it.
    pub fn of(&self, process: ProcessId, other: ProcessId) -> u32 {
        let times = self.times.as_ref().expect("computed for this checker");
        times.known(process.index(), other.index())
    }
}

/// Checks properties of one kind.
pub trait Checker: fmt::Debug {
    /// Whether it uses the vector timestamps of [`Known`].
    fn needs_times(&self) -> bool {
        false
    }

    /// The next event, in causal order.
    fn see(&mut self, index: usize, event: &RunEvent, run: &RunUnderTest<'_>, known: &Known);

    /// The result for each property, given what happened at all.
    fn conclude(self: Box<Self>, run: &RunUnderTest<'_>, exercise: Exercise) -> Vec<Check>;
}
