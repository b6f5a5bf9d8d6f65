//! The initiator of a snapshot: it begins one, and collects what the processes have recorded.

use common::process::{
    Meaning, Outbox, To,
    clock::{Overflow, Timestamp},
    ids::ProcessId,
};

use super::{Payload, Snapshot};
use crate::algorithms::branch::{Banking, Branch};

impl Banking for Snapshot {
    type Message = Payload;

    fn branch(&mut self) -> &mut Branch {
        &mut self.branch
    }

    fn transfer(&self, number: u32, amount: u32) -> Payload {
        Payload::Transfer(number, amount)
    }

    fn has_snapshot(&self) -> bool {
        self.reports.is_some()
    }

    fn initiate(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let time = self.own().time.checked_add(1).ok_or(Overflow)?;
        let id = Timestamp { time, ..self.own() };
        self.reports = Some(vec![None; self.branch.processes]);
        self.begin(id);
        self.record(id, out)?;
        out.send(To::All, Payload::Marker(id)).map(|_| ())
    }
}

impl Snapshot {
    /// A process has reported what it has recorded of the own snapshot, which is complete with the last report.
    pub(super) fn collect(
        &mut self,
        from: ProcessId,
        balance: i64,
        in_transit: u32,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let Some(reports) = &mut self.reports else {
            return Ok(());
        };
        reports[from.index()] = Some(balance.saturating_add(in_transit.into()));
        if let Some(all) = reports.iter().copied().sum::<Option<i64>>() {
            self.reports = None;
            out.local(Meaning::Complete(self.own(), all))?;
        }
        Ok(())
    }
}
