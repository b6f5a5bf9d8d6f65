//! Mutual exclusion by a coordinator (van Steen & Tanenbaum, Distributed Systems, "A centralized algorithm"): the first
//! process grants the critical section to one of the others at a time, in the order in which they asked it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{
    Bug,
    visit::{Visit, Visitor},
};
use crate::{
    clock::{Overflow, Timestamp},
    process::{
        Command, Deed, Message, Names, Outbox, Pause, Process, ProcessId, Refusal, Stamped, To,
    },
};

/// Who grants.
pub const COORDINATOR: ProcessId = ProcessId(0);

/// The coordinator, or a process that now and then needs the critical section.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Central {
    me: ProcessId,
    bug: Option<Bug>,
    /// One's own way through the critical section.
    own: Visit,
    /// The coordinator's queue of those who asked; the first has it.
    queue: VecDeque<ProcessId>,
}

/// What the processes and their coordinator say to each other.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Said {
    /// I want it.
    Request,
    /// You have it.
    Grant,
    /// I have left it.
    Release,
}

impl Message for Said {
    fn word(&self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Grant => "grant",
            Self::Release => "release",
        }
    }
}

impl Visitor for Central {
    type Message = Said;

    fn visit(&self) -> Visit {
        self.own
    }

    fn request(&mut self, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        let request = out.send_as(Deed::Request, To::One(COORDINATOR), Said::Request)?;
        self.own = Visit::Waits(request);
        if self.bug == Some(Bug::NoAcknowledgement) {
            self.own.enter(out)?;
        }
        Ok(())
    }

    fn release(&mut self, own: Timestamp, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        self.own = Visit::Outside;
        out.send_as(Deed::Leave(own), To::One(COORDINATOR), Said::Release)?;
        out.pause(Pause::Think);
        Ok(())
    }
}

impl Process for Central {
    type Message = Said;

    fn new(me: ProcessId, _: usize, bug: Option<Bug>) -> Self {
        Self {
            me,
            bug,
            own: Visit::Outside,
            queue: VecDeque::new(),
        }
    }

    fn start(&mut self, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        if self.me != COORDINATOR {
            out.pause(Pause::Think);
        }
        Ok(())
    }

    fn receive(
        &mut self,
        from: ProcessId,
        message: Stamped<Said>,
        out: &mut Outbox<'_, Said>,
    ) -> Result<(), Overflow> {
        match message.content {
            Said::Request => {
                // One that has asked already had not waited for its grant.
                if !self.queue.contains(&from) {
                    self.queue.push_back(from);
                    if self.queue.len() == 1 {
                        out.send(To::One(from), Said::Grant)?;
                    }
                }
            }
            Said::Release => {
                let first = self.queue.front().copied();
                self.queue.retain(|process| *process != from);
                // Whoever left without having been first had not waited for the grant: nothing changes for the first.
                if let Some(next) = self.queue.front().copied()
                    && first == Some(from)
                {
                    out.send(To::One(next), Said::Grant)?;
                }
            }
            Said::Grant => self.own.enter(out)?,
        }
        Ok(())
    }

    fn timer(&mut self, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        self.next(out)
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Said>) -> Result<(), Refusal> {
        match command {
            Command::Lock | Command::Unlock if self.me == COORDINATOR => {
                Err(Refusal::No("it is the coordinator, and only grants".into()))
            }
            command => self.obey(command, out),
        }
    }

    fn idle(&self) -> bool {
        self.own == Visit::Outside && self.queue.is_empty()
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        let own = self
            .own
            .words()
            .map(|(own, words)| format!("{} asked at {}, {words}", names.of(self.me), own.time));
        let asked = self.queue.iter().enumerate();
        let asked = asked.map(|(place, process)| match place {
            0 => format!("{} has the critical section", names.of(*process)),
            _ => format!("{} has asked for it", names.of(*process)),
        });
        own.into_iter().chain(asked).collect()
    }
}
