//! The event logs of any set of programs as one distributed computation: read, merged, verified, drawn.
//!
//! | module | job |
//! | --- | --- |
//! | [`sources`], [`blocks`] | files, folders, gzip; their lines, read by several threads |
//! | [`lines`], [`layouts`] | a line of the event log, version 1; logs with vector clocks (ShiViz, GoVector, a regular expression) |
//! | `block`, `log` | what is read of a file; the log of one process |
//! | [`merge`], `dedup`, `sequence` | which process each event is of, and in which order |
//! | [`matching`], [`vectors`] | which send each receive is of: by identity, and by the vector clocks that logs carry |
//! | [`order`] | happened-before: an order of all events, cycles, Lamport and vector timestamps |
//! | [`executions`], [`runs`] | which processes belong together; the runs of algorithms that the logs hold |
//! | [`verify`], [`traffic`], [`skew`] | what must hold; the fate of the messages; wall clocks that disagree |
//! | [`findings`] | what was found wrong, and where |
//! | [`computation`] | all of it together |
//! | [`words`], [`connections`] | an event in words; from when to when a client was served |
//! | [`terminal`], [`svg`], [`page`], [`exports`] | the pictures, and the files for other tools |
//! | [`command`], [`args`] | the command, and its options |

pub mod args;
mod block;
pub mod blocks;
pub mod command;
pub mod computation;
pub mod connections;
mod dedup;
pub mod executions;
pub mod exports;
pub mod findings;
pub mod layouts;
pub mod lines;
mod log;
pub mod matching;
pub mod merge;
pub mod order;
pub mod page;
pub mod runs;
mod sequence;
pub mod skew;
pub mod sources;
pub mod svg;
pub mod terminal;
pub mod traffic;
pub mod vectors;
pub mod verify;
pub mod words;

use std::{net::SocketAddr, ops::Range};

use common::event::{Kind, Level};

use findings::Findings;

/// The number of an event in [`Trace::events`].
pub type EventId = usize;

/// No event, no message, no text.
pub(crate) const NONE: u32 = u32::MAX;

/// A distributed computation, as its processes logged it.
#[derive(Debug, Default)]
pub struct Trace {
    /// The files, as they are shown.
    pub files: Vec<String>,
    /// The processes, by name; each has the events of a range.
    pub processes: Vec<Process>,
    /// Their threads.
    pub threads: Vec<Thread>,
    /// The events of each process in its order, one process after the other.
    pub events: Vec<Event>,
    /// What identifies messages.
    pub messages: Vec<Message>,
    /// Who sends and receives them.
    pub parties: Vec<String>,
    /// The vector clocks that the log of another tool carries.
    pub carried: Vec<LoggedVector>,
    /// The text that the events were read from.
    pub(crate) texts: Vec<String>,
    /// What is wrong with it.
    pub findings: Findings,
}

/// A sequential process (Lamport 1978): its events have an order.
#[derive(Debug)]
pub struct Process {
    /// Its name, of which there is no other.
    pub name: String,
    /// The run that it was of.
    pub run: String,
    /// The name that it has in its log.
    pub node: String,
    /// Its events.
    pub events: Range<EventId>,
    /// Whether it ended as a program does that was not killed.
    pub stopped: bool,
    /// Whether it did not tell of every datagram.
    pub suppressed: bool,
    /// Whether events are missing in its log.
    pub gaps: bool,
    /// Whether its log carries vector clocks.
    pub vectors: bool,
    /// Whether its log carries logical clocks: then no others are computed for it.
    pub clocks: bool,
    /// The algorithm that it runs, as its log says.
    pub algorithm: Option<String>,
}

/// A thread of a process.
#[derive(Debug)]
pub struct Thread {
    /// Whose it is.
    pub process: u32,
    /// Its name.
    pub name: String,
}

/// Where an event stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// The file, by its number.
    pub file: u32,
    /// The line, from 1.
    pub line: u32,
}

/// Where a text stands in [`Trace::texts`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    pub(crate) block: u32,
    pub(crate) start: u32,
    pub(crate) length: u32,
}

/// What an event says of an algorithm.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Claim {
    /// Nothing.
    #[default]
    None,
    /// It is a communication or a step of one.
    Step,
    /// It asks for, enters or exits the critical section, multicasts or delivers: something that properties are about.
    Property,
}

/// One event of a process.
#[derive(Clone, Debug)]
pub struct Event {
    /// Whose it is.
    pub process: u32,
    /// On which thread it happened.
    pub thread: u32,
    /// Where it was read.
    pub place: Place,
    /// Its number in its log; where a log carries vector clocks, the process's own entry.
    pub number: u64,
    /// When it happened by the machine's clock, in microseconds since 1970.
    pub time: Option<i64>,
    /// What kind of event it is.
    pub kind: Kind,
    /// How much it matters.
    pub level: Level,
    /// The logical clock that its process carried.
    pub clock: Option<u64>,
    /// Whether events of its process were suppressed by a rate limit.
    pub suppressed: bool,
    /// What it says of an algorithm.
    pub claim: Claim,
    /// Its process's own entry in its vector timestamp: how many events of the computation the process has had.
    pub(crate) entry: u32,
    /// The message, by its number in [`Trace::messages`].
    message: u32,
    /// The vector clock, by its number in [`Trace::carried`].
    carried: u32,
    pub(crate) text: Text,
}

impl Event {
    /// The message that was sent or received.
    pub fn message(&self) -> Option<usize> {
        (self.message != NONE).then_some(self.message as usize)
    }

    /// The vector clock that the log carries.
    pub fn carried(&self) -> Option<usize> {
        (self.carried != NONE).then_some(self.carried as usize)
    }
}

/// What identifies a message, taken apart.
#[derive(Clone, Debug)]
pub struct Message {
    /// Who sent it, by the number in [`Trace::parties`].
    pub from: u32,
    /// Where it was sent to.
    pub to: u32,
    /// Its number there.
    pub number: u64,
    /// Whether it went over a connection, which has one receiver.
    pub stream: bool,
    /// Whether it went through the memory of one program.
    pub within: bool,
}

/// A vector clock (Fidge 1988, Mattern 1989) as a log has it.
#[derive(Clone, Debug, Default)]
pub struct LoggedVector {
    /// How many events of which process are known.
    pub entries: Vec<(u32, u64)>,
    /// The same of processes that have no events here.
    pub unknown: Vec<(String, u64)>,
}

impl Trace {
    /// Where an event stands, `FILE:LINE`.
    pub fn place(&self, place: Place) -> String {
        format!("{}:{}", self.files[place.file as usize], place.line)
    }

    /// Where this event stands.
    pub fn place_of(&self, event: EventId) -> String {
        self.place(self.events[event].place)
    }

    /// The process that it is an event of.
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

    /// Whether a party is called by a name, and not by an address: such a one counts all that it sends.
    pub fn has_name(&self, party: u32) -> bool {
        self.parties[party as usize].parse::<SocketAddr>().is_err()
    }

    /// Whether both are sends of one message, to several addresses.
    pub fn same_message(&self, a: EventId, b: EventId) -> bool {
        let sent = |event: EventId| {
            let event = &self.events[event];
            let message = &self.messages[event.message()?];
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
        // Its log may begin late, or have gaps.
        let events = &self.events[process.events.clone()];
        events.partition_point(|event| event.entry <= entry) as u64
    }

    /// What stands in the log.
    pub(crate) fn text(&self, text: Text) -> &str {
        let block = &self.texts[text.block as usize];
        &block[text.start as usize..(text.start + text.length) as usize]
    }
}
