//! An event of a logged run as an event of its algorithm.

use common::{
    event::{Kind, Record},
    process::{
        Meaning, To,
        clock::Timestamp,
        ids::ProcessId,
        physical::ClockEvent,
        reliable_link::ChannelOrder,
        run_event::{ALL_PROCESSES, LoggedMeaning, MessageAction},
        words,
    },
};
use hashbrown::HashSet;
use serde::Deserialize;

use super::members::Members;
use crate::{
    algorithms::Algorithm,
    reporting::UNORDERED,
    trace::{Claim, EventId, computation::Computation},
};

/// The fields of a line that algorithms use.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    message_type: String,
    #[serde(default)]
    meaning: String,
    #[serde(default)]
    timestamp: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    value: String,
}

/// The message types of a run.
#[derive(Default)]
pub(super) struct MessageTypes {
    acknowledgement: bool,
    reply: bool,
    grant: bool,
    token: bool,
    locked: bool,
    delivers: bool,
    coordinator: bool,
    elected: bool,
    elects: bool,
    stations: bool,
    decides: bool,
    prepares: bool,
    snapshots: bool,
    marker: bool,
    reads_clock: bool,
    polls: bool,
    has_four: bool,
}

impl MessageTypes {
    fn see(&mut self, message_type: &str, meaning: &str) {
        match message_type {
            "acknowledgement" => self.acknowledgement = true,
            "reply" => self.reply = true,
            "grant" => self.grant = true,
            "answer" | "coordinator" => self.coordinator = true,
            "elected" => self.elected = true,
            "token" => self.token = true,
            "locked" => self.locked = true,
            "prepare" | "adopt" => self.prepares = true,
            "marker" => self.marker = true,
            "poll" => self.polls = true,
            "ntp-request" => self.has_four = true,
            _ => {}
        }
        self.reads_clock |= ClockEvent::WORDS.contains(&meaning);
        self.delivers |= matches!(meaning, "multicast" | "deliver");
        self.stations |= matches!(meaning, "station" | "parent");
        self.elects |= matches!(meaning, "elect" | "leader");
        self.snapshots |= matches!(
            meaning,
            "transfer" | "credit" | "record" | "record-channel" | "complete"
        );
        self.decides |= matches!(meaning, "begin" | "vote" | "decide");
    }

    /// The algorithm that uses these message types.
    pub(super) fn algorithm(&self) -> Algorithm {
        match self {
            Self {
                snapshots: true,
                marker,
                ..
            } => match marker {
                true => Algorithm::Snapshot,
                false => Algorithm::VectorSnapshot,
            },
            Self {
                reads_clock: true,
                polls,
                has_four,
                ..
            } => match (polls, has_four) {
                (true, _) => Algorithm::Berkeley,
                (false, true) => Algorithm::Ntp,
                (false, false) => Algorithm::Cristian,
            },
            Self {
                decides: true,
                prepares: true,
                ..
            } => Algorithm::ThreePhase,
            Self { decides: true, .. } => Algorithm::TwoPhase,
            Self {
                delivers: true,
                acknowledgement: true,
                ..
            } => Algorithm::Total,
            Self { delivers: true, .. } => Algorithm::Causal,
            Self {
                elects: true,
                stations: true,
                ..
            } => Algorithm::Wireless,
            Self {
                elects: true,
                coordinator,
                elected,
                ..
            } => match *coordinator || !elected {
                true => Algorithm::Bully,
                false => Algorithm::Ring,
            },
            Self { grant: true, .. } => Algorithm::Central,
            Self { reply: true, .. } => Algorithm::RicartAgrawala,
            Self { token: true, .. } => Algorithm::TokenRing,
            Self { locked: true, .. } => Algorithm::Maekawa,
            _ => Algorithm::Mutex,
        }
    }
}

/// In which order the channels of a process deliver, as the line of its event `ready` says.
pub(super) fn order(line: &str) -> ChannelOrder {
    let ready = Record::parse(line);
    let count = ready
        .ok()
        .and_then(|ready| ready.event.counts.get(UNORDERED).copied());
    match count {
        Some(1..) => ChannelOrder::Unordered,
        _ => ChannelOrder::Fifo,
    }
}

/// Whether a fault, as its line says, is the crash of its process.
pub(super) fn is_crash(line: &str) -> bool {
    let line = serde_json::from_str(line);
    line.is_ok_and(|line: Line| line.meaning == words::CRASHED)
}

/// An event of a process of the run.
pub(super) struct Step<'c> {
    pub(super) computation: &'c Computation,
    pub(super) id: EventId,
    pub(super) process: ProcessId,
    /// Its logical time.
    pub(super) time: u64,
    /// The names of those that are no processes of the run, though it has messages from them and to them.
    pub(super) outside: &'c HashSet<&'c str>,
}

impl Step<'_> {
    /// Its message action and meaning; None if it is not an event of the algorithm.
    pub(super) fn read(
        &self,
        members: &mut Members,
        types: &mut MessageTypes,
    ) -> Option<(MessageAction, Option<Meaning>)> {
        let trace = &self.computation.trace;
        let event = &trace.events[self.id];
        if event.claim == Claim::None {
            return None;
        }
        // The line was parsed before, so it can be parsed again.
        let line: Line = serde_json::from_str(trace.text(event.text)).ok()?;
        types.see(&line.message_type, &line.meaning);
        let meaning = self.meaning(&line, members);
        let party = |party: u32| trace.parties[party as usize].as_str();
        let message = trace.message(event);
        let (word, text) = (line.message_type.into(), line.text);
        let other = message.map(|message| match event.kind {
            Kind::Send => party(message.to),
            _ => party(message.from),
        });
        if other.is_some_and(|other| self.outside.contains(other)) {
            return meaning.map(|meaning| (MessageAction::Local, Some(meaning)));
        }
        let what = match (event.kind, message) {
            (Kind::Send, Some(message)) => MessageAction::Send {
                to: match party(message.to) {
                    ALL_PROCESSES => To::All,
                    name => To::One(members.named(name)),
                },
                number: message.number,
                word,
                text,
            },
            (Kind::Receive, Some(message)) => {
                let send = self.computation.links.to(self.id).first();
                let sender = send.map(|link| trace.events[link.from].process);
                let sender = sender.and_then(|process| members.of_process.get(&process).copied());
                MessageAction::Receive {
                    from: sender.unwrap_or_else(|| members.named(party(message.from))),
                    to: match party(message.to) {
                        ALL_PROCESSES => To::All,
                        _ => To::One(self.process),
                    },
                    number: message.number,
                    word,
                    text,
                }
            }
            (Kind::Local, None) if meaning.is_some() => MessageAction::Local,
            _ => return None,
        };
        Some((what, meaning))
    }

    fn meaning(&self, line: &Line, members: &mut Members) -> Option<Meaning> {
        let own = Timestamp {
            time: self.time,
            process: self.process,
        };
        let logged = LoggedMeaning {
            meaning: &line.meaning,
            timestamp: &line.timestamp,
            text: &line.text,
            name: &line.name,
            value: &line.value,
        };
        logged.read(own, &mut |name| members.named(name))
    }
}
