//! The log of one process, as an intermediate result of the merge.

use super::Event;

/// The log of one process.
pub(super) struct Log {
    /// The run.
    pub(super) run: String,
    /// The name of the process.
    pub(super) node: String,
    /// The algorithm that it claims to run.
    pub(super) algorithm: Option<String>,
    /// Whether it contains vector clocks.
    pub(super) vectors: bool,
    /// Whether it contains event 0.
    pub(super) began: bool,
    /// Whether the process ended by itself: a process that was killed logs no `stop`.
    pub(super) stopped: bool,
    /// Whether a rate limit suppressed events.
    pub(super) suppressed: bool,
    /// Whether events are missing in it.
    pub(super) gaps: bool,
    /// Its events.
    pub(super) events: Vec<Event>,
}
