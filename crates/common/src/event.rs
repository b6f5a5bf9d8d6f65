//! The event log, version 1: one event, one line of JSON. The same types write and read it.
//!
//! The words are explained in `docs/reference/log-format.md`.

mod line;
mod time;
mod words;

use std::{borrow::Cow, collections::BTreeMap, fmt, time::SystemTime};

use serde::{Deserialize, Serialize, de::Error as _};

pub use self::{
    time::Time,
    words::{AddressingMode, Anomaly, Kind, Level, Verdict},
};
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
    /// Where the program listens, of the event that it is ready: `127.0.0.1:12345`; several addresses with spaces between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Box<str>>,
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
            address: None,
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

    /// The content of the message for people: a long one in short, with its length.
    pub fn content_in_short(&self) -> Cow<'_, str> {
        crate::text::content(self.text.as_deref().unwrap_or_default(), self.bytes)
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

#[cfg(test)]
mod tests {
    use std::{
        net::SocketAddr,
        time::{Duration, UNIX_EPOCH},
    };

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
                address: Some("127.0.0.1:40000".into()),
                ..Event::new(Kind::Ready).text("127.0.0.1:40000, 2 names")
            },
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
