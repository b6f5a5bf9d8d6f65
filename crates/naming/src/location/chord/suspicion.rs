//! Which nodes are taken to have failed: those that leave rounds of maintenance unanswered.

use std::collections::BTreeMap;

use common::process::ids::ProcessId;

/// How many rounds of maintenance a node may leave unanswered before it is taken to have failed.
const ROUNDS: u8 = 2;

/// How many rounds each node has left unanswered.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Suspicion(BTreeMap<ProcessId, u8>);

impl Suspicion {
    /// A message of the node has arrived.
    pub(super) fn heard(&mut self, process: ProcessId) {
        self.0.remove(&process);
    }

    /// A message is sent that the node must answer.
    pub(super) fn expects(&mut self, process: ProcessId) {
        *self.0.entry(process).or_default() += 1;
    }

    /// The nodes that are taken to have failed.
    pub(super) fn failed(&mut self) -> Vec<ProcessId> {
        let (failed, waiting) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|(_, rounds)| *rounds >= ROUNDS);
        self.0 = waiting;
        failed.into_keys().collect()
    }
}
