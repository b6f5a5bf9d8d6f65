//! Mutual exclusion by a coordinator (van Steen & Tanenbaum, Distributed Systems, "A centralized algorithm"): the first
//! process grants the critical section to one of the others at a time, in the order in which their requests arrive.

use std::collections::VecDeque;

use common::process::{
    Command, Meaning, Message, Outbox, Process, Refusal, Stamped, TimerKind, To,
    check::relevance::{MayStart, Relevance},
    clock::{Overflow, Timestamp},
    ids::{Names, ProcessId},
};
use serde::{Deserialize, Serialize};

use super::critical_section::{CriticalSection, CriticalSectionUser};
use crate::bug::{self, Bug};

/// The coordinator.
pub const COORDINATOR: ProcessId = ProcessId(0);

/// The coordinator, or a process that repeatedly requests the critical section.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Central {
    me: ProcessId,
    bug: Option<Bug>,
    /// This process's state with respect to the critical section.
    state: CriticalSection,
    /// The coordinator's queue of requests; the first one is granted.
    queue: VecDeque<ProcessId>,
}

/// The algorithm's messages.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// The sender requests the critical section.
    Request,
    /// The receiver may enter.
    Grant,
    /// The sender has exited the critical section.
    Release,
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Grant => "grant",
            Self::Release => "release",
        }
    }
}

impl CriticalSectionUser for Central {
    type Message = Payload;

    fn critical_section(&self) -> CriticalSection {
        self.state
    }

    fn request(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let request = out.send_as(Meaning::Request, To::One(COORDINATOR), Payload::Request)?;
        self.state = CriticalSection::Waiting(request);
        if self.bug == Some(Bug::NoAcknowledgement) {
            self.state.enter(out)?;
        }
        Ok(())
    }

    fn release(
        &mut self,
        request: Timestamp,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        self.state = CriticalSection::Outside;
        out.send_as(
            Meaning::Exit(request),
            To::One(COORDINATOR),
            Payload::Release,
        )?;
        out.set_timer(TimerKind::Think);
        Ok(())
    }
}

impl Process for Central {
    type Message = Payload;
    type Settings = Option<Bug>;

    fn new(me: ProcessId, _: usize, bug: &Option<Bug>) -> Self {
        Self {
            me,
            bug: *bug,
            state: CriticalSection::Outside,
            queue: VecDeque::new(),
        }
    }

    fn advances_past_messages(bug: &Option<Bug>) -> bool {
        bug::advances(*bug)
    }

    fn start(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        if self.me != COORDINATOR {
            out.set_timer(TimerKind::Think);
        }
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
                // With the bug no-acknowledgement a process requests again while its first request is queued.
                if !self.queue.contains(&from) {
                    self.queue.push_back(from);
                    if self.queue.len() == 1 {
                        out.send(To::One(from), Payload::Grant)?;
                    }
                }
            }
            Payload::Release => {
                let first = self.queue.front().copied();
                self.queue.retain(|process| *process != from);
                if self.bug == Some(Bug::UnfairQueue) && first == Some(from) {
                    self.queue.make_contiguous().sort_unstable();
                }
                // A process that exits without a grant (the same bug) does not end the first one's turn.
                if let Some(next) = self.queue.front().copied()
                    && first == Some(from)
                {
                    out.send(To::One(next), Payload::Grant)?;
                }
            }
            Payload::Grant => self.state.enter(out)?,
        }
        Ok(())
    }

    fn timer(&mut self, kind: TimerKind, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.next(kind, out)
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Payload>) -> Result<(), Refusal> {
        match command {
            Command::Lock | Command::Unlock if self.me == COORDINATOR => Err(Refusal::Invalid(
                "the coordinator grants the critical section, and does not request it".into(),
            )),
            command => self.handle_command(command, out),
        }
    }

    fn idle(&self) -> bool {
        self.state == CriticalSection::Outside && self.queue.is_empty()
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        let request = self.state.words().map(|(request, state)| {
            let name = names.of(self.me);
            format!("{name}: request of {}, {state}", request.time)
        });
        let queue = self.queue.iter().enumerate();
        let queue = queue.map(|(place, process)| match place {
            0 => format!("{}: granted", names.of(*process)),
            _ => format!("{}: queued", names.of(*process)),
        });
        request.into_iter().chain(queue).collect()
    }
}

/// No process compares times.
impl Relevance for Central {
    fn forget(&mut self) {
        self.state.forget_times();
    }

    fn commutes(&self, _: ProcessId, message: &Stamped<Payload>, _: MayStart<'_>) -> bool {
        match message.content {
            // The coordinator queues requests in the order of their arrival.
            Payload::Request => false,
            Payload::Grant => true,
            // With a bug a process exits that the coordinator has not granted its request, or the next one depends on which
            // requests have arrived.
            Payload::Release => self.bug.is_none(),
        }
    }
}
