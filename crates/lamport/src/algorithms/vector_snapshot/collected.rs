//! What the initiator of a snapshot has collected, and whether that is all.

use common::process::ids::{Names, ProcessId};

/// The states and messages of a snapshot, as far as its initiator has them.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Collected {
    /// Whose state it has.
    reported: Vec<bool>,
    /// The money in the states and messages that it has.
    pub(super) money: i64,
    /// How many messages crossed the cut, as far as is reported, less those that it has.
    in_transit: i64,
}

impl Collected {
    /// Nothing, of this number of processes.
    pub(super) fn new(processes: usize) -> Self {
        Self {
            reported: vec![false; processes],
            money: 0,
            in_transit: 0,
        }
    }

    /// The state of a process: its balance, and its surplus of sent transfers.
    pub(super) fn state(&mut self, of: ProcessId, balance: i64, surplus: i64) {
        if !std::mem::replace(&mut self.reported[of.index()], true) {
            self.money = self.money.saturating_add(balance);
            self.in_transit = self.in_transit.saturating_add(surplus);
        }
    }

    /// A transfer of this amount that was in transit.
    pub(super) fn message(&mut self, amount: u32) {
        self.money = self.money.saturating_add(amount.into());
        self.in_transit = self.in_transit.saturating_sub(1);
    }

    /// Whether all states are there, and all messages that crossed the cut, if those are counted.
    pub(super) fn is_complete(&self, counts: bool) -> bool {
        self.reported.iter().all(|it| *it) && (self.in_transit == 0 || !counts)
    }

    /// What is missing.
    pub(super) fn words(&self, names: &Names) -> String {
        let missing = ProcessId::all(self.reported.len()).filter(|it| !self.reported[it.index()]);
        let missing: Vec<_> = missing.map(|process| names.of(process)).collect();
        match missing.is_empty() {
            true => format!(
                "own snapshot: waits for {} transfers in transit",
                self.in_transit
            ),
            false => format!(
                "own snapshot: waits for the state of {}",
                missing.join(", ")
            ),
        }
    }
}
