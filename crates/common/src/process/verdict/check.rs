//! The result of checking one property.

use super::{exercise::Exercise, run::RunUnderTest};
use crate::{
    event::{self, Event},
    process::{ids::ProcessId, property::Property},
};

/// The result of checking one property.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The property.
    pub property: Property,
    /// Whether it holds.
    pub verdict: event::Verdict,
    /// The finding, in words.
    pub found: String,
    /// The first two events that violate the property, by their indices in the run; the second one violates it. None where
    /// the violation is that something did not happen before the end of the run.
    pub events: Option<(usize, usize)>,
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

    /// It cannot be decided.
    pub fn open(property: Property, why: impl Into<String>) -> Self {
        Self::new(property, event::Verdict::Open, why)
    }

    /// Nothing violates it in the logged events: ok, or open where nothing exercised it, where a log is missing, or was cut
    /// before events that others received.
    pub fn held(
        run: &RunUnderTest<'_>,
        exercise: Exercise,
        property: Property,
        found: impl Into<String>,
        cut: &[ProcessId],
    ) -> Self {
        let lacks = exercise.lacks(property);
        let found = lacks.map_or_else(|| found.into(), str::to_owned);
        let list = |processes: &[ProcessId]| {
            let names = processes.iter().map(|process| run.names.of(*process));
            let mut names: Vec<_> = names.collect();
            names.sort_unstable();
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
        match lacks {
            Some(_) => Self::open(property, found),
            None => Self::ok(property, found),
        }
    }

    /// Something did not happen before the end of the run.
    pub fn unfulfilled(property: Property, found: String) -> Self {
        Self::new(property, event::Verdict::Fail, found)
    }

    /// What is not done in the end, if anything is not: `never` by processes that had to do it, `not_yet` by those that may still
    /// do it; `not_done` says what, `not decided`.
    pub fn undone(
        run: &RunUnderTest<'_>,
        property: Property,
        not_done: &str,
        (never, not_yet): (&str, &str),
    ) -> Option<Self> {
        if !never.is_empty() {
            let crashed = run.crashed.iter().map(|process| run.names.of(*process));
            let crashed: Vec<_> = crashed.collect();
            let after = match crashed.is_empty() {
                true => String::new(),
                false => format!("; {} did not terminate normally", crashed.join(", ")),
            };
            return Some(Self::unfulfilled(
                property,
                format!("{not_done}: {never}{after}"),
            ));
        }
        (!not_yet.is_empty()).then(|| {
            let found = format!("{not_done} so far: {not_yet}; {}", run.cut_short());
            Self::open(property, found)
        })
    }

    /// Two events violate it, for this reason.
    pub fn violated(
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

    /// The check as an event of the log.
    pub fn event(&self) -> Event {
        Event::check(self.property.name(), self.verdict, self.found.clone())
    }
}
