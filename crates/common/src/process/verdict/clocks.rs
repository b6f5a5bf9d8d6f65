//! The clock condition (Lamport 1978): if a happened before b, then C(a) < C(b).

use super::{
    check::Check,
    checker::{Checker, Known},
    exercise::Exercise,
    run::RunUnderTest,
};
use crate::{
    event::Verdict,
    process::{property::Property, run_event::RunEvent},
};

/// No event.
const NONE: u32 = u32::MAX;

/// Whether the clock of an event may be `time`, if an event that happened before it has the clock `before`.
#[inline]
pub fn advances(before: u64, time: u64) -> bool {
    before < time
}

/// A violation of the condition: the earlier event, and the reason.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Regression {
    /// The event that happened before.
    pub cause: usize,
    /// The reason, as the first part of a sentence.
    pub reason: &'static str,
}

/// Takes events in causal order and compares each clock with the greatest clock among the events that happened before,
/// including those without a direct link: events between them may have no clock.
#[derive(Debug)]
pub struct ClockCondition {
    /// For each event the greatest clock of it and of the events before it, and the event that has this clock.
    greatest: Vec<(u64, u32)>,
    /// The last event of each thread of execution.
    last: Vec<u32>,
    /// How many messages were compared: the clock of the receive with that of the send.
    pub messages: u64,
    /// How many events were compared with one before on the same thread.
    pub steps: u64,
}

impl ClockCondition {
    /// For this number of events and of threads of execution.
    pub fn new(events: usize, threads: usize) -> Self {
        Self {
            greatest: vec![(0, NONE); events],
            last: vec![NONE; threads],
            messages: 0,
            steps: 0,
        }
    }

    /// The next event of a thread, its clock, and the sends that it receives. `is_same` says whether an event before it is a
    /// send of the same message to another address: both have one time.
    pub fn see(
        &mut self,
        event: usize,
        thread: usize,
        clock: Option<u64>,
        causes: impl IntoIterator<Item = usize>,
        is_same: impl FnOnce(usize) -> bool,
    ) -> Option<Regression> {
        let before = std::mem::replace(&mut self.last[thread], event as u32);
        let mut known = (0, NONE);
        let mut by_message = false;
        for cause in causes {
            let (time, witness) = self.greatest[cause];
            if witness != NONE && (known.1 == NONE || time > known.0) {
                known = (time, witness);
                by_message = true;
            }
            self.messages += u64::from(clock.is_some() && witness != NONE);
        }
        if before != NONE {
            let (time, witness) = self.greatest[before as usize];
            self.steps += u64::from(clock.is_some() && witness != NONE);
            if witness != NONE && (known.1 == NONE || time > known.0) {
                known = (time, witness);
                by_message = false;
            }
        }
        let mut violation = None;
        if let Some(clock) = clock {
            if known.1 != NONE
                && !advances(known.0, clock)
                && !(clock == known.0 && is_same(known.1 as usize))
            {
                violation = Some(Regression {
                    cause: known.1 as usize,
                    reason: match by_message {
                        true => "a message must be received at a later time than it was sent",
                        false => "a clock must advance at every event",
                    },
                });
            }
            // The next clock is compared with this one, so that one wrong clock is reported once.
            known = (clock, event as u32);
        }
        self.greatest[event] = known;
        violation
    }

    /// The verdict if nothing violates it; None where no two clocks were compared. Without a message only half of the
    /// condition was exercised: a clock that ignores the times of messages would not be found.
    pub fn held(&self, exercise: Exercise) -> Option<(Verdict, String)> {
        let lacks = exercise.lacks(Property::Clocks);
        let steps = format!("all {} steps of the processes", self.steps);
        match (self.messages, self.steps) {
            (0, 0) => None,
            (0, _) => {
                let why = lacks.unwrap_or("no message has a clock on both sides");
                Some((Verdict::Open, format!("{why}; held for {steps}")))
            }
            (messages, _) => {
                let held = format!("held for all {messages} messages and {steps}");
                Some((Verdict::Ok, held))
            }
        }
    }
}

/// The clock condition of a run, in which each process is a thread of execution.
#[derive(Debug)]
pub struct Clocks {
    condition: ClockCondition,
    violation: Option<((usize, usize), &'static str)>,
}

impl Clocks {
    /// For this number of events and of processes.
    pub fn new(events: usize, processes: usize) -> Self {
        Self {
            condition: ClockCondition::new(events, processes),
            violation: None,
        }
    }
}

impl Checker for Clocks {
    fn see(&mut self, index: usize, event: &RunEvent, _: &RunUnderTest<'_>, known: &Known) {
        let (thread, clock) = (event.process.index(), Some(event.time));
        let found = self
            .condition
            .see(index, thread, clock, known.send, |_| false);
        if let Some(found) = found {
            self.violation
                .get_or_insert(((found.cause, index), found.reason));
        }
    }

    fn conclude(self: Box<Self>, run: &RunUnderTest<'_>, exercise: Exercise) -> Vec<Check> {
        let property = Property::Clocks;
        vec![match (self.violation, self.condition.held(exercise)) {
            (Some((events, reason)), _) => Check::violated(run, property, events, reason),
            (None, Some((Verdict::Ok, held))) => Check::ok(property, held),
            (None, Some((_, why))) => Check::open(property, why),
            (None, None) => {
                let lacks = exercise.lacks(property);
                Check::open(property, lacks.unwrap_or("no two clocks could be compared"))
            }
        }]
    }
}
