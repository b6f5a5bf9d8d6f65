//! A step that is being taken, and what follows from the parts of a state.

use crate::process::{TimerKind, detector::Detection, ids::ProcessId};

use super::{state::NOTHING, unpack};
use crate::process::check::system::{Anew, Step};

/// A part stands in another one's place.
#[derive(Clone, Copy, Default)]
pub(super) struct Changed {
    /// The new part.
    pub(super) part: u32,
    /// The difference of the hashes.
    pub(super) hash: u64,
}

/// A message is taken from a row.
#[derive(Clone, Copy, Default)]
pub(super) struct Taken {
    pub(super) row: Changed,
    pub(super) message: u32,
}

/// A node reacts.
#[derive(Clone, Copy, Default)]
pub(super) struct Reacted {
    pub(super) node: u32,
    pub(super) sent: u32,
    pub(super) seen: u32,
    /// The difference of the hashes.
    pub(super) hash: u64,
}

/// What of a row is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Take {
    pub(super) to: ProcessId,
    pub(super) kind: TakeKind,
    /// How many messages of the channel were sent before it.
    pub(super) position: usize,
}

/// What of a row is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TakeKind {
    /// A message.
    Message,
    /// A message, of which a copy stays.
    Duplicated,
    /// A copy.
    Copy,
    /// The last message.
    Last,
    /// All that is for this receiver, copies too.
    All,
}

impl Take {
    /// The number of a row and this as a number.
    #[inline]
    pub(super) fn key(self, row: u32) -> u64 {
        let place = self.to.index() | (self.kind as usize) << 3 | self.position << 6;
        u64::from(unpack::row(row)) | (place as u64) << 24
    }
}

/// What a node reacts to.
#[derive(Clone, Copy)]
pub(super) enum NumberedInput {
    /// Its timer of this kind expires.
    Timer(TimerKind),
    /// It gets the command with this index.
    Command(usize),
    /// Its failure detector says this.
    Detect(Detection),
    /// It receives the message with this number from this process.
    Message(ProcessId, u32),
    /// It counts the rounds and waits anew.
    Anew(Anew),
    /// Time passes.
    Tick,
}

impl NumberedInput {
    /// This as a number.
    #[inline]
    pub(super) fn key(self) -> u64 {
        match self {
            Self::Timer(kind) => (kind.index() as u64) << 4,
            Self::Command(index) => (index as u64) << 4 | 15,
            Self::Detect(Detection::Suspect(other)) => (other.index() as u64) << 4 | 14,
            Self::Detect(Detection::Trust(other)) => (other.index() as u64) << 4 | 13,
            Self::Anew(anew) => (anew as u64) << 4 | 12,
            Self::Tick => 11,
            Self::Message(from, message) => u64::from(message) << 4 | (from.index() as u64 + 1),
        }
    }
}

/// A step that is being taken.
pub(super) struct Move {
    pub(super) step: Step,
    /// The process that reacts, and to what.
    pub(super) reacts: Option<(ProcessId, NumberedInput)>,
    pub(super) sent: u32,
    pub(super) seen: u32,
}

impl Move {
    #[inline]
    pub(super) fn new(step: Step) -> Self {
        Self {
            step,
            reacts: None,
            sent: NOTHING,
            seen: NOTHING,
        }
    }
}
