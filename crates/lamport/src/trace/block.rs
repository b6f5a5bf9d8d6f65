//! A piece of a log, and what was read in it: what the readers hand on to the merge.

use common::event::{Kind, Level};

use super::{Claim, findings::Severity, words::beginning};

/// The longest line that is read, in bytes.
pub(super) const LONGEST: usize = 1 << 20;

/// Some lines of a file.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) file: u32,
    /// The number of the first line, from 1.
    pub(super) line: u32,
    pub(super) text: String,
    /// Whether its last line has no end.
    pub(super) cut_off: bool,
}

/// What was read in them.
#[derive(Debug, Default)]
pub struct Block {
    pub(super) file: u32,
    pub(super) text: String,
    pub(super) events: Vec<Raw>,
    /// Who wrote: the run, and the process.
    pub(super) writers: Vec<(String, String)>,
    /// Their threads.
    pub(super) threads: Vec<(u32, String)>,
    /// The algorithms that writers say they run.
    pub(super) algorithms: Vec<(u32, String)>,
    /// Of each event its vector clock, where the log has them.
    pub(super) clocks: Option<Vec<Vec<(String, u64)>>>,
    /// What is wrong, in which line: as much of it as may be shown.
    pub(super) problems: Vec<(Severity, u32, String)>,
    /// How much more there is, of each severity.
    pub(super) problems_more: [u64; 3],
}

/// How many problems of a block are kept in words.
const PROBLEMS: usize = 16;

impl Block {
    /// Something is wrong with a line.
    pub(super) fn problem(
        &mut self,
        severity: Severity,
        line: u32,
        words: impl FnOnce() -> String,
    ) {
        if self.problems.len() < PROBLEMS {
            self.problems.push((severity, line, words()));
        } else {
            self.problems_more[severity as usize] += 1;
        }
    }
}

/// The beginning of what a log says, for a message about it.
pub(super) fn excerpt(text: &str) -> String {
    beginning(text, 40)
}

/// An event as it was read; places are in the block's text.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) line: u32,
    pub(super) start: u32,
    pub(super) length: u32,
    pub(super) thread: u32,
    pub(super) number: u64,
    pub(super) time: Option<i64>,
    pub(super) kind: Kind,
    pub(super) level: Level,
    pub(super) clock: Option<u64>,
    pub(super) message: Option<(u32, u32)>,
    pub(super) claim: Claim,
    /// Whether it says that events were suppressed by a rate limit.
    pub(super) suppressed: bool,
}
