//! An election in a wireless network, as one process sees it.

use common::process::ids::ProcessId;

use super::message::Candidate;

/// An election.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Election {
    /// The neighbours that have not acknowledged.
    pub(super) awaited: Vec<ProcessId>,
    /// The best of the subtree, as far as it is known.
    pub(super) best: Candidate,
}

impl Election {
    /// A neighbour has acknowledged, with the best of its subtree if it is a child. Whether it was awaited.
    pub(super) fn take(&mut self, from: ProcessId, best: Option<Candidate>) -> bool {
        let Some(place) = self.awaited.iter().position(|it| *it == from) else {
            return false;
        };
        self.awaited.remove(place);
        self.best = best.map_or(self.best, |best| self.best.max(best));
        true
    }
}
