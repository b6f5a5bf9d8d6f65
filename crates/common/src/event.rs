//! The event log, version 1: one event, one line of JSON. The same types write and read it.
//!
//! The words are explained in `docs/log-format.md`.

mod line;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::ValueEnum;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    exit::{Failure, Summary},
    message::{MessageId, Party},
};

/// The version of the log's format that this module writes and reads.
pub const VERSION: u32 = 1;

/// One line of the log: an event with where and when it happened.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Record<'a> {
    /// The format's version, 1.
    pub v: u32,
    /// Which run this was; all processes of one experiment may share it.
    pub run: Cow<'a, str>,
    /// The program's name in this run.
    pub node: Cow<'a, str>,
    /// The thread on which it happened.
    pub thread: Cow<'a, str>,
    /// The event's number in its process: 0, 1, 2… without a gap.
    pub seq: u64,
    /// What happened, and when.
    #[serde(flatten)]
    pub event: Event,
}

impl Record<'_> {
    /// Appends the record as a line of the log, with its line end.
    pub fn write_line(&self, out: &mut Vec<u8>) {
        line::write(self, out);
    }

    /// Reads one line of a log.
    ///
    /// # Errors
    /// When the line is not an event of version 1.
    pub fn parse(line: &str) -> serde_json::Result<Record<'static>> {
        let record: Record = serde_json::from_str(line)?;
        if record.v != VERSION {
            return Err(serde_json::Error::custom(format!(
                "version {} of the log, not {VERSION}",
                record.v
            )));
        }
        Ok(record)
    }
}

/// What happened, as recorded by the thread on which it happened.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Event {
    /// When it happened, by the clock of its machine.
    pub time: Time,
    /// How much it matters.
    pub level: Level,
    /// What kind of event it is.
    #[serde(rename = "event")]
    pub kind: Kind,
    /// The message that was sent or received, the same on both sides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// The other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Party>,
    /// The length of the message in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The message's text, or what there is to say; made safe to show (see [`crate::text::visible`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The logical clock after the event, where the processes keep one (Lamport 1978).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<u64>,
    /// How a datagram was addressed: of a received one by its destination, as the kernel reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<AddressingMode>,
    /// What is not as it should be about a received message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anomaly: Option<Anomaly>,
    /// The algorithm that a process is ready to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Box<str>>,
    /// What kind of message an algorithm sends or receives, the same on both sides: `request`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_type: Option<Cow<'static, str>>,
    /// What the event means to the algorithm: `enter`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning: Option<Cow<'static, str>>,
    /// The Lamport timestamp `TIME,PROCESS` of the request or multicast that the event is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Box<str>>,
    /// The name that was resolved or registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the name stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Cow<'static, str>>,
    /// What the check found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Figures of a summary.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, u64>,
}

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
}

impl Anomaly {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Reordered,
        Self::Duplicate,
        Self::TooLate,
        Self::ImplausibleNumber,
        Self::ImplausibleClock,
        Self::DamagedStamp,
        Self::Truncated,
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

impl Event {
    /// An ordinary event of this kind that happens now, about nothing yet.
    ///
    /// The time of a send is its begin: the sender makes the event before it writes, and records it
    /// when that went well, so that no clock shows a message received before it was sent.
    pub fn new(kind: Kind) -> Self {
        Self {
            time: Time::new(SystemTime::now()),
            level: Level::Info,
            kind,
            message: None,
            peer: None,
            bytes: None,
            text: None,
            clock: None,
            mode: None,
            anomaly: None,
            algorithm: None,
            message_type: None,
            meaning: None,
            timestamp: None,
            name: None,
            value: None,
            check: None,
            verdict: None,
            counts: BTreeMap::new(),
        }
    }

    /// An error, or with [`Level::Warn`] a trouble that the program copes with.
    pub fn error(level: Level, text: impl fmt::Display) -> Self {
        Self {
            level,
            ..Self::new(Kind::Error).text(text.to_string())
        }
    }

    /// The error of a failure: the same `what: why`.
    pub fn failure(failure: &Failure) -> Self {
        Self::error(Level::Error, failure)
    }

    /// The end of the process, with what the run came to.
    pub fn stop(summary: &Summary) -> Self {
        Self {
            counts: summary.counts.clone(),
            ..Self::new(Kind::Stop).text(summary.text.clone())
        }
    }

    /// What a run has come to so far.
    pub fn report(summary: &Summary) -> Self {
        Self {
            kind: Kind::Report,
            ..Self::stop(summary)
        }
    }

    /// The same event, with the other side.
    #[must_use]
    pub fn peer(mut self, peer: impl Into<Party>) -> Self {
        self.peer = Some(peer.into());
        self
    }

    /// The same event, about this message.
    #[must_use]
    pub fn message(mut self, message: MessageId) -> Self {
        self.message = Some(message);
        self
    }

    /// The same event, with a message's bytes: their number and their text, made safe to show.
    #[must_use]
    pub fn content(mut self, bytes: &[u8]) -> Self {
        self.bytes = Some(bytes.len() as u64);
        self.text(crate::text::visible(bytes))
    }

    /// The same event, with a text that is safe to show.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// The same event, with the logical clock after it.
    #[must_use]
    pub fn clock(mut self, time: u64) -> Self {
        self.clock = Some(time);
        self
    }

