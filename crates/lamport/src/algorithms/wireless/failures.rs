//! What a process does about its neighbours that crash, and about wrong suspicions.

use common::process::{Outbox, clock::Overflow, detector::Detection, ids::ProcessId};

use super::{Payload, Wireless};
use crate::bug::Bug;

impl Wireless {
    /// The neighbours that it does not suspect, but for one.
    pub(super) fn reached(&self, but: Option<ProcessId>) -> Vec<ProcessId> {
        let all = self.neighbours.iter().copied();
        all.filter(|it| !self.suspected.contains(*it) && Some(*it) != but)
            .collect()
    }

    /// A neighbour has crashed, or lives: the tree may have lost a branch, or lack one.
    pub(super) fn detected(
        &mut self,
        detection: Detection,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        if !self.neighbours.contains(&detection.process()) {
            return Ok(());
        }
        self.suspected.see(detection);
        let waits = self.bug == Some(Bug::NoTimeout) && self.election.is_some();
        match self.term {
            0 => Ok(()),
            _ if waits => Ok(()),
            _ => self.elect(out),
        }
    }

    /// A neighbour that it suspects takes part in the election of this term, which ends with it if it has crashed. If it lives, an
    /// election of a later term counts for it, too.
    pub(super) fn outlasts(
        &mut self,
        term: u64,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        if term <= self.term {
            return Ok(());
        }
        self.term = term;
        self.elect(out)
    }
}
