//! The data of `trace`: a distributed computation, as its processes logged it.

use std::{net::SocketAddr, ops::Range};

use common::event::{Kind, Level};

use super::findings::Findings;

/// The number of an event in [`Trace::events`].
pub type EventId = usize;

/// No event, no message, no text.
pub(crate) const NONE: u32 = u32::MAX;

/// A distributed computation, as its processes logged it.
#[derive(Debug, Default)]
pub struct Trace {
    /// The names of the files, safe to print.
    pub files: Vec<String>,
    /// The processes, sorted by name; the events of each are a range of `events`.
    pub processes: Vec<Process>,
    /// Their threads.
    pub threads: Vec<Thread>,
    /// The events, process by process, in the order of each process.
    pub events: Vec<Event>,
    /// The channels of the messages.
    pub channels: Vec<Channel>,
    /// The senders and receivers of messages.
    pub parties: Vec<String>,
    /// The vector clocks in logs of other tools.
    pub carried: Vec<LoggedVector>,
    /// The text that the events were read from.
    pub(crate) texts: Vec<String>,
    /// The violations and warnings.
    pub findings: Findings,
}

/// A process: a sequence of events (Lamport 1978).
#[derive(Debug)]
pub struct Process {
    /// Its name, unique in the trace.
    pub name: String,
    /// The run.
    pub run: String,
    /// Its name in the log.
    pub node: String,
    /// Its events.
    pub events: Range<EventId>,
    /// Whether it ended by itself: a process that was killed logs no `stop`.
    pub stopped: bool,
    /// Whether a rate limit suppressed some of its events.
    pub suppressed: bool,
    /// Whether events are missing in its log.
    pub gaps: bool,
    /// Whether its log carries vector clocks.
    pub vectors: bool,
    /// Whether its log carries logical clocks: then none are computed.
    pub clocks: bool,
    /// The algorithm that its log claims.
    pub algorithm: Option<String>,
}

/// A thread of a process.
#[derive(Debug)]
pub struct Thread {
    /// The process.
    pub process: u32,
    /// Its name.
    pub name: String,
}

/// The place of an event in the logs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// The index of the file.
    pub file: u32,
    /// The line, from 1.
    pub line: u32,
}

/// A range of [`Trace::texts`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    pub(crate) block: u32,
    pub(crate) start: u32,
    pub(crate) length: u32,
}

/// What an event claims about an algorithm.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Claim {
    /// Nothing.
    #[default]
    None,
    /// It is a message or a local event of the algorithm.
    Step,
    /// It requests, enters or exits the critical section, multicasts or delivers: properties are defined on these events.
    Property,
}

/// One event of a process.
#[derive(Clone, Debug)]
pub struct Event {
    /// The process.
    pub process: u32,
    /// The thread.
    pub thread: u32,
    /// Its place in the logs.
    pub place: Place,
    /// Its `seq`; in a log with vector clocks the process's own entry.
    pub number: u64,
    /// The wall-clock time, in microseconds since 1970.
    pub time: Option<i64>,
    /// The kind of event.
    pub kind: Kind,
    /// The level.
    pub level: Level,
    /// The logical clock in the log.
    pub clock: Option<u64>,
    /// Whether it reports that a rate limit suppressed events, or as an error that events before it could not be written.
    pub suppressed: bool,
    /// What it claims about an algorithm.
    pub claim: Claim,
    /// The process's own entry in the event's vector timestamp: the number of its events of the computation so far.
    pub(crate) entry: u32,
    /// The index of the message's channel in [`Trace::channels`].
    pub(super) channel: u32,
    /// The message's number in its channel.
    pub(super) message_number: u64,
    /// The index of the vector clock in [`Trace::carried`].
    pub(super) carried: u32,
    pub(crate) text: Text,
}

impl Event {
    /// What identifies the message that is sent or received: its channel, and its number there.
    pub fn message(&self) -> Option<(usize, u64)> {
        (self.channel != NONE).then_some((self.channel as usize, self.message_number))
    }

