//! The verdict on a run, from its events alone: whether each property of its algorithm holds, and if not, which two events
//! violate it. The simulator, real processes, the model checker's paths and the reader of logs all end here.

mod channels;
mod checker;
pub mod clocks;
mod delivery;
mod exclusion;
pub mod order;
mod sends;
#[cfg(test)]
mod tests;

use common::{exit::Summary, text::plural};

pub use self::checker::{Check, NONE, Places, RunUnderTest};
use self::{
    channels::Channels,
    checker::{Checker, Known},
    clocks::ClockCondition,
    delivery::Delivery,
    exclusion::Exclusion,
    sends::Sends,
};
use crate::{
    algorithms::Algorithm,
    happened_before::VectorTimes,
    process::{Meaning, To},
    property::Property,
    run_event::{MessageAction, RunEvent},
};

/// The verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Each property.
    pub checks: Vec<Check>,
    /// What was counted.
    pub figures: Figures,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Figures {
    /// Events.
    pub events: u64,
    /// Messages sent, each copy of a multicast.
    pub sent: u64,
    /// Messages received.
    pub received: u64,
    /// Entries to the critical section.
    pub entries: u64,
    /// Multicasts delivered, at each process.
    pub delivered: u64,
}

impl Verdict {
    /// The verdict on every property of the algorithm.
    pub fn of(run: &RunUnderTest<'_>) -> Self {
        Self::with(run, true)
    }

    /// The same without the clock condition, where that is checked for all events of the logs at once.
    pub fn beside_clocks(run: &RunUnderTest<'_>) -> Self {
        Self::with(run, false)
    }

    fn with(run: &RunUnderTest<'_>, clocks: bool) -> Self {
        let processes = run.names.count();
        let mut checkers: Vec<Box<dyn Checker>> = Vec::new();
        if clocks {
            checkers.push(Box::new(Clocks::new(run.events.len(), processes)));
        }
        checkers.push(Box::new(Channels::new(processes)));
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
        let mut receives = vec![0_u32; run.events.len()];
        if known.times.is_some() {
            let sent = sends.iter().filter(|send| **send != NONE);
            sent.for_each(|send| receives[*send as usize] += 1);
        }
        let mut own = vec![0; processes];
        let mut figures = Figures::default();
        for (place, event) in run.events.iter().enumerate() {
            known.send = (sends[place] != NONE).then_some(sends[place] as usize);
            if let Some(times) = &mut known.times {
                let me = event.process.index();
                own[me] += 1;
                times.step(place, me, own[me], known.send, receives[place] as usize);
            }
            figures.count(event, processes);
            for checker in &mut checkers {
                checker.see(place, event, run, &known);
            }
        }
        let checks = checkers
            .into_iter()
            .flat_map(|checker| checker.conclude(run));
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

/// The clock condition of a run, each process a thread of execution.
#[derive(Debug)]
struct Clocks {
    condition: ClockCondition,
    broken: Option<((usize, usize), &'static str)>,
}

impl Clocks {
    fn new(events: usize, processes: usize) -> Self {
        Self {
            condition: ClockCondition::new(events, processes),
            broken: None,
        }
    }
}

impl Checker for Clocks {
    fn see(&mut self, place: usize, event: &RunEvent, _: &RunUnderTest<'_>, known: &Known) {
        let (thread, clock) = (event.process.index(), Some(event.time));
        let broken = self
            .condition
            .see(place, thread, clock, known.send, |_| false);
        if let Some(broken) = broken {
            self.broken
                .get_or_insert(((broken.cause, place), broken.reason));
        }
    }

    fn conclude(self: Box<Self>, run: &RunUnderTest<'_>) -> Vec<Check> {
        let property = Property::Clocks;
        vec![match (self.broken, self.condition.holds()) {
            (Some((events, reason)), _) => Check::violated(run, property, events, reason),
            (None, Some(held)) => Check::ok(property, held),
            (None, None) => Check::open(property, "no two clocks could be compared"),
        }]
    }
}

impl Figures {
    fn count(&mut self, event: &RunEvent, processes: usize) {
        self.events += 1;
        match &event.what {
            MessageAction::Send { to: To::All, .. } => self.sent += processes as u64 - 1,
            MessageAction::Send { .. } => self.sent += 1,
            MessageAction::Receive { .. } => self.received += 1,
            MessageAction::Local => {}
        }
        match &event.meaning {
            Some(Meaning::Enter(_)) => self.entries += 1,
            Some(Meaning::Deliver(..)) => self.delivered += 1,
            _ => {}
        }
    }

    /// For machines.
    #[must_use]
    pub fn counted(&self, summary: Summary) -> Summary {
        summary
            .count("events", self.events)
            .count("sent", self.sent)
            .count("received", self.received)
            .count("entries", self.entries)
            .count("delivered", self.delivered)
    }

    /// In plain words.
    pub fn words(&self, algorithm: Algorithm) -> String {
        let mut words = format!(
            "{}, {}",
            plural(self.events, "event"),
            plural(self.sent, "message")
        );
        if self.entries > 0 {
            let each = self.sent as f64 / self.entries as f64;
            let entries = if self.entries == 1 {
                "entry"
            } else {
                "entries"
            };
            words += &format!(", {} {entries}: {each:.1} messages each", self.entries);
        }
        if matches!(algorithm, Algorithm::Total | Algorithm::Causal) {
            words += &format!(", {} delivered", self.delivered);
        }
        words
    }
}
