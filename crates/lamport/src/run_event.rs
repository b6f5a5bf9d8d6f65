//! An event of a run, as the verdict checks it, and its form in the event log.

use std::{borrow::Cow, time::Duration};

use common::{
    event::{Event, Kind},
    message::{Carrier, MessageId, Party},
    process::{
        Meaning, To,
        ids::{Names, ProcessId},
    },
    text::visible,
};

use crate::words;

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
            None | Some(Meaning::Request | Meaning::Join | Meaning::Leave) => {}
            Some(Meaning::Multicast(payload) | Meaning::Local(payload)) => text = payload,
            Some(Meaning::Enter(about) | Meaning::Exit(about) | Meaning::Deliver(about, _)) => {
                let stamp = format!("{},{}", about.time, names.of(about.process));
                event.timestamp = Some(stamp.into());
            }
            Some(Meaning::LookUp(name)) => event.name = safe(name),
            Some(Meaning::Found(name, value) | Meaning::Insert(name, value)) => {
                (event.name, event.value) = (safe(name), safe(value));
            }
            Some(Meaning::Move(name, to)) => {
                (event.name, event.value) = (safe(name), safe(names.of(*to)));
            }
        }
        if let Some(Meaning::Deliver(_, payload)) = &self.meaning {
            text = payload;
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
