//! What a process does because of a crash: its failure detector suspects a process, or a message of a crashed one comes by.

use common::process::{Outbox, clock::Overflow, detector::Detection};

use super::{Payload, Ring};

impl Ring {
    /// The ring has changed, and a message may be lost.
    pub(super) fn notice(
        &mut self,
        detection: Detection,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        self.suspected.see(detection);
        match self.term {
            0 => Ok(()),
            _ => self.elect(out),
        }
    }

    /// Nobody passes on the number of a crashed process. What it began ends an earlier election, but no later one.
    pub(super) fn discard(
        &mut self,
        took_part: bool,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        match took_part && self.sent.is_none() {
            true => self.elect(out),
            false => Ok(()),
        }
    }
}
