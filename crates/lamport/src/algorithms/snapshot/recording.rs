//! What one process records of a snapshot: its own state, and that of each channel to it.

use common::process::{
    clock::Timestamp,
    ids::{Names, ProcessId},
};

/// What a process has recorded of a snapshot so far.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Recording {
    pub(super) id: Timestamp,
    /// Its own state.
    pub(super) balance: Option<i64>,
    /// The channels on which no marker has come, with what has come on them since the own state was recorded.
    open: Vec<(ProcessId, u32)>,
    /// What came on all other channels.
    in_transit: u32,
}

impl Recording {
    /// No state is recorded, of the process or of the channels from these others.
    pub(super) fn new(id: Timestamp, others: impl Iterator<Item = ProcessId>) -> Self {
        Self {
            id,
            balance: None,
            open: others.map(|other| (other, 0)).collect(),
            in_transit: 0,
        }
    }

    /// What has come on the channel from this process, if no marker has.
    pub(super) fn channel(&self, from: ProcessId) -> Option<u32> {
        let channel = self.open.iter().find(|channel| channel.0 == from)?;
        Some(channel.1)
    }

    /// Whether no marker has come on any channel but that from this process.
    pub(super) fn waits_only_for(&self, from: ProcessId) -> bool {
        self.open.len() == 1 && self.channel(from).is_some()
    }

    /// Money comes from this process.
    pub(super) fn arrive(&mut self, from: ProcessId, amount: u32) {
        let open = self.open.iter_mut().find(|channel| channel.0 == from);
        if let (Some(channel), Some(_)) = (open, self.balance) {
            channel.1 = channel.1.saturating_add(amount);
        }
    }

    /// The marker comes from this process: the state of the channel is what has come before.
    pub(super) fn close(&mut self, from: ProcessId) {
        let amount = self.channel(from).unwrap_or(0);
        self.in_transit = self.in_transit.saturating_add(amount);
        self.open.retain(|channel| channel.0 != from);
    }

    /// The balance, and all that was in transit, if everything is recorded.
    pub(super) fn complete(&self) -> Option<(i64, u32)> {
        let balance = self.balance.filter(|_| self.open.is_empty())?;
        Some((balance, self.in_transit))
    }

    /// What it waits for.
    pub(super) fn words(&self, names: &Names) -> String {
        let open = self.open.iter().map(|channel| names.of(channel.0));
        let open: Vec<_> = open.collect();
        format!(
            "snapshot {} of {}: waits for the marker of {}",
            self.id.time,
            names.of(self.id.process),
            open.join(", ")
        )
    }
}
