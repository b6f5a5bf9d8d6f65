//! Mutual exclusion without a coordinator (Lamport 1978, "Time, Clocks, and the Ordering of Events in a Distributed
//! System"): every process keeps a queue of all requests, in timestamp order.
//!
//! Rules 1 to 5 are the paper's. They require reliable FIFO channels.

use std::collections::BTreeSet;

use common::process::{
    Command, Meaning, Message, Outbox, Process, Refusal, Stamped, TimerKind, To,
    check::relevance::{MayStart, Relevance, Visit, relation},
    clock::{Overflow, Timestamp},
    ids::{Names, ProcessId},
};
use serde::{Deserialize, Serialize};

use super::critical_section::{CriticalSection, CriticalSectionUser};
use crate::bug::{self, Bug};

/// A process that repeatedly requests the critical section.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Mutex {
    me: ProcessId,
    bug: Option<Bug>,
    /// All requests that are not released, this process's included.
    queue: BTreeSet<Timestamp>,
    /// The time of the latest message from each process.
    heard: Vec<u64>,
    /// This process's state with respect to the critical section.
    state: CriticalSection,
}

/// The algorithm's messages. A request's timestamp is its message's.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// The sender requests the critical section.
    Request,
    /// The sender has received the request.
    Acknowledgement,
    /// The sender has exited the critical section.
    Release,
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Acknowledgement => "acknowledgement",
            Self::Release => "release",
        }
    }
}

impl Mutex {
    /// Rule 5: a request is granted when it precedes every other request in the queue, and a later message of every other
    /// process has arrived.
    fn granted(&self, request: Timestamp) -> bool {
        let first = self.queue.iter().all(|other| match self.bug {
            Some(Bug::NoTieBreak) => request.time <= other.time,
            Some(Bug::UnfairQueue) => request.process <= other.process,
            _ => request <= *other,
        });
        let mut heard = self.me.others(self.heard.len()).map(|process| Timestamp {
            time: self.heard[process.index()],
            process,
        });
        first && (self.bug == Some(Bug::NoAcknowledgement) || heard.all(|heard| heard > request))
    }

    fn enter_if_granted(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        match self.state {
            CriticalSection::Waiting(request) if self.granted(request) => self.state.enter(out),
            _ => Ok(()),
        }
    }
}

impl CriticalSectionUser for Mutex {
    type Message = Payload;

    fn critical_section(&self) -> CriticalSection {
        self.state
    }

    /// Rule 1: sends the request to all other processes, and puts it into the queue.
    fn request(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let request = out.send_as(Meaning::Request, To::All, Payload::Request)?;
        self.queue.insert(request);
        self.state = CriticalSection::Waiting(request);
        self.enter_if_granted(out)
    }

    /// Rule 3: removes the request from the queue, and sends the release to all other processes.
    fn release(
        &mut self,
        request: Timestamp,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        self.state = CriticalSection::Outside;
        self.queue.remove(&request);
        out.send_as(Meaning::Exit(request), To::All, Payload::Release)?;
        out.set_timer(TimerKind::Think);
        Ok(())
    }
}

impl Process for Mutex {
    type Message = Payload;
    type Settings = Option<Bug>;

    fn new(me: ProcessId, processes: usize, bug: &Option<Bug>) -> Self {
        Self {
            me,
            bug: *bug,
            queue: BTreeSet::new(),
            heard: vec![0; processes],
            state: CriticalSection::Outside,
        }
    }

    fn advances_past_messages(bug: &Option<Bug>) -> bool {
        bug::advances(*bug)
    }

    fn start(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        out.set_timer(TimerKind::Think);
        Ok(())
    }

    fn receive(
        &mut self,
        from: ProcessId,
        message: Stamped<Payload>,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        self.heard[from.index()] = message.time;
        match message.content {
            // Rule 2.
            Payload::Request => {
                self.queue.insert(message.stamp(from));
                out.send(To::One(from), Payload::Acknowledgement)?;
            }
            Payload::Acknowledgement => {}
            // Rule 4.
            Payload::Release => self.queue.retain(|request| request.process != from),
        }
        self.enter_if_granted(out)
    }

    fn timer(&mut self, kind: TimerKind, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.next(kind, out)
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Payload>) -> Result<(), Refusal> {
        self.handle_command(command, out)
    }

    fn idle(&self) -> bool {
        self.state == CriticalSection::Outside
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        let state = |request: &Timestamp| match self.state.words() {
            Some((this, words)) if this == *request => format!(", {words}"),
            _ => String::new(),
        };
        let requests = self.queue.iter();
        requests
            .map(|request| {
                let process = names.of(request.process);
                format!("{process}: request of {}{}", request.time, state(request))
            })
            .collect()
    }
}

/// All that a process compares is its own request with what it has from the others: their requests, and their latest messages.
impl Relevance for Mutex {
    fn forget(&mut self) {
        self.state.forget();
        let relation = |time: u64, process: ProcessId| match self.state {
            CriticalSection::Waiting(request) => relation(time, process, request),
            // The next request is later than everything from the others.
            _ => 0,
        };
        let queue = self.queue.iter().map(|other| match self.state {
            CriticalSection::Waiting(request) if request == *other => request,
            _ => Timestamp {
                time: relation(other.time, other.process),
                process: other.process,
            },
        });
        self.queue = queue.collect();
        let heard = self.heard.iter().zip(ProcessId::all(self.heard.len()));
        self.heard = heard
            .map(|(time, process)| {
                if process == self.me {
                    0
                } else {
                    relation(*time, process)
                }
            })
            .collect();
    }

    fn forget_in_flight(&self, from: ProcessId, message: &mut Stamped<Payload>) {
        message.time = match self.state {
            CriticalSection::Waiting(request) => relation(message.time, from, request),
            _ => 0,
        };
    }

    fn times(&mut self, visit: Visit<'_>) {
        if let CriticalSection::Waiting(before) = self.state {
            self.state.times(visit);
            if let CriticalSection::Waiting(request) = self.state {
                self.queue.remove(&before);
                self.queue.insert(request);
            }
        }
    }

    fn commutes(
        &self,
        from: ProcessId,
        message: &Stamped<Payload>,
        may_start: MayStart<'_>,
    ) -> bool {
        match (message.content, self.state) {
            // With the bug it enters without what the others still have to say.
            _ if self.bug == Some(Bug::NoAcknowledgement) => false,
            // With the bug a later request that arrives first goes before its own.
            _ if self.bug == Some(Bug::UnfairQueue) => false,
            (Payload::Acknowledgement | Payload::Release, _) => true,
            // The sender's next request could be earlier or later than the acknowledgement.
            (Payload::Request, _) if may_start(from) => false,
            (Payload::Request, CriticalSection::Outside) => !may_start(self.me),
            // It does not enter before it has received this message, so it does not exit.
            (Payload::Request, CriticalSection::Waiting(_)) => self.heard[from.index()] == 0,
            (Payload::Request, CriticalSection::Inside(_)) => false,
        }
    }
}
