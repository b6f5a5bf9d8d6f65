//! An event of a run, as the verdict checks it, and its form in the event log.

use std::{borrow::Cow, time::Duration};

use crate::{
    event::{Event, Kind},
    message::{Carrier, MessageId, Party},
    process::{
        Meaning, Outcome, To, Value,
        clock::Timestamp,
        detector::Detection,
        ids::{Names, ProcessId},
        physical::ClockEvent,
        words,
    },
    text::visible,
};

/// An event of one process.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RunEvent {
    /// The process.
    pub process: ProcessId,
    /// The time since the start of the run.
    pub at: Duration,
    /// The process's logical clock after it.
    pub time: u64,
    /// What it does with messages.
    pub what: MessageAction,
    /// Its meaning to the algorithm.
    pub meaning: Option<Meaning>,
}

/// What an event does with messages.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MessageAction {
    /// It sends one.
    Send {
        /// The receivers.
        to: To,
        /// Its number among the sender's messages, from 1.
        number: u64,
        /// The message type.
        word: Cow<'static, str>,
        /// The content, in words.
        text: String,
    },
    /// It receives one.
    Receive {
        /// The sender.
        from: ProcessId,
        /// The receivers: all processes, or this one.
        to: To,
        /// Its number among the sender's messages, from 1.
        number: u64,
        /// The message type.
        word: Cow<'static, str>,
        /// The content, in words.
        text: String,
    },
    /// Nothing: it is a local event.
    Local,
}

/// The receiver in the identity of a message to all processes. No process can have this name.
pub const ALL_PROCESSES: &str = "*";

impl RunEvent {
    /// The event in the log; `over` is the transport of its messages.
    pub fn event(&self, names: &Names, over: Carrier) -> Event {
        let identity = |from: ProcessId, to: To, number: u64| {
            let to = match to {
                To::All => ALL_PROCESSES,
                To::One(process) => names.of(process),
            };
            let party = |name: &str| Party::Name(name.to_owned());
            MessageId::new(over, party(names.of(from)), party(to), number)
        };
        let name_of = |process| Party::Name(names.of(process).to_owned());
        let (mut event, word, text) = match &self.what {
            MessageAction::Send {
                to,
                number,
                word,
                text,
            } => {
                let event = Event::new(Kind::Send).message(identity(self.process, *to, *number));
                let event = match to {
                    To::One(process) => event.peer(name_of(*process)),
                    To::All => event,
                };
                (event, word.as_ref(), text.as_str())
            }
            MessageAction::Receive {
                from,
                to,
                number,
                word,
                text,
            } => {
                let to = match to {
                    To::All => To::All,
                    To::One(_) => To::One(self.process),
                };
                let event = Event::new(Kind::Receive).message(identity(*from, to, *number));
                (event.peer(name_of(*from)), word.as_ref(), text.as_str())
            }
            MessageAction::Local => (Event::new(Kind::Local), "", ""),
        };
        if !word.is_empty() {
            event.message_type = Some(word.to_owned().into());
        }
        let safe = |text: &str| Some(visible(text.as_bytes()));
        event.meaning = self.meaning.as_ref().map(|meaning| meaning.word().into());
        let mut text = text;
        match &self.meaning {
            None | Some(Meaning::Request | Meaning::Join | Meaning::Leave | Meaning::Elect) => {}
            Some(Meaning::Multicast(payload) | Meaning::Local(payload)) => text = payload,
            Some(
                Meaning::Enter(about)
                | Meaning::Exit(about)
                | Meaning::Deliver(about, _)
                | Meaning::Leader(about)
                | Meaning::Parent(about)
                | Meaning::Transfer(about, _)
                | Meaning::Credit(about, _)
                | Meaning::Record(about, _)
                | Meaning::RecordChannel(about, ..)
                | Meaning::Complete(about, _),
            ) => {
                let stamp = format!("{},{}", about.time, names.of(about.process));
                event.timestamp = Some(stamp.into());
            }
            Some(Meaning::LookUp(name) | Meaning::Delete(name)) => event.name = safe(name),
            Some(
                Meaning::Found(name, value)
                | Meaning::Insert(name, value)
                | Meaning::Store(name, value),
            ) => {
                (event.name, event.value) = (safe(name), safe(value.text(names)));
            }
            Some(Meaning::Station(capacity, neighbours)) => {
                let neighbours: Vec<_> = neighbours.iter().map(|it| names.of(*it)).collect();
                event.name = safe(&capacity.to_string());
                event.value = safe(&neighbours.join(", "));
            }
            Some(Meaning::Begin(transaction)) => event.name = safe(&transaction.to_string()),
            Some(Meaning::Vote(transaction, outcome) | Meaning::Decide(transaction, outcome)) => {
                event.name = safe(&transaction.to_string());
                event.value = safe(outcome.word());
            }
            Some(Meaning::Clock(clock)) => {
                event.name = safe(&clock.round.to_string());
                event.value = safe(&clock.times());
            }
            Some(Meaning::Detect(detection)) => {
                event.value = safe(names.of(detection.process()));
            }
            Some(Meaning::Move(name, to)) => {
                (event.name, event.value) = (safe(name), safe(names.of(*to)));
            }
        }
        match &self.meaning {
            Some(Meaning::Deliver(_, payload)) => text = payload,
            Some(Meaning::Transfer(_, amount) | Meaning::Credit(_, amount)) => {
                event.value = safe(&amount.to_string());
            }
            Some(Meaning::Record(_, amount) | Meaning::Complete(_, amount)) => {
                event.value = safe(&amount.to_string());
            }
            Some(Meaning::RecordChannel(_, from, amount)) => {
                event.name = safe(names.of(*from));
                event.value = safe(&amount.to_string());
            }
            _ => {}
        }
        if !text.is_empty() {
            event.text = safe(text);
        }
        event.clock(self.time)
    }

