//! The verdict on a run, from its events alone: whether each property of its algorithm holds, and if not, which two events
//! violate it. The simulator, real processes, the paths of the model checker and the reader of logs all use it.
//!
//! | module | job |
//! | --- | --- |
//! | `run`, `check`, `figures` | what is checked, the result for each property, the counts |
//! | `exercise` | what happened at all: a property that nothing exercised is open |
//! | `checker`, `sends` | the interface of the checkers; which send each receive is of |
//! | [`clocks`], `channels` | the clock condition; reliable FIFO channels |
//! | `exclusion` | mutual exclusion: safety, liveness, fairness |
//! | `delivery`, [`order`] | ordered multicast: the whole run; event by event |

mod channels;
mod check;
mod checker;
pub mod clocks;
mod delivery;
mod exclusion;
mod exercise;
mod figures;
pub mod order;
mod run;
mod sends;
#[cfg(test)]
mod tests;

pub use check::Check;
pub use exercise::{Exercise, SharedExercise};
pub use figures::Figures;
pub use run::{NONE, Places, RunUnderTest};

use self::{
    channels::Channels,
    checker::{Checker, Known},
    clocks::Clocks,
    delivery::Delivery,
    exclusion::Exclusion,
    sends::Sends,
};
use crate::{algorithms::Algorithm, happened_before::VectorTimes};

/// The verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The result for each property.
    pub checks: Vec<Check>,
    /// The counts of the run.
    pub figures: Figures,
}

impl Verdict {
    /// The verdict on every property of the algorithm.
    pub fn of(run: &RunUnderTest<'_>) -> Self {
        Self::with(run, true, true)
    }

    /// The same without the clock condition, which `trace` checks for all logs at once.
    pub fn without_clocks(run: &RunUnderTest<'_>) -> Self {
        Self::with(run, false, true)
    }

    /// The verdict on nodes that are themselves to cope with what the network does to their messages: without that on channels;
    /// with the clock condition where the clocks are their own.
    pub fn of_nodes(run: &RunUnderTest<'_>, clocks: bool) -> Self {
        Self::with(run, clocks, false)
    }

    fn with(run: &RunUnderTest<'_>, clocks: bool, channels: bool) -> Self {
        let processes = run.names.count();
        let mut checkers: Vec<Box<dyn Checker>> = Vec::new();
        if clocks {
            checkers.push(Box::new(Clocks::new(run.events.len(), processes)));
        }
        if channels {
            checkers.push(Box::new(Channels::new(processes)));
        }
        let times = match run.algorithm {
            Algorithm::Events => None,
            Algorithm::Total => {
                checkers.push(Box::new(Delivery::total(processes)));
                None
            }
            Algorithm::Causal => {
                checkers.push(Box::new(Delivery::causal(processes)));
                None
            }
            Algorithm::Mutex | Algorithm::RicartAgrawala | Algorithm::Central => {
                // A coordinator grants in the order in which requests arrive at it.
                let by_time = run.algorithm != Algorithm::Central;
                checkers.push(Box::new(Exclusion::new(processes, by_time)));
                Some(VectorTimes::new(processes, run.events.len()))
            }
        };
        let mut known = Known { send: None, times };
        let found = match run.sends {
            Some(_) => Vec::new(),
            None => Sends::of_all(processes, run.events),
        };
        let sends = run.sends.unwrap_or(&found);
        let mut receives = Vec::new();
        if known.times.is_some() {
            receives.resize(run.events.len(), 0);
            let sent = sends.iter().filter(|send| **send != NONE);
            sent.for_each(|send| receives[*send as usize] += 1);
        }
        let mut own = vec![0; processes];
        let mut figures = Figures::default();
        let mut exercise = Exercise::default();
        for (index, event) in run.events.iter().enumerate() {
            known.send = (sends[index] != NONE).then_some(sends[index] as usize);
            if let Some(times) = &mut known.times {
                let me = event.process.index();
                own[me] += 1;
                times.step(index, me, own[me], known.send, receives[index]);
            }
            figures.count(event, processes);
            exercise |= Exercise::of_message(&event.what);
            if let Some(meaning) = &event.meaning {
                exercise |= Exercise::of_meaning(event.process, meaning);
            }
            for checker in &mut checkers {
                checker.see(index, event, run, &known);
            }
        }
        let checks = checkers
            .into_iter()
            .flat_map(|checker| checker.conclude(run, exercise));
        Self {
            checks: checks.collect(),
            figures,
        }
    }

    /// Whether no property is violated.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| !check.is_violated())
    }

    /// The two events that violate a property first.
    pub fn first_violation(&self) -> Option<(usize, usize)> {
        let events = self.checks.iter().filter_map(|check| check.events);
        events.min_by_key(|events| events.1)
    }
}
