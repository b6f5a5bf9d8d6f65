//! Three-phase commit (Skeen 1981; van Steen & Tanenbaum, Distributed Systems, section "Distributed commit"): between the
//! votes and the decision to commit, every participant learns that all have voted for it. While one is uncertain nobody has
//! committed, and while one is prepared nobody has aborted, so that those that are left decide without those that crashed:
//! the first of them coordinates. A suspicion that is wrong breaks it.

mod termination;

use common::process::{
    Command, Outbox, Outcome, Process, Refusal, Stamped, TimerKind, To,
    check::relevance::Relevance,
    clock::Overflow,
    detector::Detection,
    ids::{Names, ProcessId},
};

use super::commitment::{COORDINATOR, Committer, Member, Payload, State};
use crate::bug::{self, Bug};

/// A coordinator, or a participant.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ThreePhase {
    member: Member,
    /// The coordinator that it has obeyed last: those before it do not count any more.
    coordinator: ProcessId,
}

impl ThreePhase {
    /// Coordinates, and goes on when nobody is awaited any more.
    fn go_on(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let waits = self.member.bug != Some(Bug::NoAcknowledgement);
        if self.coordinator != self.member.me || waits && !self.member.awaited.is_empty() {
            return Ok(());
        }
        match self.member.state {
            State::Voting => {
                self.member.state = State::Prepared;
                out.send(To::All, Payload::Prepare(self.member.next()))?;
                self.member.await_all();
                self.go_on(out)
            }
            State::Prepared => self.conclude(Outcome::Commit, out),
            State::Uncertain => self.conclude(Outcome::Abort, out),
            State::Decided => {
                self.member.state = State::Initial;
                out.set_timer(TimerKind::Think);
                Ok(())
            }
            State::Initial | State::Working => Ok(()),
        }
    }
}

impl Committer for ThreePhase {
    fn member(&self) -> &Member {
        &self.member
    }

    fn member_mut(&mut self) -> &mut Member {
        &mut self.member
    }

    fn conclude(
        &mut self,
        outcome: Outcome,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        self.member.decide(outcome, true, out)?;
        if self.member.me != COORDINATOR {
            return Ok(());
        }
        self.member.state = State::Decided;
        self.member.await_all();
        self.go_on(out)
    }

    fn vote(&mut self, vote: Outcome, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.member.vote(vote, out)
    }
}

impl Process for ThreePhase {
    type Message = Payload;
    type Settings = Option<Bug>;

    const DETECTS: bool = true;

    fn new(me: ProcessId, processes: usize, bug: &Option<Bug>) -> Self {
        Self {
            member: Member::new(me, processes, *bug),
            coordinator: COORDINATOR,
        }
    }

    fn advances_past_messages(bug: &Option<Bug>) -> bool {
        bug::advances(*bug)
    }

    fn start(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.member.start(out);
        Ok(())
    }

    fn receive(
        &mut self,
        from: ProcessId,
        message: Stamped<Payload>,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let (next, state) = (self.member.next(), self.member.state);
        match message.content {
            Payload::VoteRequest(transaction) => self.member.asked(transaction, out),
            Payload::Vote(transaction, vote) if transaction == next && state == State::Voting => {
                self.member.heard(from);
                match vote {
                    Outcome::Abort => self.conclude(vote, out),
                    Outcome::Commit => self.go_on(out),
                }
            }
            Payload::Prepare(transaction) if state == State::Uncertain => {
                self.adopt((from, transaction), State::Prepared, out)
            }
            Payload::Adopt(transaction, true) => {
                self.adopt((from, transaction), State::Prepared, out)
            }
            Payload::Adopt(transaction, false) => {
                self.adopt((from, transaction), State::Uncertain, out)
            }
            Payload::Ready(transaction) if transaction == next => {
                self.member.heard(from);
                self.go_on(out)
            }
            Payload::Decision(transaction, outcome) => {
                if transaction == next {
                    match self.coordinator == self.member.me {
                        true => self.conclude(outcome, out)?,
                        false => self.member.decide(outcome, false, out)?,
                    }
                }
                self.member.acknowledge(from, transaction, out)
            }
            Payload::Acknowledgement(transaction)
                if transaction + 1 == next && state == State::Decided =>
            {
                self.member.heard(from);
                self.go_on(out)
            }
            Payload::DecisionRequest(transaction) => {
                self.member.asked_for_decision(transaction, out)?;
                self.member.tell(from, transaction, out)
            }
            _ => Ok(()),
        }
    }

    fn timer(&mut self, kind: TimerKind, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.step(kind, out)
    }

    fn detect(
        &mut self,
        detection: Detection,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        self.member.suspected.see(detection);
        match detection {
            Detection::Suspect(suspect) => self.lost(suspect, out),
            Detection::Trust(_) => Ok(()),
        }
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Payload>) -> Result<(), Refusal> {
        self.obey(command, out)
    }

    fn idle(&self) -> bool {
        self.member.state == State::Initial
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        vec![self.member.words(names)]
    }
}

/// No process compares times.
impl Relevance for ThreePhase {}
