//! Mutual exclusion by permission (Ricart & Agrawala 1981, "An Optimal Algorithm for Mutual Exclusion in Computer
//! Networks"): a reply is a permission, and a process whose own request has the smaller timestamp defers its reply until
//! it has exited.

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
pub struct RicartAgrawala {
    me: ProcessId,
    processes: usize,
    bug: Option<Bug>,
    /// This process's state with respect to the critical section.
    state: CriticalSection,
    /// The processes whose replies to this process's request are missing.
    awaited: BTreeSet<ProcessId>,
    /// The processes to which this process defers its reply.
    deferred: BTreeSet<ProcessId>,
}

/// The algorithm's messages. A request's timestamp is its message's.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// The sender requests the critical section.
    Request,
    /// The sender permits the receiver to enter.
    Reply,
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Reply => "reply",
        }
    }
}

impl RicartAgrawala {
    /// Whether this process's request precedes the other.
    fn precedes(&self, other: Timestamp) -> bool {
        match self.state {
            CriticalSection::Outside => false,
            CriticalSection::Inside(_) => true,
            CriticalSection::Waiting(request) if self.bug == Some(Bug::NoTieBreak) => {
                request.time < other.time
            }
            CriticalSection::Waiting(request) => request < other,
        }
    }

    fn enter_if_granted(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        if self.awaited.is_empty() {
            self.state.enter(out)?;
        }
        Ok(())
    }
}

impl CriticalSectionUser for RicartAgrawala {
    type Message = Payload;

    fn critical_section(&self) -> CriticalSection {
        self.state
    }

    fn request(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let request = out.send_as(Meaning::Request, To::All, Payload::Request)?;
        self.state = CriticalSection::Waiting(request);
        if self.bug != Some(Bug::NoAcknowledgement) {
            self.awaited = self.me.others(self.processes).collect();
        }
        self.enter_if_granted(out)
    }

    fn release(
        &mut self,
        request: Timestamp,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        self.state = CriticalSection::Outside;
        out.local(Meaning::Exit(request))?;
        for process in std::mem::take(&mut self.deferred) {
            out.send(To::One(process), Payload::Reply)?;
        }
        out.set_timer(TimerKind::Think);
        Ok(())
    }
}

impl Process for RicartAgrawala {
    type Message = Payload;
    type Settings = Option<Bug>;

    fn new(me: ProcessId, processes: usize, bug: &Option<Bug>) -> Self {
        Self {
            me,
            processes,
            bug: *bug,
            state: CriticalSection::Outside,
            awaited: BTreeSet::new(),
            deferred: BTreeSet::new(),
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
        match message.content {
            Payload::Request => {
                let request = message.stamp(from);
                if self.precedes(request) {
                    self.deferred.insert(from);
                } else {
                    out.send(To::One(from), Payload::Reply)?;
                }
            }
            Payload::Reply => {
                self.awaited.remove(&from);
                self.enter_if_granted(out)?;
            }
        }
        Ok(())
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
        let request = self.state.words().map(|(request, state)| {
            let name = names.of(self.me);
            format!("{name}: request of {}, {state}", request.time)
        });
        let awaited = self.awaited.iter();
        let awaited = awaited.map(|process| format!("{}: reply missing", names.of(*process)));
        let deferred = self.deferred.iter();
        let deferred = deferred.map(|process| format!("{}: reply deferred", names.of(*process)));
        request.into_iter().chain(awaited).chain(deferred).collect()
    }
}

/// All that a process compares is its own request with the others' requests.
impl Relevance for RicartAgrawala {
    fn forget(&mut self) {
        self.state.forget();
    }

    fn forget_in_flight(&self, from: ProcessId, message: &mut Stamped<Payload>) {
        message.time = match (message.content, self.state) {
            (Payload::Request, CriticalSection::Waiting(request)) => {
                relation(message.time, from, request)
            }
            _ => 0,
        };
    }

    fn times(&mut self, visit: Visit<'_>) {
        self.state.times(visit);
    }

    fn commutes(
        &self,
        from: ProcessId,
        message: &Stamped<Payload>,
        may_start: MayStart<'_>,
    ) -> bool {
        match (message.content, self.state) {
            (Payload::Reply, _) => true,
            // It does not enter before the sender's reply, which is behind this message.
            (Payload::Request, CriticalSection::Waiting(_)) => self.awaited.contains(&from),
            (Payload::Request, _) => !may_start(self.me),
        }
    }
}
