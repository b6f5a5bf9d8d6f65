//! Leader election in a wireless network (Vasudevan, Kurose & Towsley, "Design and analysis of a leader election algorithm for
//! mobile ad hoc networks", 2004; van Steen & Tanenbaum, "Elections in wireless environments"): a process reaches its neighbours
//! only. The source of an election asks them, each takes the first that asks as its parent and asks the others, so that a **tree**
//! grows. When all have acknowledged, a process acknowledges to its parent, with the best of its subtree; the source announces it.
//!
//! The **term** of an election is the paper's computation index, as one number: each process has every N-th. Of two elections that
//! meet the one of the later term goes on. After the crash of a neighbour, of which the paper's probes tell, a new one starts.

mod failures;
mod knowledge;
mod message;
pub mod network;
mod place;
mod state;
mod words;

use common::process::{
    Command, Meaning, Outbox, Process, Refusal, Stamped, TimerKind, To,
    check::relevance::Relevance,
    clock::{Overflow, Timestamp},
    detector::{Detection, Suspected},
    ids::{Names, ProcessId},
};

use self::{place::Place, state::Election};
use super::election::ELECTING;
use crate::bug::Bug;

pub use self::message::Payload;

/// A process of the network.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Wireless {
    me: ProcessId,
    processes: usize,
    bug: Option<Bug>,
    capacity: u32,
    neighbours: Vec<ProcessId>,
    suspected: Suspected,
    /// The latest term that it knows of, and who leads in it, if it knows that.
    term: u64,
    leader: Option<ProcessId>,
    /// Its place in the tree of this term.
    place: Place,
    election: Option<Election>,
}

impl Wireless {
    /// Starts an election, in its next own term.
    fn elect(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        out.local(Meaning::Elect)?;
        self.join(self.next_term(), None, out)
    }

    /// Takes part in the election of this term, and asks its other neighbours.
    fn join(
        &mut self,
        term: u64,
        parent: Option<ProcessId>,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let awaited = self.reached(parent);
        (self.term, self.leader, self.place) = (term, None, Place::under(parent));
        if let Some(process) = parent {
            let time = term;
            out.local(Meaning::Parent(Timestamp { time, process }))?;
        }
        for neighbour in &awaited {
            out.send(To::One(*neighbour), Payload::Election(term))?;
        }
        self.election = Some(self.waits_for(awaited));
        self.go_on(out)
    }

    /// Acknowledges, or leads, when all neighbours that it has asked have acknowledged.
    fn go_on(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        match (&self.election, self.place.parent) {
            (Some(election), _) if !election.awaited.is_empty() => Ok(()),
            (Some(election), Some(parent)) => {
                let best = Payload::Acknowledgement(self.term, Some(election.best));
                out.send(To::One(parent), best).map(drop)
            }
            (Some(election), None) => self.agree(election.best.1, None, out),
            (None, _) => Ok(()),
        }
    }

    /// Takes this process as the leader of the present term, and tells its neighbours.
    fn agree(
        &mut self,
        leader: ProcessId,
        from: Option<ProcessId>,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        (self.leader, self.election) = (Some(leader), None);
        let (time, process) = (self.term, leader);
        out.local(Meaning::Leader(Timestamp { time, process }))?;
        for neighbour in self.reached(from) {
            out.send(To::One(neighbour), Payload::Leader(self.term, leader))?;
        }
        Ok(())
    }

    /// A neighbour takes part in the election of this term.
    fn asked(
        &mut self,
        (from, term): (ProcessId, u64),
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        if term > self.term {
            return self.join(term, Some(from), out);
        }
        match &self.election {
            _ if term < self.term || self.place.parent == Some(from) => Ok(()),
            Some(_) if self.bug == Some(Bug::LateParent) && self.place.parent.is_some() => {
                self.place.parent = Some(from);
                Ok(())
            }
            _ => out
                .send(To::One(from), Payload::Acknowledgement(term, None))
                .map(drop),
        }
    }
}

impl Process for Wireless {
    type Message = Payload;
    type Settings = Option<Bug>;

    const DETECTS: bool = true;

    fn new(me: ProcessId, processes: usize, bug: &Option<Bug>) -> Self {
        Self::idle_at(me, processes, *bug)
    }

    fn start(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        out.local(Meaning::Station(self.capacity, self.neighbours.clone()))?;
        out.set_timer(TimerKind::Think);
        Ok(())
    }

    fn receive(
        &mut self,
        from: ProcessId,
        message: Stamped<Payload>,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        if self.suspected.contains(from) {
            return self.outlasts(message.content.term(), out);
        }
        match message.content {
            Payload::Election(term) => self.asked((from, term), out),
            Payload::Acknowledgement(term, best)
                if term == self.term && self.has_acknowledged(from, best) =>
            {
                self.go_on(out)
            }
            Payload::Leader(term, leader) if self.learns(term) => {
                self.agree(leader, Some(from), out)
            }
            _ => Ok(()),
        }
    }

    fn timer(&mut self, _: TimerKind, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        if self.election.is_none() {
            self.elect(out)?;
        }
        out.set_timer(TimerKind::Think);
        Ok(())
    }

    fn detect(
        &mut self,
        detection: Detection,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        self.detected(detection, out)
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Payload>) -> Result<(), Refusal> {
        match command {
            Command::Elect if self.election.is_none() => Ok(self.elect(out)?),
            Command::Elect => Err(Refusal::Invalid(ELECTING.to_owned())),
            _ => Err(Refusal::Unknown),
        }
    }

    fn idle(&self) -> bool {
        self.election.is_none()
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        self.words(names)
    }
}

/// No process compares times, and no message makes the same difference whatever comes first.
impl Relevance for Wireless {}
