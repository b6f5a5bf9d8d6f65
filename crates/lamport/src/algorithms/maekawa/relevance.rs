//! What of a process makes a difference to the model checker.

use common::process::{
    Stamped,
    check::relevance::{MayStart, Relevance, Use, Visit},
    ids::ProcessId,
};

use super::{Maekawa, Payload};

/// All that a process compares are the requests that it has as a member.
impl Relevance for Maekawa {
    fn forget(&mut self) {
        self.state.forget_times();
    }

    fn times(&mut self, visit: Visit<'_>) {
        self.member.times(visit);
    }

    fn times_in_flight(_: ProcessId, message: &mut Stamped<Payload>, visit: Visit<'_>) {
        if let Payload::Request(time) = &mut message.content {
            visit(time, Use::Compared);
        }
    }

    fn commutes(&self, from: ProcessId, message: &Stamped<Payload>, _: MayStart<'_>) -> bool {
        // It enters when the last lock arrives, in whatever order; but what it answers to an inquiry depends on which
        // members are locked for an earlier request.
        message.content == Payload::Locked && self.bug.is_none() && !self.failed.contains(&from)
    }
}
