//! An event in words, the same in the terminal, the verdict and the diagrams.

use crate::{
    event::{Event, Kind},
    process::physical::{ClockAction, ClockEvent, Nanos, TimeOfDay},
    text::{content, visible},
};

/// The meaning of the crash of a process.
pub const CRASHED: &str = "crashed";

/// The fields of an event that its words are made of. A field that the event does not have is empty.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The kind of event.
    pub kind: Kind,
    /// The peer; a send to all processes has none.
    pub peer: &'a str,
    /// The text of the message, or of the event.
    pub text: &'a str,
    /// The message type.
    pub message_type: &'a str,
    /// The meaning to the algorithm.
    pub meaning: &'a str,
    /// The timestamp `TIME,PROCESS` of the request or multicast.
    pub timestamp: &'a str,
    /// The resolved name.
    pub name: &'a str,
    /// The value of the name.
    pub value: &'a str,
    /// The check.
    pub check: &'a str,
    /// The verdict of the check.
    pub verdict: &'a str,
    /// The anomaly of a received message.
    pub anomaly: &'a str,
}

/// An event of the log in words.
pub fn of(event: &Event) -> String {
    let peer = event.peer.as_ref().map(ToString::to_string);
    Facts {
        kind: event.kind,
        peer: peer.as_deref().unwrap_or_default(),
        text: event.text.as_deref().unwrap_or_default(),
        message_type: event.message_type.as_deref().unwrap_or_default(),
        meaning: event.meaning.as_deref().unwrap_or_default(),
        timestamp: event.timestamp.as_deref().unwrap_or_default(),
        name: event.name.as_deref().unwrap_or_default(),
        value: event.value.as_deref().unwrap_or_default(),
        check: event.check.as_deref().unwrap_or_default(),
        verdict: event.verdict.map_or("", |verdict| verdict.word()),
        anomaly: event.anomaly.map_or("", |anomaly| anomaly.words()),
    }
    .words()
}

/// A verb, and its object if there is one.
fn with(verb: &str, object: &str) -> String {
    match object {
        "" => verb.trim_end_matches(':').to_owned(),
        object => format!("{verb} {object}"),
    }
}

fn quoted(text: &str) -> String {
    match text {
        "" => String::new(),
        text => {
            let shown = visible(text.as_bytes());
            format!(" '{}'", content(&shown, None))
        }
    }
}

