//! The verdict on a run, from its events alone: whether each property holds, and if not, which two events violate it. The
//! checkers of an algorithm's own properties are given; those of clocks and channels are here.
//!
//! | module | job |
//! | --- | --- |
//! | [`run`], [`check`], [`figures`] | what is checked, the result for each property, the counts |
//! | [`exercise`] | what happened at all: a property that nothing exercised is open |
//! | [`checker`], `sends` | the interface of the checkers; which send each receive is of |
//! | [`clocks`], [`channels`] | the clock condition; reliable FIFO channels |

pub mod channels;
pub mod check;
pub mod checker;
pub mod clocks;
pub mod exercise;
pub mod figures;
pub mod run;
mod sends;

use self::{
    check::Check,
    checker::{Checker, Known},
    exercise::Exercise,
    figures::Figures,
    run::{NONE, RunUnderTest},
    sends::Sends,
};
use super::happened_before::VectorTimes;

/// The verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The result for each property.
    pub checks: Vec<Check>,
    /// The counts of the run.
    pub figures: Figures,
}

impl Verdict {
    /// The verdict of these checkers, in their order.
    pub fn of(run: &RunUnderTest<'_>, mut checkers: Vec<Box<dyn Checker>>) -> Self {
        let processes = run.names.count();
        let needs_times = checkers.iter().any(|checker| checker.needs_times());
        let times = needs_times.then(|| VectorTimes::new(processes, run.events.len()));
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
