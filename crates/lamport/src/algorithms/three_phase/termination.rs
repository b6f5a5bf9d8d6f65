//! How those that are left decide without the coordinator that has crashed: the protocol of termination.

use common::process::{Outbox, Outcome, To, clock::Overflow, ids::ProcessId};

use super::{
    super::commitment::{Committer, Payload, State},
    ThreePhase,
};

impl ThreePhase {
    /// Goes on without a process that is suspected.
    pub(super) fn lost(
        &mut self,
        suspect: ProcessId,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        self.member.heard(suspect);
        let first = self.first();
        match self.member.state {
            State::Voting => self.conclude(Outcome::Abort, out),
            _ if self.coordinator == self.member.me => self.go_on(out),
            _ if first == self.member.me => self.take_over(out),
            State::Working if self.member.is_alone() => self.vote(Outcome::Abort, out),
            State::Uncertain | State::Prepared if self.member.is_alone() => {
                let request = Payload::DecisionRequest(self.member.next());
                out.send(To::One(first), request).map(|_| ())
            }
            _ => Ok(()),
        }
    }

    /// Coordinates in place of those that crashed: all go to its own state before it decides.
    pub(super) fn take_over(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let (next, state) = (self.member.next(), self.member.state);
        match (state, self.member.decision(next - 1)) {
            (State::Working, _) => self.vote(Outcome::Abort, out),
            (State::Uncertain | State::Prepared, _) => {
                self.coordinator = self.member.me;
                out.send(To::All, Payload::Adopt(next, state == State::Prepared))?;
                self.member.await_all();
                self.go_on(out)
            }
            (_, Some(last)) => out
                .send(To::All, Payload::Decision(next - 1, last))
                .map(|_| ()),
            (_, None) => Ok(()),
        }
    }

    /// The first process that is not suspected.
    fn first(&self) -> ProcessId {
        let mut all = ProcessId::all(self.member.processes);
        let first = all.find(|process| !self.member.suspected.contains(*process));
        first.unwrap_or(self.member.me)
    }

    /// Goes to the state to which a coordinator asks all to go, and says so; who knows the decision says that.
    pub(super) fn adopt(
        &mut self,
        (from, transaction): (ProcessId, u32),
        state: State,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let has_voted = matches!(self.member.state, State::Uncertain | State::Prepared);
        if transaction == self.member.next() && from >= self.coordinator {
            self.coordinator = from;
            if has_voted {
                self.member.state = state;
                return out
                    .send(To::One(from), Payload::Ready(transaction))
                    .map(|_| ());
            }
            self.member.decide(Outcome::Abort, false, out)?;
        }
        self.member.tell(from, transaction, out)
    }
}
