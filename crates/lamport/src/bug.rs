//! The classical bugs that can be injected into an algorithm.

use clap::ValueEnum;
use serde::Deserialize;

/// A classical bug that can be injected into an algorithm, to see that the verdict finds it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Bug {
    /// Equal times are not ordered by process: each process prefers its own request or multicast
    NoTieBreak,
    /// A process does not wait for acknowledgements, replies, grants or answers
    NoAcknowledgement,
    /// A receive event does not move the clock past the message's time
    NoAdvance,
    /// Multicasts are delivered on receipt, without a hold-back queue
    NoHoldBack,
    /// A process that holds an election waits for a crashed one
    NoTimeout,
    /// A number that is smaller than one sent before is passed on, too
    NoDiscard,
    /// The number of a crashed process goes round for ever
    NoRemoval,
    /// A message of an earlier term counts as one of the present term
    OldTerms,
    /// A process that has a parent in the tree takes a later one in its place
    LateParent,
    /// Waiting requests are granted by process, the first one first, and not in their order
    UnfairQueue,
    /// The members of a quorum neither inquire nor tell that a request has failed, so no lock is relinquished
    NoRelinquish,
    /// A process keeps the token for its next entry
    KeepToken,
    /// A process that misses the token makes a new one at once, without a regeneration round
    NoRound,
    /// A participant that is uncertain and suspects the coordinator aborts, and does not wait
    NoBlocking,
    /// Only the initiator of a snapshot sends markers
    NoMarker,
    /// A process records its state with the last marker, and not before the first
    LateRecord,
    /// What is in transit is not recorded as the state of its channel
    NoChannelState,
    /// The vector time that a transfer carries is not looked at
    NoPiggyback,
    /// The initiator completes a snapshot when it has all states, and does not count the messages in transit
    NoCounters,
    /// The whole round trip is added to the time of a reply, and not half of it
    NoHalving,
    /// A reply to an earlier request counts for the last one
    StaleReply,
    /// A clock that is ahead is set back at once
    SetBack,
    /// A clock that is far from most others is averaged, too
    AverageOutliers,
    /// The offset of the clocks has the wrong sign
    WrongSign,
}

impl Bug {
    /// The bug's name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoTieBreak => "no-tie-break",
            Self::NoAcknowledgement => "no-acknowledgement",
            Self::NoAdvance => "no-advance",
            Self::NoHoldBack => "no-hold-back",
            Self::NoTimeout => "no-timeout",
            Self::NoDiscard => "no-discard",
            Self::NoRemoval => "no-removal",
            Self::OldTerms => "old-terms",
            Self::LateParent => "late-parent",
            Self::UnfairQueue => "unfair-queue",
            Self::NoRelinquish => "no-relinquish",
            Self::KeepToken => "keep-token",
            Self::NoRound => "no-round",
            Self::NoBlocking => "no-blocking",
            Self::NoMarker => "no-marker",
            Self::LateRecord => "late-record",
            Self::NoChannelState => "no-channel-state",
            Self::NoPiggyback => "no-piggyback",
            Self::NoCounters => "no-counters",
            Self::NoHalving => "no-halving",
            Self::StaleReply => "stale-reply",
            Self::SetBack => "set-back",
            Self::AverageOutliers => "average-outliers",
            Self::WrongSign => "wrong-sign",
        }
    }
}

/// Whether a receive event moves the clock past the message's time.
pub fn advances(bug: Option<Bug>) -> bool {
    bug != Some(Bug::NoAdvance)
}