    /// The vector clock in the log.
    pub fn carried(&self) -> Option<usize> {
        (self.carried != NONE).then_some(self.carried as usize)
    }
}

/// What the messages from a sender to a receiver have in common.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Channel {
    /// The sender, by its index in [`Trace::parties`].
    pub from: u32,
    /// The receiver.
    pub to: u32,
    /// Whether its sender numbers its messages.
    pub is_numbered: bool,
    /// Whether they were sent over a connection, which has one receiver.
    pub stream: bool,
    /// Whether they were sent through the memory of one program.
    pub within: bool,
}

/// A message, by its identity.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Message {
    /// The sender, by its index in [`Trace::parties`].
    pub from: u32,
    /// The receiver.
    pub to: u32,
    /// Its number from this sender to this receiver; 0 where its sender does not number its messages.
    pub number: u64,
    /// As in [`Channel`].
    pub is_numbered: bool,
    /// As in [`Channel`].
    pub stream: bool,
}

/// A vector clock (Fidge 1988, Mattern 1989) in a log.
#[derive(Clone, Debug, Default)]
pub struct LoggedVector {
    /// The entries: processes, and how many of their events happened before.
    pub entries: Vec<(u32, u64)>,
    /// The entries of processes that have no events in the logs.
    pub unknown: Vec<(String, u64)>,
}

impl Trace {
    /// A place as `FILE:LINE`.
    pub fn place(&self, place: Place) -> String {
        format!("{}:{}", self.files[place.file as usize], place.line)
    }

    /// The place of an event as `FILE:LINE`.
    pub fn place_of(&self, event: EventId) -> String {
        self.place(self.events[event].place)
    }

    /// The message that an event sends or receives.
    pub fn message(&self, event: &Event) -> Option<Message> {
        let (channel, number) = event.message()?;
        let channel = self.channels[channel];
        Some(Message {
            from: channel.from,
            to: channel.to,
            number: if channel.is_numbered { number } else { 0 },
            is_numbered: channel.is_numbered,
            stream: channel.stream,
        })
    }

    /// The process of an event.
    pub fn process_of(&self, event: EventId) -> &Process {
        &self.processes[self.events[event].process as usize]
    }

    /// The event before it in its process.
    pub fn before(&self, event: EventId) -> Option<EventId> {
        (event > self.process_of(event).events.start).then(|| event - 1)
    }

    /// The event after it in its process.
    pub fn after(&self, event: EventId) -> Option<EventId> {
        let next = event + 1;
        (next < self.process_of(event).events.end).then_some(next)
    }

    /// Whether a party is identified by a name, not by an address: then it numbers all messages that it sends.
    pub fn has_name(&self, party: u32) -> bool {
        self.parties[party as usize].parse::<SocketAddr>().is_err()
    }

    /// Whether both events are sends of one message, to several addresses.
    pub fn same_message(&self, a: EventId, b: EventId) -> bool {
        let sent = |event: EventId| {
            let event = &self.events[event];
            let message = self.message(event)?;
            (event.kind == Kind::Send).then_some((event.process, message.from, message.number))
        };
        sent(a).is_some() && sent(a) == sent(b)
    }

    /// The process's own entry in the event's vector timestamp.
    pub fn own_entry(&self, event: EventId) -> u32 {
        self.events[event].entry
    }

    /// How many events of a process have at most this own entry.
    pub fn known_events(&self, process: usize, entry: u32) -> u64 {
        let process = &self.processes[process];
        if !process.vectors {
            return entry.into();
        }
        // Its log may start late, or have gaps.
        let events = &self.events[process.events.clone()];
        events.partition_point(|event| event.entry <= entry) as u64
    }

    /// A text of the logs.
    pub(crate) fn text(&self, text: Text) -> &str {
        let block = &self.texts[text.block as usize];
        &block[text.start as usize..(text.start + text.length) as usize]
    }
}
