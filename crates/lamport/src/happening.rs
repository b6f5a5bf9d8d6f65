//! What happened in a run, as the verdict and people see it, and as it stands in the event log.

use std::{borrow::Cow, time::Duration};

use common::{
    event::{Event, Kind},
    message::{Carrier, MessageId, Party},
    text::visible,
};

use crate::{
    clock::Timestamp,
    process::{Deed, Names, ProcessId, To},
};

/// An event of one process.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Happening {
    /// Whose event it is.
    pub process: ProcessId,
    /// When, from the beginning of the run.
    pub at: Duration,
    /// The process's logical clock after it.
    pub time: u64,
    /// What it does to messages.
    pub what: What,
    /// What it means.
    pub deed: Option<Deed>,
}

/// What an event does to messages.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum What {
    /// One is sent.
    Send {
        /// To whom.
        to: To,
        /// The sender's how many-th message it is, from 1.
        number: u64,
        /// What kind of message it is.
        word: Cow<'static, str>,
        /// What it says beside that.
        text: String,
    },
    /// One is received.
    Receive {
        /// From whom.
        from: ProcessId,
        /// Whom it is for: all, or this process.
        to: To,
        /// The sender's how many-th message it is.
        number: u64,
        /// What kind of message it is.
        word: Cow<'static, str>,
        /// What it says beside that.
        text: String,
    },
    /// Nothing.
    Local,
}

/// The receiver in the identity of a message that is for all: no process can be called so.
pub const EVERYBODY: &str = "*";

