//! The initiator of a snapshot: it begins one, and completes it when it has all states and messages.

use common::process::{
    Meaning, Outbox, To,
    clock::{Overflow, Timestamp},
};

use super::{Content, Payload, VectorSnapshot, collected::Collected};
use crate::{
    algorithms::branch::{Banking, Branch},
    bug::Bug,
};

impl Banking for VectorSnapshot {
    type Message = Payload;

    fn branch(&mut self) -> &mut Branch {
        &mut self.branch
    }

    fn transfer(&self, number: u32, amount: u32) -> Payload {
        self.with(Content::Transfer(number, amount))
    }

    fn sent(&mut self) {
        self.surplus += 1;
    }

    fn has_snapshot(&self) -> bool {
        self.own.is_some()
    }

    fn initiate(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let process = self.branch.me;
        let time = self.time.of(process).checked_add(1).ok_or(Overflow)?;
        self.own = Some(Collected::new(self.branch.processes));
        self.record(Timestamp { time, process }, out)?;
        let snapshot = self.with(Content::Snapshot);
        out.send(To::All, snapshot).map(|_| ())
    }
}

impl VectorSnapshot {
    /// Completes the own snapshot, if all states and all messages are there.
    pub(super) fn complete(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let counts = self.bug != Some(Bug::NoCounters);
        if let Some(own) = self.own.take_if(|own| own.is_complete(counts)) {
            let (process, money) = (self.branch.me, own.money);
            let time = self.time.of(process);
            out.local(Meaning::Complete(Timestamp { time, process }, money))?;
        }
        Ok(())
    }
}
