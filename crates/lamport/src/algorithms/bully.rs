//! The bully algorithm (Garcia-Molina, "Elections in a distributed computing system", 1982; van Steen & Tanenbaum, "Election
//! algorithms"): a process that holds an election asks all with a higher number. One that lives answers, and holds an election
//! itself; one that has no answer to wait for leads, and tells the others. So the highest that lives bullies all others.
//!
//! In place of the paper's time limit for an answer stands a failure detector, which must be perfect. A leader has a **term**, later
//! than all that it knows of. A higher process that has crashed may have led one that nobody else has heard of, and only one:
//! so a new leader leaves out a term for each.

mod failures;
mod message;
mod state;

use common::process::{
    Command, Meaning, Outbox, Process, Refusal, Stamped, TimerKind, To,
    check::relevance::Relevance,
    clock::{Overflow, Timestamp},
    detector::{Detection, Suspected},
    ids::{Names, ProcessId},
};

use self::state::State;
use super::election::{ELECTING, status};
use crate::bug::Bug;

pub use self::message::Payload;

/// A process that takes part in elections.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Bully {
    me: ProcessId,
    processes: usize,
    bug: Option<Bug>,
    suspected: Suspected,
    /// The latest term that it knows of, and who leads in it, if it knows that.
    term: u64,
    leader: Option<ProcessId>,
    state: State,
}

impl Bully {
    /// The other processes that it does not suspect.
    fn trusted(&self) -> impl Iterator<Item = ProcessId> {
        let others = self.me.others(self.processes);
        others.filter(|other| !self.suspected.contains(*other))
    }

    /// Holds an election.
    fn elect(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let mut meaning = Some(Meaning::Elect);
        let asks = self.bug != Some(Bug::NoAcknowledgement);
        for higher in self.trusted().filter(|other| asks && *other > self.me) {
            let election = Payload::Election(self.term);
            match meaning.take() {
                Some(meaning) => out.send_as(meaning, To::One(higher), election)?,
                None => out.send(To::One(higher), election)?,
            };
        }
        self.state = State::Answer;
        if let Some(meaning) = meaning {
            out.local(meaning)?;
            self.lead(out)?;
        }
        Ok(())
    }

    /// Leads, and tells the others. One that leads already says so again.
    fn lead(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        if self.leader != Some(self.me) {
            let crashed = self.suspected.iter().filter(|other| *other > self.me);
            self.term = self.term.max(crashed.count() as u64) + 1;
        }
        self.agree(self.me, out)?;
        for other in self.trusted() {
            out.send(To::One(other), Payload::Coordinator(self.term))?;
        }
        Ok(())
    }

    /// Takes this process as the leader of the present term.
    fn agree(&mut self, leader: ProcessId, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.state = State::Idle;
        self.leader = Some(leader);
        let (time, process) = (self.term, leader);
        out.local(Meaning::Leader(Timestamp { time, process }))?;
        Ok(())
    }

    /// Knows of this term.
    fn learn(&mut self, term: u64) {
        if term > self.term {
            (self.term, self.leader) = (term, None);
        }
    }
}

impl Process for Bully {
    type Message = Payload;
    type Settings = Option<Bug>;

    const DETECTS: bool = true;

    fn new(me: ProcessId, processes: usize, bug: &Option<Bug>) -> Self {
        Self {
            me,
            processes,
            bug: *bug,
            suspected: Suspected::default(),
            term: 0,
            leader: None,
            state: State::Idle,
        }
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
            Payload::Election(term) => {
                self.learn(term);
                if self.leader == Some(self.me) {
                    out.send(To::One(from), Payload::Coordinator(self.term))?;
                    return Ok(());
                }
                out.send(To::One(from), Payload::Answer)?;
                if self.state == State::Idle {
                    self.elect(out)?;
                }
            }
            Payload::Answer if self.state == State::Answer => self.state = State::Coordinator,
            Payload::Answer => {}
            // The bully: a lower one does not lead it.
            Payload::Coordinator(term) if from < self.me => {
                self.learn(term);
                if self.state == State::Idle {
                    self.elect(out)?;
                }
            }
            Payload::Coordinator(term) => {
                let is_old = term < self.term && self.bug != Some(Bug::OldTerms);
                if !is_old && !self.suspected.contains(from) {
                    self.learn(term);
                    self.agree(from, out)?;
                }
            }
        }
        Ok(())
    }

    fn timer(&mut self, _: TimerKind, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        if self.state == State::Idle {
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
        self.notice(detection, out)
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Payload>) -> Result<(), Refusal> {
        match command {
            Command::Elect if self.state == State::Idle => Ok(self.elect(out)?),
            Command::Elect => Err(Refusal::Invalid(ELECTING.to_owned())),
            _ => Err(Refusal::Unknown),
        }
    }

    fn idle(&self) -> bool {
        self.state == State::Idle
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        let waits = self.state.words();
        status((self.term, self.leader), waits, &self.suspected, names)
    }
}

/// No process compares times, and no message makes the same difference whatever comes first.
impl Relevance for Bully {}
