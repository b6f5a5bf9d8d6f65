//! The failure detectors of processes in the model checker: each suspects a crashed process at any later moment, and, as often
//! as the [`FaultBudget`] allows, one that lives, which it trusts again at any later moment.

use super::system::{FaultBudget, Node};
use crate::process::{Process, detector::Detection, ids::ProcessId};

impl<P: Process> Node<P> {
    /// What this process's failure detector can say next.
    pub(super) fn detections(
        &self,
        processes: usize,
        crashed: u16,
        budget: FaultBudget,
    ) -> impl Iterator<Item = Detection> {
        let others = if P::DETECTS { processes } else { 0 };
        let others = self.clocked.me.others(others);
        others.filter_map(move |other| {
            let has_crashed = crashed >> other.index() & 1 == 1;
            match self.suspects(other) {
                true if has_crashed => None,
                true => Some(Detection::Trust(other)),
                false if has_crashed || budget.suspected > 0 => Some(Detection::Suspect(other)),
                false => None,
            }
        })
    }

    /// Whether its failure detector has something to say in the end, whatever happens.
    pub(super) fn will_detect(&self, processes: usize, crashed: u16) -> bool {
        let mut detections = self.detections(processes, crashed, FaultBudget::default());
        detections.next().is_some()
    }

    fn suspects(&self, other: ProcessId) -> bool {
        self.suspected >> other.index() & 1 == 1
    }

    /// Its failure detector says this.
    pub(super) fn take_detection(&mut self, detection: Detection) {
        match detection {
            Detection::Suspect(other) => self.suspected |= 1 << other.index(),
            Detection::Trust(other) => self.suspected &= !(1 << other.index()),
        }
    }
}

impl FaultBudget {
    /// Takes a wrong suspicion off the budget.
    pub(super) fn take_detection(&mut self, detection: Detection, crashed: u16) {
        if let Detection::Suspect(other) = detection
            && crashed >> other.index() & 1 == 0
        {
            self.suspected -= 1;
        }
    }
}
