//! Mutual exclusion without a coordinator (Lamport 1978, "Time, Clocks, and the Ordering of Events in a Distributed
//! System"): every process keeps the queue of all requests, in the order of their timestamps.
//!
//! Rules 1 to 5 are the paper's. They need channels that lose nothing and keep the order of what one process sends to
//! another.

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
pub struct Mutex {
    me: ProcessId,
    bug: Option<Bug>,
    /// All requests that are not released yet, one's own too.
    queue: BTreeSet<Timestamp>,
    /// The time of the latest message from each process.
    heard: Vec<u64>,
    /// One's own way through the critical section.
    own: Visit,
}

/// What the processes say to each other. The request's timestamp is the message's.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Said {
    /// I want it.
    Request,
    /// I know that you want it.
    Acknowledgement,
    /// I have left it.
    Release,
}

impl Message for Said {
    fn word(&self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Acknowledgement => "acknowledgement",
            Self::Release => "release",
        }
    }
}

impl Mutex {
    /// Rule 5: granted when it comes before every other request, and everybody has been heard of since.
    fn granted(&self, own: Timestamp) -> bool {
        let first = self.queue.iter().all(|other| match self.bug {
            Some(Bug::NoTieBreak) => own.time <= other.time,
            _ => own <= *other,
        });
        let mut heard = self.me.others(self.heard.len()).map(|process| Timestamp {
            time: self.heard[process.index()],
            process,
        });
        first && (self.bug == Some(Bug::NoAcknowledgement) || heard.all(|heard| heard > own))
    }

    fn enter_if_granted(&mut self, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        match self.own {
            Visit::Waits(own) if self.granted(own) => self.own.enter(out),
            _ => Ok(()),
        }
    }
}

impl Visitor for Mutex {
    type Message = Said;

    fn visit(&self) -> Visit {
        self.own
    }

    /// Rule 1: the request goes to everybody, and on one's own queue.
    fn request(&mut self, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        let request = out.send_as(Deed::Request, To::All, Said::Request)?;
        self.queue.insert(request);
        self.own = Visit::Waits(request);
        self.enter_if_granted(out)
    }

    /// Rule 3: off one's own queue, and everybody is told.
    fn release(&mut self, own: Timestamp, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        self.own = Visit::Outside;
        self.queue.remove(&own);
        out.send_as(Deed::Leave(own), To::All, Said::Release)?;
        out.pause(Pause::Think);
        Ok(())
    }
}

impl Process for Mutex {
    type Message = Said;

    fn new(me: ProcessId, processes: usize, bug: Option<Bug>) -> Self {
        Self {
            me,
            bug,
            queue: BTreeSet::new(),
            heard: vec![0; processes],
            own: Visit::Outside,
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
        self.heard[from.index()] = message.time;
        match message.content {
            // Rule 2.
            Said::Request => {
                self.queue.insert(message.stamp(from));
                out.send(To::One(from), Said::Acknowledgement)?;
            }
            Said::Acknowledgement => {}
            // Rule 4.
            Said::Release => self.queue.retain(|request| request.process != from),
        }
        self.enter_if_granted(out)
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
        let state = |request: &Timestamp| match self.own.words() {
            Some((own, words)) if own == *request => format!(", {words}"),
            _ => String::new(),
        };
        let requests = self.queue.iter();
        requests
            .map(|request| {
                let process = names.of(request.process);
                format!("{process} asked at {}{}", request.time, state(request))
            })
            .collect()
    }
}