    /// The event as a sentence: `p1 at 4 sends a request to all`.
    pub fn sentence(&self, names: &Names) -> String {
        let words = words::of(&self.event(names, Carrier::Memory));
        format!("{} at {} {words}", names.of(self.process), self.time)
    }
}

/// The fields of a logged event that say what it means to the algorithm, as [`RunEvent::event`] writes them.
#[derive(Clone, Copy, Debug)]
pub struct LoggedMeaning<'a> {
    /// The meaning's word.
    pub meaning: &'a str,
    /// `TIME,PROCESS` of the request or multicast that it is about.
    pub timestamp: &'a str,
    /// The text.
    pub text: &'a str,
    /// The name.
    pub name: &'a str,
    /// What the name stands for.
    pub value: &'a str,
}

impl LoggedMeaning<'_> {
    /// The meaning of the event with this timestamp, given the process that has a name; None if it has none that is known.
    pub fn read(
        self,
        own: Timestamp,
        process: &mut dyn FnMut(&str) -> ProcessId,
    ) -> Option<Meaning> {
        let mut about = || {
            let (time, name) = self.timestamp.split_once(',')?;
            Some(Timestamp {
                time: time.parse().ok()?,
                process: process(name),
            })
        };
        let name = || self.name.to_owned();
        let value = || Value::from(self.value.to_owned());
        Some(match self.meaning {
            "request" => Meaning::Request,
            // Without a timestamp the order of requests is not checked.
            "enter" => Meaning::Enter(about().unwrap_or(own)),
            "exit" => Meaning::Exit(about().unwrap_or(own)),
            "multicast" => Meaning::Multicast(self.text.to_owned()),
            "deliver" => Meaning::Deliver(about()?, self.text.to_owned()),
            "local" => Meaning::Local(self.text.to_owned()),
            "look-up" => Meaning::LookUp(name()),
            "found" => Meaning::Found(name(), value()),
            "insert" => Meaning::Insert(name(), value()),
            "move" => Meaning::Move(name(), process(self.value)),
            "delete" => Meaning::Delete(name()),
            "store" => Meaning::Store(name(), value()),
            "join" => Meaning::Join,
            "leave" => Meaning::Leave,
            "elect" => Meaning::Elect,
            "leader" => Meaning::Leader(about()?),
            "parent" => Meaning::Parent(about()?),
            "station" => {
                let neighbours = self.value.split(", ").filter(|name| !name.is_empty());
                Meaning::Station(self.name.parse().ok()?, neighbours.map(process).collect())
            }
            "begin" => Meaning::Begin(self.name.parse().ok()?),
            "vote" => Meaning::Vote(self.name.parse().ok()?, Outcome::of_word(self.value)?),
            "decide" => Meaning::Decide(self.name.parse().ok()?, Outcome::of_word(self.value)?),
            "transfer" => Meaning::Transfer(about()?, self.value.parse().ok()?),
            "credit" => Meaning::Credit(about()?, self.value.parse().ok()?),
            "record" => Meaning::Record(about()?, self.value.parse().ok()?),
            "record-channel" => {
                let about = about()?;
                Meaning::RecordChannel(about, process(self.name), self.value.parse().ok()?)
            }
            "complete" => Meaning::Complete(about()?, self.value.parse().ok()?),
            word if ClockEvent::WORDS.contains(&word) => {
                Meaning::Clock(Box::new(ClockEvent::read(word, self.name, self.value)?))
            }
            "suspect" => Meaning::Detect(Detection::Suspect(process(self.value))),
            "trust" => Meaning::Detect(Detection::Trust(process(self.value))),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::physical::{ClockAction, Reading};

    #[test]
    fn each_meaning_is_read_from_the_event_that_it_writes() {
        let names = Names::numbered(3);
        let stamp = |time, process| Timestamp {
            time,
            process: ProcessId(process),
        };
        let text = || "x".to_owned();
        let clock = |action| {
            Box::new(ClockEvent {
                round: 2,
                action,
                reading: Reading {
                    hardware: 1_020_000_000,
                    error: 20_000_000,
                },
                set: 1_003_000_000,
                shown: 1_010_000_000,
            })
        };
        for (meaning, words) in [
            (Meaning::Request, "requests the critical section"),
            (
                Meaning::Enter(stamp(3, 1)),
                "enters the critical section, by its request of 3",
            ),
            (Meaning::Exit(stamp(3, 1)), "exits the critical section"),
            (Meaning::Multicast(text()), ""),
            (
                Meaning::Deliver(stamp(4, 2), text()),
                "delivers p3's multicast of 4 'x'",
            ),
            (Meaning::Local(text()), "local event 'x'"),
            (Meaning::LookUp("a".to_owned()), "looks up a"),
            (Meaning::Found("a".to_owned(), text().into()), "finds a: x"),
            (Meaning::Found("a".to_owned(), Value::Nothing), "finds no a"),
            (
                Meaning::Insert("a".to_owned(), text().into()),
                "inserts a: x",
            ),
            (Meaning::Move("a".to_owned(), ProcessId(2)), "moves a to p3"),
            (Meaning::Delete("a".to_owned()), "deletes a"),
            (Meaning::Store("a".to_owned(), text().into()), "stores a: x"),
            (Meaning::Store("a".to_owned(), Value::Nothing), "forgets a"),
            (
                Meaning::Parent(stamp(4, 2)),
                "takes p3 as its parent in the tree of term 4",
            ),
            (
                Meaning::Station(6, vec![ProcessId(0), ProcessId(2)]),
                "has the capacity 6, and reaches p1, p3",
            ),
            (Meaning::Begin(4), "begins transaction 4"),
            (
                Meaning::Vote(4, Outcome::Commit),
                "votes to commit transaction 4",
            ),
            (
                Meaning::Decide(4, Outcome::Abort),
                "decides to abort transaction 4",
            ),
            (
                Meaning::Clock(clock(ClockAction::Poll)),
                "asks for the time, round 2",
            ),
            (
                Meaning::Clock(clock(ClockAction::Report)),
                "reports its time, 00:00:01.003000, in round 2",
            ),
            (
                Meaning::Clock(clock(ClockAction::Adjust {
                    before: 1_010_000_000,
                    bound: 4_000_000,
                })),
                "sets its clock, at 00:00:01.010000, to 00:00:01.003000, at most 4 ms wrong, and 3 ms ahead of true time",
            ),
            (Meaning::Join, "joins"),
            (Meaning::Leave, "leaves"),
            (Meaning::Elect, "starts an election"),
            (
                Meaning::Leader(stamp(4, 2)),
                "takes p3 as the leader of term 4",
            ),
            (Meaning::Transfer(stamp(3, 1), 30), "transfers 30"),
            (Meaning::Credit(stamp(3, 2), 30), "adds 30 to its balance"),
            (
                Meaning::Record(stamp(1, 0), -970),
                "records its state for snapshot 1 of p1: balance -970",
            ),
            (
                Meaning::RecordChannel(stamp(1, 0), ProcessId(2), 30),
                "records 30 in transit from p3 for snapshot 1 of p1",
            ),
            (
                Meaning::Complete(stamp(1, 1), 3000),
                "completes snapshot 1 of p2: 3000 in all",
            ),
            (
                Meaning::Detect(Detection::Suspect(ProcessId(2))),
                "suspects p3",
            ),
            (
                Meaning::Detect(Detection::Trust(ProcessId(0))),
                "trusts p1 again",
            ),
        ] {
            let event = RunEvent {
                process: ProcessId(1),
                at: Duration::ZERO,
                time: 7,
                what: MessageAction::Local,
                meaning: Some(meaning.clone()),
            };
            let logged = event.event(&names, Carrier::Memory);
            let fields = LoggedMeaning {
                meaning: logged.meaning.as_deref().unwrap_or_default(),
                timestamp: logged.timestamp.as_deref().unwrap_or_default(),
                text: logged.text.as_deref().unwrap_or_default(),
                name: logged.name.as_deref().unwrap_or_default(),
                value: logged.value.as_deref().unwrap_or_default(),
            };
            let read = fields.read(stamp(7, 1), &mut |name| names.process(name).unwrap());
            assert_eq!(read, Some(meaning));
            if !matches!(event.meaning, Some(Meaning::Multicast(_))) {
                assert_eq!(event.sentence(&names), format!("p2 at 7 {words}"));
            }
        }
    }
}
