//! What is found out about a run from its events alone: whether it kept what its algorithm promises, and if not, which
//! two events break it.

mod causality;
mod clocks;
mod delivery;
mod exclusion;
#[cfg(test)]
mod tests;

use common::{
    event::{Event, Kind, Level},
    exit::Summary,
    text::plural,
};

use self::{causality::Knowledge, clocks::Clocks, delivery::Delivery, exclusion::Exclusion};
use crate::{
    algorithms::Algorithm,
    happening::{Happening, What},
    process::{Names, ProcessId, To},
};

pub use self::causality::in_causal_order;

/// A run, as it is judged.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// What it ran.
    pub algorithm: Algorithm,
    /// What the processes are called.
    pub names: &'a Names,
    /// Every event, so that no effect stands before its cause (see [`in_causal_order`]).
    pub happenings: &'a [Happening],
    /// The processes that did not come to their end, so that their last events may be missing.
    pub gone: &'a [ProcessId],
}

/// What is found out.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What was checked.
    pub checks: Vec<Check>,
    /// What was counted.
    pub figures: Figures,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What the algorithm promises.
    pub rule: &'static str,
    /// What was found, in plain words.
    pub found: String,
    /// What is wrong.
    pub wrong: Option<Wrong>,
}

/// Why a check failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wrong {
    /// The first two events that break it, by their places in the run; the second is the one that breaks it.
    Events(usize, usize),
    /// Something did not happen that should have, up to the end.
    Missing,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Figures {
    /// Events.
    pub events: u64,
    /// Messages sent, each copy of one that was for all.
    pub sent: u64,
    /// Messages received.
    pub received: u64,
    /// How often the critical section was entered.
    pub entries: u64,
    /// Multicasts delivered, at each process.
    pub delivered: u64,
}

/// One kind of promise: sees every event in order, and says in the end what it found.
trait Judge {
    fn see(&mut self, place: usize, happening: &Happening, case: &Case<'_>, known: &Knowledge);
    fn conclude(self: Box<Self>, case: &Case<'_>) -> Vec<Check>;
}

impl Verdict {
    /// Judges a run.
    pub fn of(case: &Case<'_>) -> Self {
        let processes = case.names.count();
        let mut judges: Vec<Box<dyn Judge>> = vec![Box::new(Clocks::new(processes))];
        let locks = match case.algorithm {
            Algorithm::Events => false,
            Algorithm::Total | Algorithm::Causal => {
                judges.push(Box::new(Delivery::new(processes, case.algorithm)));
                false
            }
            Algorithm::Mutex | Algorithm::RicartAgrawala | Algorithm::Central => {
                // A coordinator grants in the order in which requests come to it.
                let by_time = case.algorithm != Algorithm::Central;
                judges.push(Box::new(Exclusion::new(processes, by_time)));
                true
            }
        };
        let mut known = Knowledge::new(processes, locks);
        let mut figures = Figures::default();
        for (place, happening) in case.happenings.iter().enumerate() {
            known.see(place, happening);
            figures.count(happening, processes);
            for judge in &mut judges {
                judge.see(place, happening, case, &known);
            }
        }
        let checks = judges.into_iter().flat_map(|judge| judge.conclude(case));
        Self {
            checks: checks.collect(),
            figures,
        }
    }

    /// Whether everything was as promised.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.wrong.is_none())
    }

    /// The two events that break a promise first.
    pub fn first_break(&self) -> Option<(usize, usize)> {
        let events = self.checks.iter().filter_map(|check| match check.wrong {
            Some(Wrong::Events(one, other)) => Some((one, other)),
            _ => None,
        });
        events.min_by_key(|events| events.1)
    }
}

impl Figures {
    fn count(&mut self, happening: &Happening, processes: usize) {
        use crate::process::Deed;
        self.events += 1;
        match &happening.what {
            What::Send { to: To::All, .. } => self.sent += processes as u64 - 1,
            What::Send { .. } => self.sent += 1,
            What::Receive { .. } => self.received += 1,
            What::Local => {}
        }
        match &happening.deed {
            Some(Deed::Enter(_)) => self.entries += 1,
            Some(Deed::Deliver(..)) => self.delivered += 1,
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

impl Check {
    fn good(rule: &'static str, found: String) -> Self {
        Self {
            rule,
            found,
            wrong: None,
        }
    }

    fn missing(rule: &'static str, found: String) -> Self {
        Self {
            rule,
            found,
            wrong: Some(Wrong::Missing),
        }
    }

    /// Of two events, by their places, that break it; with what that means.
    fn broken(case: &Case<'_>, rule: &'static str, (one, other): (usize, usize), so: &str) -> Self {
        let sentence = |place: usize| case.happenings[place].sentence(case.names);
        let found = if one == other {
            format!("{so}; {}", sentence(one))
        } else {
            format!("{so}; {}; {}", sentence(one), sentence(other))
        };
        Self {
            rule,
            found,
            wrong: Some(Wrong::Events(one, other)),
        }
    }

    /// As an event.
    pub fn event(&self) -> Event {
        let (value, level) = match self.wrong {
            None => ("ok", Level::Info),
            Some(_) => ("FAIL", Level::Error),
        };
        let mut event = Event::new(Kind::Check).resolved(self.rule, value);
        event.level = level;
        event.text(self.found.clone())
    }
}
