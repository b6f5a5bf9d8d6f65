//! A block of a log: the data that the readers pass to the merge.

use common::{
    event::{Kind, Level},
    message::{Carrier, MessageId},
    text::beginning,
};
use hashbrown::HashMap;

use super::{Claim, findings::Severity};

/// The longest line that is read, in bytes.
pub(super) const LONGEST: usize = 1 << 20;

/// Consecutive lines of a file, before they are parsed.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) file: u32,
    /// The number of the first line, from 1.
    pub(super) line: u32,
    pub(super) text: String,
    /// Whether its last line has no newline.
    pub(super) cut_off: bool,
    /// Whether its file was found in a folder, and may be something else than a log.
    pub(super) is_found: bool,
}

/// The same lines, parsed.
#[derive(Debug, Default)]
pub struct Block {
    pub(super) file: u32,
    pub(super) text: String,
    pub(super) events: Vec<Raw>,
    /// The writers: run, and name of the process.
    pub(super) writers: Vec<(String, String)>,
    /// The threads: index of the writer, and name.
    pub(super) threads: Vec<(u32, String)>,
    /// The channels of its messages.
    pub(super) channels: Vec<Channel>,
    /// The algorithms that the writers claim to run.
    pub(super) algorithms: Vec<(u32, String)>,
    /// Whether its file is no log, and may be something else.
    pub(super) is_passed_over: bool,
    /// Whether some of its clocks are arrays, whose entries have no names yet.
    pub(super) arrays: bool,
    /// Whether events of it have the number [`LATER`].
    pub(super) later: bool,
    /// Whether all problems are kept in words.
    pub(super) all: bool,
    /// The vector clock of each event, in a log with vector clocks.
    pub(super) clocks: Option<Vec<Vec<(String, u64)>>>,
    /// The first problems: severity, line, words.
    pub(super) problems: Vec<(Severity, u32, String)>,
    /// The number of further problems of each severity.
    pub(super) problems_more: [u64; 3],
}

/// The identity of a message without its number. Addresses are compared as texts.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Channel {
    pub(super) over: Carrier,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) numbers: Numbers,
}

/// What the numbers of the messages of a channel are.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Numbers {
    /// The sender counts its messages.
    Sent,
    /// The numbers of the messages that they answer.
    Answered,
    /// Hashes of their contents.
    Hashed,
}

/// The indices of the channels of a block.
#[derive(Debug, Default)]
pub(super) struct Channels {
    known: HashMap<Channel, u32>,
    /// By the identity of a message of the event log without its number.
    by_identity: HashMap<String, u32>,
}

impl Channels {
    /// The index of a channel, and the number of the message, of an identity in the event log; None if it is none.
    pub(super) fn of_identity(&mut self, id: &str, all: &mut Vec<Channel>) -> Option<(u32, u64)> {
        // A loop over the few digits of the number is faster than a search.
        let end = id.bytes().rposition(|byte| byte == b'#')?;
        let (without, number) = (&id[..end], &id[end + 1..]);
        if let Some(known) = self.by_identity.get(without) {
            return Some((*known, number.parse().ok()?));
        }
        let (over, from, to, number) = MessageId::parts(id)?;
        if from.is_empty() || to.is_empty() {
            return None;
        }
        let channel = Channel {
            over,
            from: from.to_owned(),
            to: to.to_owned(),
            numbers: Numbers::Sent,
        };
        let index = self.index(channel, all);
        self.by_identity.insert(without.to_owned(), index);
        Some((index, number))
    }

    /// The index of a channel.
    pub(super) fn index(&mut self, channel: Channel, all: &mut Vec<Channel>) -> u32 {
        *self.known.entry(channel).or_insert_with_key(|channel| {
            all.push(channel.clone());
            all.len() as u32 - 1
        })
    }
}

/// How many problems of a block are kept in words.
const PROBLEMS: usize = 16;

/// How many where all findings are listed.
const ALL_PROBLEMS: usize = 1 << 16;

/// The number of an event that is numbered when all logs are read.
pub(super) const LATER: u64 = u64::MAX;

impl Block {
    /// Adds a problem with a line.
    pub(super) fn problem(
        &mut self,
        severity: Severity,
        line: u32,
        words: impl FnOnce() -> String,
    ) {
        let most = if self.all { ALL_PROBLEMS } else { PROBLEMS };
        if self.problems.len() < most {
            self.problems.push((severity, line, words()));
        } else {
            self.problems_more[severity as usize] += 1;
        }
    }
}

/// The beginning of a text of a log, for a message about it.
pub(super) fn excerpt(text: &str) -> String {
    beginning(text, 40)
}

/// An event as it was read; its positions refer to the block's text.
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
    /// The index of its channel, and its number there.
    pub(super) message: Option<(u32, u64)>,
    pub(super) claim: Claim,
    /// Whether it reports that a rate limit suppressed events.
    pub(super) suppressed: bool,
}
