//! Mutual exclusion by a coordinator (van Steen & Tanenbaum, Distributed Systems, "A centralized algorithm"): the first
//! process grants the critical section to one of the others at a time, in the order in which they asked it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Bug, mutex::not_now};
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
    /// One's own request, and whether it is granted.
    own: Option<(Timestamp, bool)>,
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

impl Central {
    fn request(&mut self, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        let request = out.send_as(Deed::Request, To::One(COORDINATOR), Said::Request)?;
        self.own = Some((request, false));
        if self.bug == Some(Bug::NoAcknowledgement) {
            self.enter(out)?;
        }
        Ok(())
    }

    fn enter(&mut self, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        if let Some((own, false)) = self.own {
            self.own = Some((own, true));
            out.local(Deed::Enter(own))?;
            out.pause(Pause::Work);
        }
        Ok(())
    }

    fn release(&mut self, own: Timestamp, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        self.own = None;
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
            own: None,
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
                self.queue.push_back(from);
                if self.queue.len() == 1 {
                    out.send(To::One(from), Said::Grant)?;
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
            Said::Grant => self.enter(out)?,
        }
        Ok(())
    }

    fn timer(&mut self, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        match self.own {
            None => self.request(out),
            Some((own, true)) => self.release(own, out),
            Some((_, false)) => Ok(()),
        }
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Said>) -> Result<(), Refusal> {
        match (command, self.own) {
            (Command::Lock | Command::Unlock, _) if self.me == COORDINATOR => {
                Err(Refusal::No("it is the coordinator, and only grants".into()))
            }
            (Command::Lock, None) => Ok(self.request(out)?),
            (Command::Unlock, Some((own, true))) => Ok(self.release(own, out)?),
            (Command::Lock | Command::Unlock, own) => Err(not_now(own.map(|own| own.1))),
            _ => Err(Refusal::Unknown),
        }
    }

    fn idle(&self) -> bool {
        self.own.is_none() && self.queue.is_empty()
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        let own = self.own.map(|(own, granted)| {
            let state = if granted {
                "is in the critical section"
            } else {
                "waits for the coordinator"
            };
            format!("{} asked at {}, {state}", names.of(self.me), own.time)
        });
        let asked = self.queue.iter().enumerate();
        let asked = asked.map(|(place, process)| match place {
            0 => format!("{} has the critical section", names.of(*process)),
            _ => format!("{} has asked for it", names.of(*process)),
        });
        own.into_iter().chain(asked).collect()
    }
}
