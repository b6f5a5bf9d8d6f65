//! A fault of the network or of a process as an event, and its form in the event log: of a message in the log of its
//! receiver, which would have had the next event with it, and of a crash in the log of the process. And a run with its faults.

use std::time::Duration;

use crate::{
    event::{Event, Kind},
    message::{Carrier, MessageId, Party},
    process::{
        ids::{Names, ProcessId},
        run_event::{ALL_PROCESSES, RunEvent},
        words::CRASHED,
    },
};

/// An event of a run, or a fault between its events.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PathEvent {
    /// An event of a process.
    Event(RunEvent),
    /// A fault of the network or of a process, at this time since the start of the run.
    Fault(Duration, Fault),
}

impl PathEvent {
    /// When it is, since the start of the run.
    pub fn at(&self) -> Duration {
        match self {
            Self::Event(event) => event.at,
            Self::Fault(at, _) => *at,
        }
    }

    /// The event in words.
    pub fn words(&self, names: &Names) -> String {
        match self {
            Self::Event(event) => event.sentence(names),
            Self::Fault(_, fault) => fault.words(names),
        }
    }

    /// The events of the processes.
    pub fn run_events(path: &[Self]) -> Vec<RunEvent> {
        let events = path.iter().filter_map(|event| match event {
            Self::Event(event) => Some(event.clone()),
            Self::Fault(..) => None,
        });
        events.collect()
    }

    /// The processes that crash.
    pub fn crashed(path: &[Self]) -> Vec<ProcessId> {
        let crashed = path.iter().filter_map(|event| match event {
            Self::Fault(_, Fault::Crashed(process)) => Some(*process),
            _ => None,
        });
        crashed.collect()
    }
}

/// A fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// Something happens to a message.
    Message(MessageFault, FaultyMessage),
    /// The process crashes and does not recover.
    Crashed(ProcessId),
}

/// What happens to a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MessageFault {
    /// The network loses it.
    Lost,
    /// It is lost because its sender crashed, and no process retransmits it.
    LostInCrash,
    /// The network duplicates it: a copy stays in flight when it is received.
    Duplicated,
    /// It is received before a message that was sent before it on the same channel.
    Reordered,
}

/// A message to which something happens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FaultyMessage {
    /// The sender.
    pub from: ProcessId,
    /// The receiver.
    pub to: ProcessId,
    /// Its number among the sender's messages, from 1.
    pub number: u64,
    /// Whether it is a multicast.
    pub to_all: bool,
}

/// The meaning of a fault in the log.
const LOST: &str = "lost";
const DUPLICATED: &str = "duplicated";
const REORDERED: &str = "reordered";

impl Fault {
    /// The process in whose log it stands.
    pub fn process(self) -> ProcessId {
        match self {
            Self::Message(_, message) => message.to,
            Self::Crashed(process) => process,
        }
    }

    /// The event in words.
    pub fn words(self, names: &Names) -> String {
        let of = |process: ProcessId| names.of(process);
        let (fault, message) = match self {
            Self::Message(fault, message) => (fault, message),
            Self::Crashed(process) => return format!("{} crashes", of(process)),
        };
        let (from, to) = (of(message.from), of(message.to));
        match fault {
            MessageFault::Lost => format!("the network loses a message from {from} to {to}"),
            MessageFault::LostInCrash => {
                format!("a message from {from} to {to} is lost in the crash of {from}")
            }
            MessageFault::Duplicated => {
                format!("the network duplicates the next message from {from} to {to}")
            }
            MessageFault::Reordered => {
                format!("the network delivers the next message from {from} to {to} out of order")
            }
        }
    }

    /// The event in the log; `over` is the transport of the messages.
    pub fn event(self, names: &Names, over: Carrier) -> Event {
        let event = Event::new(Kind::Fault).text(self.words(names));
        let (event, meaning) = match self {
            Self::Crashed(_) => (event, CRASHED),
            Self::Message(fault, message) => {
                let party = |name: &str| Party::Name(name.to_owned());
                let from = party(names.of(message.from));
                let to = match message.to_all {
                    true => ALL_PROCESSES,
                    false => names.of(message.to),
                };
                let id = MessageId::new(over, from.clone(), party(to), message.number);
                let meaning = match fault {
                    MessageFault::Lost | MessageFault::LostInCrash => LOST,
                    MessageFault::Duplicated => DUPLICATED,
                    MessageFault::Reordered => REORDERED,
                };
                (event.message(id).peer(from), meaning)
            }
        };
        Event {
            meaning: Some(meaning.into()),
            ..event
        }
    }

    /// The fault that an event in the log of this process is; None if it is none that is known.
    pub fn of(event: &Event, process: ProcessId, names: &Names) -> Option<Self> {
        let meaning = event
            .meaning
            .as_deref()
            .filter(|_| event.kind == Kind::Fault)?;
        let fault = match meaning {
            CRASHED => return Some(Self::Crashed(process)),
            LOST => MessageFault::Lost,
            DUPLICATED => MessageFault::Duplicated,
            REORDERED => MessageFault::Reordered,
            _ => return None,
        };
        let id = event.message.as_ref()?;
        let to_all = id.to.to_string() == ALL_PROCESSES;
        let message = FaultyMessage {
            from: names.process(&id.from.to_string())?,
            to: process,
            number: id.number,
            to_all,
        };
        let addressed = to_all || id.to.to_string() == names.of(process);
        addressed.then_some(Self::Message(fault, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_read_from_the_event_that_it_writes() {
        let names = Names::numbered(3);
        let [p1, p2] = [ProcessId(0), ProcessId(1)];
        for to_all in [false, true] {
            for fault in [
                MessageFault::Lost,
                MessageFault::Duplicated,
                MessageFault::Reordered,
            ] {
                let message = FaultyMessage {
                    from: p1,
                    to: p2,
                    number: 7,
                    to_all,
                };
                let fault = Fault::Message(fault, message);
                let event = fault.event(&names, Carrier::Memory);
                assert_eq!(Fault::of(&event, p2, &names), Some(fault));
                // It stands in the log of the receiver.
                let elsewhere = Fault::of(&event, ProcessId(2), &names);
                assert_eq!(elsewhere.is_some(), to_all);
                let other = Event::new(Kind::Local);
                assert_eq!(Fault::of(&other, p2, &names), None);
            }
        }
        let crash = Fault::Crashed(p2);
        let event = crash.event(&names, Carrier::Memory);
        assert_eq!(Fault::of(&event, p2, &names), Some(crash));
    }
}