impl Happening {
    /// As an event of the log; messages went over this.
    pub fn event(&self, names: &Names, over: Carrier) -> Event {
        let identity = |from: ProcessId, to: To, number: u64| {
            let to = match to {
                To::All => EVERYBODY,
                To::One(process) => names.of(process),
            };
            let party = |name: &str| Party::Name(name.to_owned());
            MessageId::new(over, party(names.of(from)), party(to), number)
        };
        let name_of = |process| Party::Name(names.of(process).to_owned());
        let (mut event, word, text) = match &self.what {
            What::Send {
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
            What::Receive {
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
            What::Local => (Event::new(Kind::Local), "", ""),
        };
        let stamp = |stamp: &Timestamp| Some(format!("{},{}", stamp.time, names.of(stamp.process)));
        let (word, value, text) = match &self.deed {
            None => (word, None, text),
            Some(Deed::Request) => ("request", None, text),
            Some(Deed::Enter(request)) => ("enter", stamp(request), text),
            Some(Deed::Leave(request)) => ("leave", stamp(request), text),
            Some(Deed::Multicast(said)) => ("multicast", None, said.as_str()),
            Some(Deed::Deliver(multicast, said)) => ("deliver", stamp(multicast), said.as_str()),
            Some(Deed::Local(said)) => ("local", None, said.as_str()),
        };
        event.name = Some(word.to_owned());
        event.value = value;
        if !text.is_empty() {
            event = event.text(visible(text.as_bytes()));
        }
        event.clock(self.time)
    }

    /// From an event of the log of this process; None when it is none of the algorithm's.
    pub fn of_event(
        process: ProcessId,
        at: Duration,
        event: &Event,
        names: &Names,
    ) -> Option<Self> {
        let (time, word) = (event.clock?, event.name.as_deref()?);
        let stamp = || {
            let (time, process) = event.value.as_deref()?.split_once(',')?;
            Some(Timestamp {
                time: time.parse().ok()?,
                process: names.process(process)?,
            })
        };
        let text = event.text.clone().unwrap_or_default();
        let party = |party: &Party| names.process(&party.to_string());
        let to = |party: &Party| match party {
            Party::Name(name) if name == EVERYBODY => Some(To::All),
            party => names.process(&party.to_string()).map(To::One),
        };
        let deed = match word {
            "enter" => Some(Deed::Enter(stamp()?)),
            "leave" => Some(Deed::Leave(stamp()?)),
            "deliver" => Some(Deed::Deliver(stamp()?, text.clone())),
            "local" => Some(Deed::Local(text.clone())),
            "request" if event.kind == Kind::Send => Some(Deed::Request),
            "multicast" if event.kind == Kind::Send => Some(Deed::Multicast(text.clone())),
            _ => None,
        };
        let word = Cow::Owned(match deed {
            Some(Deed::Leave(_)) => "release".to_owned(),
            _ => word.to_owned(),
        });
        let what = match (event.kind, &event.message) {
            (Kind::Send, Some(id)) => What::Send {
                to: to(&id.to)?,
                number: id.number,
                word,
                text,
            },
            (Kind::Receive, Some(id)) => What::Receive {
                from: party(&id.from)?,
                to: to(&id.to)?,
                number: id.number,
                word,
                text,
            },
            (Kind::Local, None) => What::Local,
            _ => return None,
        };
        Some(Self {
            process,
            at,
            time,
            what,
            deed,
        })
    }

    /// In plain words, without who and when: `sends a request to all`.
    pub fn words(&self, names: &Names) -> String {
        let stamped =
            |stamp: &Timestamp| format!("{}'s of {}", names.of(stamp.process), stamp.time);
        let quoted = |text: &str| match text {
            "" => String::new(),
            text => format!(" '{}'", visible(text.as_bytes())),
        };
        let message = match &self.what {
            What::Send { to, word, text, .. } => {
                let to = match to {
                    To::All => "all",
                    To::One(process) => names.of(*process),
                };
                let (word, text) = (visible(word.as_bytes()), quoted(text));
                format!("sends {word}{text} to {to}")
            }
            What::Receive {
                from, word, text, ..
            } => {
                let (word, text) = (visible(word.as_bytes()), quoted(text));
                format!("receives {word}{text} from {}", names.of(*from))
            }
            What::Local => String::new(),
        };
        let deed = match &self.deed {
            Some(Deed::Request) => "asks for the critical section".to_owned(),
            Some(Deed::Enter(request)) => {
                format!(
                    "enters the critical section, by its request of {}",
                    request.time
                )
            }
            Some(Deed::Leave(_)) => "leaves the critical section".to_owned(),
            Some(Deed::Deliver(multicast, text)) => {
                format!("delivers {}{}", stamped(multicast), quoted(text))
            }
            Some(Deed::Local(text)) => format!("local event{}", quoted(text)),
            Some(Deed::Multicast(_)) | None => String::new(),
        };
        match (deed.is_empty(), message.is_empty()) {
            (false, false) => format!("{deed}: {message}"),
            _ => deed + &message,
        }
    }

    /// The whole event in plain words: `p1 at 4: sends a request to all`.
    pub fn sentence(&self, names: &Names) -> String {
        let (name, words) = (names.of(self.process), self.words(names));
        format!("{name} at {} {words}", self.time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_log_says_is_what_happened() {
        let names = Names::numbered(3);
        let stamp = Timestamp {
            time: 4,
            process: ProcessId(1),
        };
        let send = |to, word: &'static str| What::Send {
            to,
            number: 7,
            word: word.into(),
            text: String::new(),
        };
        let receive = What::Receive {
            from: ProcessId(1),
            to: To::All,
            number: 9,
            word: "request".into(),
            text: String::new(),
        };
        let one = To::One(ProcessId(1));
        for (what, deed) in [
            (send(To::All, "request"), Some(Deed::Request)),
            (send(one, "acknowledgement"), None),
            (send(To::All, "release"), Some(Deed::Leave(stamp))),
            (receive, None),
            (What::Local, Some(Deed::Enter(stamp))),
            (What::Local, Some(Deed::Deliver(stamp, "+100: 7.00".into()))),
        ] {
            let happening = Happening {
                process: ProcessId(2),
                at: Duration::from_millis(3),
                time: 8,
                what,
                deed,
            };
            let event = happening.event(&names, Carrier::Udp);
            let mut read =
                Happening::of_event(happening.process, happening.at, &event, &names).unwrap();
            if let What::Send { text, .. } | What::Receive { text, .. } = &mut read.what {
                text.clear();
            }
            assert_eq!(read, happening);
        }
    }
}