    /// The same event, with how the datagram was addressed.
    #[must_use]
    pub fn mode(mut self, mode: AddressingMode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// The same event, with figures.
    #[must_use]
    pub fn counts(mut self, counts: impl IntoIterator<Item = (&'static str, u64)>) -> Self {
        self.counts.extend(
            counts
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value)),
        );
        self
    }

    /// The same event, of a process that is ready to run this algorithm.
    #[must_use]
    pub fn algorithm(mut self, algorithm: &str) -> Self {
        self.algorithm = Some(algorithm.into());
        self
    }

    /// A check: what was looked at, what was found, and why or where.
    pub fn check(
        check: impl Into<Cow<'static, str>>,
        verdict: Verdict,
        found: impl Into<String>,
    ) -> Self {
        Self {
            level: verdict.level(),
            check: Some(check.into()),
            verdict: Some(verdict),
            ..Self::new(Kind::Check).text(found)
        }
    }

    /// The same event, with a name and what it stands for.
    #[must_use]
    pub fn resolved(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self.value = Some(value.into());
        self
    }
}

/// A moment in microseconds, written as RFC 3339 in UTC: `2026-11-23T05:11:25.000000Z`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Time(SystemTime);

impl Time {
    /// The last whole microsecond before `moment`; a clock set before 1970 or after 9999, which RFC 3339 has no
    /// words for, counts as 1970.
    pub fn new(moment: SystemTime) -> Self {
        const YEAR_10000: u128 = 253_402_300_800_000_000;
        let micros = moment
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_micros());
        let micros = if micros < YEAR_10000 { micros } else { 0 };
        Self(UNIX_EPOCH + Duration::from_micros(micros.try_into().unwrap_or(0)))
    }

    /// How long after the beginning of 1970 it is.
    pub fn since_1970(self) -> Duration {
        self.0.duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_micros(self.0).fmt(f)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl FromStr for Time {
    type Err = humantime::TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        humantime::parse_rfc3339(text).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::message::Carrier;

    fn record(event: Event) -> Record<'static> {
        Record {
            v: VERSION,
            run: "r".into(),
            node: "n".into(),
            thread: "client-1".into(),
            seq: 3,
            event,
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let client: SocketAddr = "127.0.0.1:40000".parse().unwrap();
        let server: SocketAddr = "[::1]:12345".parse().unwrap();
        let message = MessageId::new(Carrier::Tcp, client, server, 1);
        let time = Time::new(UNIX_EPOCH + Duration::from_micros(1_795_410_685_000_001));
        let event = Event::new(Kind::Receive)
            .peer(client)
            .message(message)
            .content(b"Hello\x1b")
            .clock(7);
        let event = Event { time, ..event };
        let line = serde_json::to_string(&record(event.clone())).unwrap();
        assert_eq!(
            line,
            r##"{"v":1,"run":"r","node":"n","thread":"client-1","seq":3,"time":"2026-11-23T05:11:25.000001Z","##.to_owned()
                + r##""level":"info","event":"receive","message":"tcp:127.0.0.1:40000>[::1]:12345#1","##
                + r##""peer":"127.0.0.1:40000","bytes":6,"text":"Hello\\x1b","clock":7}"##
        );
        assert_eq!(Record::parse(&line).unwrap(), record(event));
    }

    #[test]
    fn every_kind_and_party_survives() {
        let summary = Summary::done("2 clients").count("answered", 2);
        let memory = MessageId::new(Carrier::Memory, "clock1", "clock2", 1);
        for event in [
            Event::stop(&summary),
            Event::error(Level::Warn, "accept: too many open files"),
            Event::new(Kind::Send).peer("clock2").message(memory),
            Event::new(Kind::Resolve).resolved("region1/server1", "192.168.1.2"),
            Event::check("route", Verdict::Ok, "224.0.0.0/4 goes out on lo"),
            Event::new(Kind::Receive).mode(AddressingMode::Broadcast),
            Event {
                anomaly: Some(Anomaly::TooLate),
                algorithm: Some("mutex".into()),
                message_type: Some("request".into()),
                meaning: Some("enter".into()),
                timestamp: Some("4,p2".into()),
                ..Event::new(Kind::Receive)
            },
        ] {
            let line = serde_json::to_string(&record(event.clone())).unwrap();
            assert_eq!(Record::parse(&line).unwrap().event, event);
        }
    }

    #[test]
    fn another_version_is_refused() {
        let line = serde_json::to_string(&Record {
            v: 2,
            ..record(Event::new(Kind::Start))
        })
        .unwrap();
        assert_eq!(
            Record::parse(&line).unwrap_err().to_string(),
            "version 2 of the log, not 1"
        );
    }

    #[test]
    fn a_clock_out_of_range_does_not_stop_the_log() {
        assert_eq!(
            Time::new(UNIX_EPOCH - Duration::from_secs(1)).to_string(),
            "1970-01-01T00:00:00.000000Z"
        );
        assert_eq!(
            Time::new(UNIX_EPOCH + Duration::from_secs(300_000_000_000)).to_string(),
            "1970-01-01T00:00:00.000000Z"
        );
    }
}
