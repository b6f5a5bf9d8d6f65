//! An event of a run, as the verdict checks it, and as it stands in the event log.

use std::{borrow::Cow, time::Duration};

use common::{
    event::{Event, Kind},
    message::{Carrier, MessageId, Party},
    text::visible,
};

use crate::{
    ids::{Names, ProcessId},
    process::{Meaning, To},
    words,
};

/// An event of one process.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RunEvent {
    /// Whose event it is.
    pub process: ProcessId,
    /// When, from the beginning of the run.
    pub at: Duration,
    /// The process's logical clock after it.
    pub time: u64,
    /// What it does to messages.
    pub what: MessageAction,
    /// What it means.
    pub meaning: Option<Meaning>,
}

/// What an event does to messages.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MessageAction {
    /// One is sent.
    Send {
        /// To whom.
        to: To,
        /// Its number among the sender's messages, from 1.
        number: u64,
        /// What kind of message it is.
        word: Cow<'static, str>,
        /// Its content, in words.
        text: String,
    },
    /// One is received.
    Receive {
        /// From whom.
        from: ProcessId,
        /// Whom it is for: all, or this process.
        to: To,
        /// Its number among the sender's messages, from 1.
        number: u64,
        /// What kind of message it is.
        word: Cow<'static, str>,
        /// Its content, in words.
        text: String,
    },
    /// Nothing.
    Local,
}

/// The receiver in the identity of a message that is for all: no process can be called so.
pub const ALL_PROCESSES: &str = "*";

impl RunEvent {
    /// As an event of the log; messages went over this.
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
        let (meaning, about, text) = match &self.meaning {
            None => (None, None, text),
            Some(Meaning::Request) => (Some("request"), None, text),
            Some(Meaning::Enter(request)) => (Some("enter"), Some(request), text),
            Some(Meaning::Exit(request)) => (Some("exit"), Some(request), text),
            Some(Meaning::Multicast(payload)) => (Some("multicast"), None, payload.as_str()),
            Some(Meaning::Deliver(multicast, payload)) => {
                (Some("deliver"), Some(multicast), payload.as_str())
            }
            Some(Meaning::Local(payload)) => (Some("local"), None, payload.as_str()),
        };
        event.meaning = meaning.map(Into::into);
        event.timestamp =
            about.map(|about| format!("{},{}", about.time, names.of(about.process)).into());
        if !text.is_empty() {
            event = event.text(visible(text.as_bytes()));
        }
        event.clock(self.time)
    }

    /// The whole event in plain words: `p1 at 4: sends a request to all`.
    pub fn sentence(&self, names: &Names) -> String {
        let words = words::of(&self.event(names, Carrier::Memory));
        format!("{} at {} {words}", names.of(self.process), self.time)
    }
}