impl Facts<'_> {
    /// The event as a sentence without its subject, the name of the process.
    pub fn words(&self) -> String {
        let text = self.text;
        match self.kind {
            Kind::Start => with("starts:", text),
            Kind::Ready if text.is_empty() => with("is ready:", self.peer),
            Kind::Ready => with("is ready:", text),
            Kind::Connect => with("connects to", self.peer),
            Kind::Accept => with("accepts", self.peer),
            Kind::Send | Kind::Receive => match self.step() {
                None => self.communication(),
                Some(step) => format!("{step}: {}", self.communication()),
            },
            Kind::Close => with("closes the connection to", self.peer),
            Kind::Resolve => with("resolves", &format!("{}: {}", self.name, self.value)),
            Kind::Register if self.value.is_empty() => with("unregisters", self.name),
            Kind::Register => format!("registers {}: {}", self.name, self.value),
            Kind::Check => with("checks", &format!("{}: {}", self.check, self.verdict)),
            Kind::Write => with("writes", text),
            Kind::Output | Kind::Report => text.to_owned(),
            Kind::Fault if self.meaning == CRASHED => "crashes".to_owned(),
            Kind::Fault => with("fault:", text),
            Kind::Error => with("fails:", text),
            // A summary begins with the word itself.
            Kind::Stop => with("stops:", text.strip_prefix("stopped: ").unwrap_or(text)),
            Kind::Local => match self.step() {
                Some(step) => step,
                None if text.is_empty() => with("local event", self.content().trim_start()),
                None => text.to_owned(),
            },
        }
    }

    /// The step of an algorithm.
    fn step(&self) -> Option<String> {
        let (time, process) = self.timestamp.split_once(',').unwrap_or_default();
        let by = match time {
            "" => String::new(),
            time => format!(", by its request of {time}"),
        };
        Some(match self.meaning {
            "request" => "requests the critical section".to_owned(),
            "enter" => format!("enters the critical section{by}"),
            "exit" => "exits the critical section".to_owned(),
            "deliver" => format!(
                "delivers {process}'s multicast of {time}{}",
                quoted(self.text)
            ),
            "local" => format!("local event{}", quoted(self.text)),
            "look-up" => format!("looks up {}", self.name),
            "found" if self.value.is_empty() => format!("finds no {}", self.name),
            "found" => format!("finds {}: {}", self.name, self.value),
            "insert" => format!("inserts {}: {}", self.name, self.value),
            "move" => format!("moves {} to {}", self.name, self.value),
            "delete" => format!("deletes {}", self.name),
            "store" if self.value.is_empty() => format!("forgets {}", self.name),
            "store" => format!("stores {}: {}", self.name, self.value),
            "begin" => format!("begins transaction {}", self.name),
            "vote" => format!("votes to {} transaction {}", self.value, self.name),
            "decide" => format!("decides to {} transaction {}", self.value, self.name),
            word if ClockEvent::WORDS.contains(&word) => self.clock(word)?,
            "join" => "joins".to_owned(),
            "leave" => "leaves".to_owned(),
            "elect" => "starts an election".to_owned(),
            "leader" => format!("takes {process} as the leader of term {time}"),
            "parent" => format!("takes {process} as its parent in the tree of term {time}"),
            "station" if self.value.is_empty() => {
                format!("has the capacity {}, and reaches nobody", self.name)
            }
            "station" => format!("has the capacity {}, and reaches {}", self.name, self.value),
            "transfer" if self.kind == Kind::Send => return None,
            "credit" if self.kind == Kind::Receive => return None,
            "transfer" => format!("transfers {}", self.value),
            "credit" => format!("adds {} to its balance", self.value),
            "record" => format!(
                "records its state for snapshot {time} of {process}: balance {}",
                self.value
            ),
            "record-channel" => format!(
                "records {} in transit from {} for snapshot {time} of {process}",
                self.value, self.name
            ),
            "complete" => format!(
                "completes snapshot {time} of {process}: {} in all",
                self.value
            ),
            "suspect" => format!("suspects {}", self.value),
            "trust" => format!("trusts {} again", self.value),
            _ => return None,
        })
    }

    /// What a process does with its clock.
    fn clock(&self, word: &str) -> Option<String> {
        let round = self.name;
        let event = ClockEvent::read(word, round, self.value)?;
        Some(match event.action {
            ClockAction::Poll => format!("asks for the time, round {round}"),
            ClockAction::Report => {
                format!(
                    "reports its time, {}, in round {round}",
                    TimeOfDay(event.set)
                )
            }
            ClockAction::Sample { offset, delay } => format!(
                "measures an offset of {} with a delay of {}",
                Nanos(offset),
                Nanos(delay)
            ),
            ClockAction::Keep => format!("keeps its clock in round {round}: no majority agrees"),
            ClockAction::Show => format!("shows {} to its client", TimeOfDay(event.shown)),
            ClockAction::Adjust { before, bound } => {
                let (before, set) = (TimeOfDay(before), TimeOfDay(event.set));
                let bound = match bound {
                    0 => String::new(),
                    bound => format!(", at most {} wrong", Nanos(bound)),
                };
                let ahead = event.ahead();
                let side = if ahead < 0 { "behind" } else { "ahead of" };
                let by = Nanos(ahead.saturating_abs());
                format!("sets its clock, at {before}, to {set}{bound}, and {by} {side} true time")
            }
        })
    }

    /// The message, and its receiver or sender.
    fn communication(&self) -> String {
        let message = match self.content() {
            content if content.is_empty() => "a message".to_owned(),
            content => content,
        };
        match (self.kind, self.peer) {
            (Kind::Send, "") => format!("sends {message} to all"),
            (Kind::Send, peer) => format!("sends {message} to {peer}"),
            (_, peer) => {
                let from = with(&format!("receives {message} from"), peer);
                match self.anomaly {
                    "" => from,
                    anomaly => format!("{from}, {anomaly}"),
                }
            }
        }
    }

    /// The message type or name, with the text or value.
    fn content(&self) -> String {
        let name = [self.message_type, self.name]
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or_default();
        match (self.text, name, self.value) {
            ("", name, "") => name.to_owned(),
            ("", "", value) => value.to_owned(),
            ("", name, value) => format!("{name}: {value}"),
            (text, name, _) => format!("{name}{}", quoted(text)).trim_start().to_owned(),
        }
    }
}
