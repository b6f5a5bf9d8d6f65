//! Two-phase commit (Gray 1978; van Steen & Tanenbaum, Distributed Systems, section "Distributed commit"): the coordinator
//! collects votes, and decides to commit if all are for it. A participant that has voted for it and suspects the coordinator
//! asks the others, and is blocked as long as none of them knows the decision.

use common::process::{
    Command, Outbox, Outcome, Process, Refusal, Stamped, TimerKind, To,
    check::relevance::Relevance,
    clock::Overflow,
    detector::Detection,
    ids::{Names, ProcessId},
};

use super::commitment::{COORDINATOR, Committer, Member, Payload, State};
use crate::bug::{self, Bug};

/// The coordinator, or a participant.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct TwoPhase {
    member: Member,
    /// Whether another participant has asked for the decision.
    is_asked: bool,
}

impl TwoPhase {
    /// Ends the transaction when nobody is awaited any more.
    fn go_on(&mut self, out: &mut Outbox<'_, Payload>) {
        if self.member.awaited.is_empty() {
            self.member.state = State::Initial;
            out.set_timer(TimerKind::Think);
        }
    }

    /// A participant decides.
    fn decide(&mut self, outcome: Outcome, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let tells = std::mem::take(&mut self.is_asked) || self.member.is_alone();
        self.member.decide(outcome, tells, out)
    }

    /// A participant that is uncertain asks whether somebody knows the decision.
    fn ask(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        if self.member.bug == Some(Bug::NoBlocking) {
            return self.decide(Outcome::Abort, out);
        }
        let request = Payload::DecisionRequest(self.member.next());
        out.send(To::All, request).map(|_| ())
    }
}

impl Committer for TwoPhase {
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
        self.member.state = State::Decided;
        self.member.await_all();
        self.go_on(out);
        Ok(())
    }

    fn vote(&mut self, vote: Outcome, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.member.vote(vote, out)?;
        match self.member.state == State::Uncertain && self.member.is_alone() {
            true => self.ask(out),
            false => Ok(()),
        }
    }
}

impl Process for TwoPhase {
    type Message = Payload;
    type Settings = Option<Bug>;

    const DETECTS: bool = true;

    fn new(me: ProcessId, processes: usize, bug: &Option<Bug>) -> Self {
        Self {
            member: Member::new(me, processes, *bug),
            is_asked: false,
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
        let next = self.member.next();
        match (message.content, self.member.state) {
            (Payload::VoteRequest(transaction), _) => self.member.asked(transaction, out),
            (Payload::Vote(transaction, vote), State::Voting) if transaction == next => {
                self.member.heard(from);
                let is_early = self.member.bug == Some(Bug::NoAcknowledgement);
                match vote == Outcome::Abort || self.member.awaited.is_empty() || is_early {
                    true => self.conclude(vote, out),
                    false => Ok(()),
                }
            }
            (Payload::Decision(transaction, outcome), _) => {
                if transaction == next && self.member.me != COORDINATOR {
                    self.decide(outcome, out)?;
                }
                self.member.acknowledge(from, transaction, out)
            }
            (Payload::Acknowledgement(transaction), State::Decided) if transaction + 1 == next => {
                self.member.heard(from);
                self.go_on(out);
                Ok(())
            }
            (Payload::DecisionRequest(transaction), _) => {
                self.member.asked_for_decision(transaction, out)?;
                if self.member.decision(transaction).is_none() {
                    self.is_asked = transaction == next;
                }
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
        let Detection::Suspect(suspect) = detection else {
            return Ok(());
        };
        match self.member.state {
            State::Voting => self.conclude(Outcome::Abort, out),
            State::Decided => {
                self.member.heard(suspect);
                self.go_on(out);
                Ok(())
            }
            State::Working if suspect == COORDINATOR => self.vote(Outcome::Abort, out),
            State::Uncertain if suspect == COORDINATOR => self.ask(out),
            _ => Ok(()),
        }
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Payload>) -> Result<(), Refusal> {
        self.obey(command, out)
    }

    fn idle(&self) -> bool {
        self.member.state == State::Initial
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        let blocked = self.member.state == State::Uncertain && self.member.is_alone();
        let words = blocked.then(|| "blocked: nobody that is left knows the decision".to_owned());
        [self.member.words(names)]
            .into_iter()
            .chain(words)
            .collect()
    }
}

/// No process compares times.
impl Relevance for TwoPhase {}
