//! Mutual exclusion by permission (Ricart & Agrawala 1981, "An Optimal Algorithm for Mutual Exclusion in Computer
//! Networks"): a reply is permission, and whoever wants the critical section itself, and earlier, keeps it back until it
//! has left.

use std::collections::BTreeSet;

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

/// A process that now and then needs the critical section.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct RicartAgrawala {
    me: ProcessId,
    processes: usize,
    bug: Option<Bug>,
    /// One's own way through the critical section.
    own: Visit,
    /// Who has not replied to it.
    awaited: BTreeSet<ProcessId>,
    /// Whose reply is kept back.
    deferred: BTreeSet<ProcessId>,
}

/// What the processes say to each other. The request's timestamp is the message's.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Said {
    /// I want it.
    Request,
    /// You may, as far as I am concerned.
    Reply,
}

impl Message for Said {
    fn word(&self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Reply => "reply",
        }
    }
}

impl RicartAgrawala {
    /// Whether one's own request goes before the other.
    fn goes_before(&self, other: Timestamp) -> bool {
        match self.own {
            Visit::Outside => false,
            Visit::Inside(_) => true,
            Visit::Waits(own) if self.bug == Some(Bug::NoTieBreak) => own.time < other.time,
            Visit::Waits(own) => own < other,
        }
    }

    fn enter_if_granted(&mut self, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        if self.awaited.is_empty() {
            self.own.enter(out)?;
        }
        Ok(())
    }
}

impl Visitor for RicartAgrawala {
    type Message = Said;

    fn visit(&self) -> Visit {
        self.own
    }

    fn request(&mut self, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        let request = out.send_as(Deed::Request, To::All, Said::Request)?;
        self.own = Visit::Waits(request);
        if self.bug != Some(Bug::NoAcknowledgement) {
            self.awaited = self.me.others(self.processes).collect();
        }
        self.enter_if_granted(out)
    }

    fn release(&mut self, own: Timestamp, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        self.own = Visit::Outside;
        out.local(Deed::Leave(own))?;
        for process in std::mem::take(&mut self.deferred) {
            out.send(To::One(process), Said::Reply)?;
        }
        out.pause(Pause::Think);
        Ok(())
    }
}

impl Process for RicartAgrawala {
    type Message = Said;

    fn new(me: ProcessId, processes: usize, bug: Option<Bug>) -> Self {
        Self {
            me,
            processes,
            bug,
            own: Visit::Outside,
            awaited: BTreeSet::new(),
            deferred: BTreeSet::new(),
        }
    }

    fn start(&mut self, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        out.pause(Pause::Think);
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
                let request = message.stamp(from);
                if self.goes_before(request) {
                    self.deferred.insert(from);
                } else {
                    out.send(To::One(from), Said::Reply)?;
                }
            }
            Said::Reply => {
                self.awaited.remove(&from);
                self.enter_if_granted(out)?;
            }
        }
        Ok(())
    }

    fn timer(&mut self, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        self.next(out)
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Said>) -> Result<(), Refusal> {
        self.obey(command, out)
    }

    fn idle(&self) -> bool {
        self.own == Visit::Outside
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        let own = self
            .own
            .words()
            .map(|(own, words)| format!("{} asked at {}, {words}", names.of(self.me), own.time));
        let awaited = self.awaited.iter();
        let awaited = awaited.map(|process| format!("{} has not replied yet", names.of(*process)));
        let deferred = self.deferred.iter();
        let deferred = deferred.map(|process| format!("{} gets a reply later", names.of(*process)));
        own.into_iter().chain(awaited).chain(deferred).collect()
    }
}
