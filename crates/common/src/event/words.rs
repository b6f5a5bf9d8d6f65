//! The words of the event log: the closed sets that its fields hold.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// The closed set of events.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The process started; `text` is its command line.
    Start,
    /// It is bound and will take work; `text` is the real address.
    Ready,
    /// A client's connection to `peer` stands.
    Connect,
    /// A server took a connection from `peer`.
    Accept,
    /// A message went to `peer`.
    Send,
    /// A message came from `peer`.
    Receive,
    /// The connection to `peer` ended.
    Close,
    /// Something that concerns this process alone.
    Local,
    /// A name was resolved.
    Resolve,
    /// A name was registered, changed, or taken away: `name` now stands for `value`, or without one for nothing.
    Register,
    /// Something was checked: `check` says what, `verdict` the outcome.
    Check,
    /// A file was written; `text` is its path.
    Write,
    /// A line of the answer that is no event: of a drawing, of a file, of a help text.
    Output,
    /// Figures of the run so far, in `text` and `counts`.
    Report,
    /// A fault that was injected: a message lost or duplicated, a process crashed.
    Fault,
    /// Something failed; `text` says what and why.
    Error,
    /// The process ends; `text` and `counts` are its summary.
    Stop,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Start,
        Self::Ready,
        Self::Connect,
        Self::Accept,
        Self::Send,
        Self::Receive,
        Self::Close,
        Self::Local,
        Self::Resolve,
        Self::Register,
        Self::Check,
        Self::Write,
        Self::Output,
        Self::Report,
        Self::Fault,
        Self::Error,
        Self::Stop,
    ];

    /// The kind that has this word, if one has.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether it is an event of the computation: a communication, or a step of the process itself. All others are of
    /// the program's life and of its output; they have no place in happened-before.
    pub fn is_computation(self) -> bool {
        match self {
            Self::Connect
            | Self::Accept
            | Self::Send
            | Self::Receive
            | Self::Close
            | Self::Local
            | Self::Resolve
            | Self::Register => true,
            Self::Start
            | Self::Ready
            | Self::Check
            | Self::Write
            | Self::Output
            | Self::Report
            | Self::Fault
            | Self::Error
            | Self::Stop => false,
        }
    }

    /// The word for it in the log.
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Ready => "ready",
            Self::Connect => "connect",
            Self::Accept => "accept",
            Self::Send => "send",
            Self::Receive => "receive",
            Self::Close => "close",
            Self::Local => "local",
            Self::Resolve => "resolve",
            Self::Register => "register",
            Self::Check => "check",
            Self::Write => "write",
            Self::Output => "output",
            Self::Report => "report",
            Self::Fault => "fault",
            Self::Error => "error",
            Self::Stop => "stop",
        }
    }
}

/// The three addressing modes that experiment 4 compares.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum AddressingMode {
    /// To one receiver.
    Unicast,
    /// To the members of a group.
    Multicast,
    /// To all hosts of a network.
    Broadcast,
}

impl AddressingMode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Unicast, Self::Multicast, Self::Broadcast];

    /// The word for it, on the command line and in the log.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unicast => "unicast",
            Self::Multicast => "multicast",
            Self::Broadcast => "broadcast",
        }
    }
}

/// What a check found.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Verdict {
    /// The property holds.
    #[serde(rename = "ok")]
    Ok,
    /// It could not be decided: not exercised, not finished, or the facts are missing.
    #[serde(rename = "open")]
    Open,
    /// Not as it should be; no violation.
    #[serde(rename = "warn")]
    Warn,
    /// The property is violated.
    #[serde(rename = "FAIL")]
    Fail,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Open, Self::Warn, Self::Fail];

    /// The word for it, on the terminal and in the log.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Open => "open",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }

    /// How much an event with this verdict matters.
    pub fn level(self) -> Level {
        match self {
            Self::Ok | Self::Open => Level::Info,
            Self::Warn => Level::Warn,
            Self::Fail => Level::Error,
        }
    }
}

/// What is not as it should be about a received message.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Anomaly {
    /// It arrived after a message that was sent later (RFC 4737).
    Reordered,
    /// It had arrived before.
    Duplicate,
    /// It arrived so late that it may be a duplicate.
    TooLate,
    /// Its sequence number jumps ahead, and no other has confirmed it.
    ImplausibleNumber,
    /// Its send time is out of any plausible range.
    ImplausibleClock,
    /// Its sequence header is damaged.
    DamagedStamp,
    /// It was longer than what was read of it.
    Truncated,
    /// The system does not say how it was addressed.
    UnknownMode,
}

impl Anomaly {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Reordered,
        Self::Duplicate,
        Self::TooLate,
        Self::ImplausibleNumber,
        Self::ImplausibleClock,
        Self::DamagedStamp,
        Self::Truncated,
        Self::UnknownMode,
    ];

    /// The word for it in the log.
    pub fn word(self) -> &'static str {
        match self {
            Self::Reordered => "reordered",
            Self::Duplicate => "duplicate",
            Self::TooLate => "too-late",
            Self::ImplausibleNumber => "implausible-number",
            Self::ImplausibleClock => "implausible-clock",
            Self::DamagedStamp => "damaged-stamp",
            Self::Truncated => "truncated",
            Self::UnknownMode => "unknown-mode",
        }
    }

    /// The words for it beside the message.
    pub fn words(self) -> &'static str {
        match self {
            Self::Reordered => "reordered",
            Self::Duplicate => "duplicate",
            Self::TooLate => "too late to tell whether it is a duplicate",
            Self::ImplausibleNumber => "implausible sequence number",
            Self::ImplausibleClock => "implausible send time",
            Self::DamagedStamp => "damaged sequence header",
            Self::Truncated => "truncated",
            Self::UnknownMode => "this system does not say how it was addressed",
        }
    }
}

/// How much an event matters.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The ordinary course of things.
    Info,
    /// Something is not as it should be; the program copes.
    Warn,
    /// Something failed for good.
    Error,
}

impl Level {
    /// The word for it in the log.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}
