//! What a process does because of a crash: its failure detector suspects a process, or a message of a crashed one comes by.

use common::process::{Outbox, clock::Overflow, detector::Detection, ids::ProcessId};

use super::{Payload, Ring};
use crate::bug::Bug;

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

    /// Whether nobody passes on this message, because its number is that of a crashed process.
    pub(super) fn removes(&self, message: &Payload) -> bool {
        let (Payload::Election(_, number) | Payload::Elected(_, number)) = *message;
        let is_kept = matches!(message, Payload::Election(..)) && self.keeps(number);
        self.suspected.contains(number) && !is_kept
    }

    /// Whether the number of a crashed process goes round for ever, as in the paper, where none crashes.
    pub(super) fn keeps(&self, number: ProcessId) -> bool {
        self.bug == Some(Bug::NoRemoval) && self.suspected.contains(number)
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
