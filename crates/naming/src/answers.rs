//! The answers to queries: each becomes an event, and the run's summary counts them.

use common::{
    event::{Event, Kind},
    exit::{Exit, Failure, Summary},
    journal::Journal,
    text::plural,
};

use crate::value::Values;

/// The answers of a run.
#[derive(Debug)]
pub struct Answers<'j> {
    journal: &'j Journal,
    resolved: u64,
    missing: u64,
}

impl<'j> Answers<'j> {
    /// No answers yet; their events go to this journal.
    pub fn new(journal: &'j Journal) -> Self {
        Self {
            journal,
            resolved: 0,
            missing: 0,
        }
    }

    /// Shows what a name stands for, a line for each value, or why it did not resolve.
    pub fn show(&mut self, name: &str, found: Result<&Values, Failure>) {
        match found {
            Ok(values) => {
                let event = |value: String| Event::new(Kind::Resolve).resolved(name, value);
                self.resolved(values.as_slice().iter().map(|value| event(value.plain())));
            }
            Err(failure) => self.missing(&failure),
        }
    }

    /// A name resolved, and these are the events of its values.
    pub fn resolved(&mut self, events: impl IntoIterator<Item = Event>) {
        events
            .into_iter()
            .for_each(|event| self.journal.record(event));
        self.resolved += 1;
    }

    /// A name did not resolve. The next queries are answered all the same.
    pub fn missing(&mut self, failure: &Failure) {
        self.journal.record(Event::failure(failure));
        self.missing += 1;
    }

    /// How many names resolved; with exit code 1 when one did not.
    pub fn summary(&self) -> Summary {
        let text = format!(
            "{} resolved, {} not",
            plural(self.resolved, "name"),
            self.missing
        );
        let exit = match self.missing {
            0 => Exit::Done,
            _ => Exit::No,
        };
        Summary::done(text)
            .exit(exit)
            .count("resolved", self.resolved)
            .count("missing", self.missing)
    }
}
