//! The log of one process, while logs become processes.

use super::Event;

/// The log of one process.
pub(super) struct Log {
    /// The run that it is of.
    pub(super) run: String,
    /// The process's name in it.
    pub(super) node: String,
    /// The algorithm that the process runs, as it says.
    pub(super) algorithm: Option<String>,
    /// Whether it carries vector clocks.
    pub(super) vectors: bool,
    /// Whether it has an event of number 0.
    pub(super) began: bool,
    /// Whether it ends as that of a program that was not killed.
    pub(super) stopped: bool,
    /// Whether events were suppressed by a rate limit.
    pub(super) suppressed: bool,
    /// Whether events are missing in it.
    pub(super) gaps: bool,
    /// Its events.
    pub(super) events: Vec<Event>,
}
