//! What a process does when its failure detector suspects another one, or trusts it again.

use common::process::{Outbox, To, clock::Overflow, detector::Detection};

use super::{Bully, Payload, State};
use crate::bug::Bug;

impl Bully {
    pub(super) fn notice(
        &mut self,
        detection: Detection,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        self.suspected.see(detection);
        let waits = self.state != State::Idle && self.bug != Some(Bug::NoTimeout);
        match detection {
            Detection::Suspect(other) if self.leader == Some(other) => {
                self.leader = None;
                self.elect(out)
            }
            // It may wait for this one.
            Detection::Suspect(other) if other > self.me && waits => self.elect(out),
            Detection::Trust(other) if other > self.me => self.elect(out),
            Detection::Trust(other) if self.leader == Some(self.me) => {
                out.send(To::One(other), Payload::Coordinator(self.term))?;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
