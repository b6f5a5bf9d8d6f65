//! What people see of the events, and where.

use super::message::Source;
use crate::event::{Event, Kind, Record, VERSION};

/// What people see of one event: lines without their line ends; an empty one is not shown.
#[derive(Debug, Default)]
pub struct Lines {
    /// For standard output: the answer. With `--json` the event itself is printed in its place.
    pub answer: String,
    /// For standard error: what is not the answer. `--quiet` hides it unless the event is an error.
    pub status: String,
    /// For a person at a terminal who may type now: stands in the last line of standard output until there is something
    /// else to show.
    pub prompt: String,
}

/// How a program shows an event to people.
pub type View = Box<dyn Fn(&Event, &mut Lines) + Send>;

/// The part of a view that is the same in every program: warnings and errors are shown.
pub fn usual_view(event: &Event, lines: &mut Lines) {
    if event.kind == Kind::Error {
        lines
            .status
            .push_str(event.text.as_deref().unwrap_or_default());
    }
}

/// The names of the program and its run, and what is shown where.
#[derive(Clone, Debug)]
pub struct Style {
    /// The program's name, before every error line.
    pub program: &'static str,
    /// The process's name in the log.
    pub node: String,
    /// The run's name in the log.
    pub run: String,
    /// What standard output shows.
    pub answers: Answers,
    /// Only the answer and errors on the terminal.
    pub quiet: bool,
    /// Colour on standard error.
    pub colour: bool,
}

impl Style {
    /// An event as the line of the log with this number.
    pub(super) fn record<'a>(&'a self, source: &'a Source, seq: u64, event: Event) -> Record<'a> {
        Record {
            v: VERSION,
            run: self.run.as_str().into(),
            node: self.node.as_str().into(),
            thread: source.name().into(),
            seq,
            event,
        }
    }
}

/// What standard output shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answers {
    /// The answer as lines for people.
    Lines,
    /// The events of the answer as JSON Lines.
    Json,
    /// The event log: every event as a line of JSON.
    Log,
    /// Nothing of the journal: the program writes a file there.
    None,
}
