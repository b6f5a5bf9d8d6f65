//! How a token that is lost is made anew.
//!
//! A token can be lost: with a message, or with the process that has it. A process that has waited for too long, or whose
//! failure detector suspects a process that may have had the token, sends a regeneration round through the ring. Whoever
//! passes it on promises to discard all tokens of an earlier generation; a process that has the token ends the round, and
//! the token belongs to its generation from then on. A round that comes back has met no token, and none that is late can
//! be used any more: its process makes the new one.
//!
//! That is safe however long messages take. It is safe with crashes if no process is suspected that has not crashed.

use common::process::{Outbox, TimerKind, To, clock::Overflow, detector::Detection};

use super::{
    super::critical_section::CriticalSection,
    TokenRing,
    message::{Generation, Payload},
};
use crate::bug::Bug;

/// How often the waits between two rounds are doubled.
const MOST_DOUBLED: u8 = 12;

impl TokenRing {
    /// A wait for the token has ended without it.
    pub(super) fn waited(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        if self.patience > 0 {
            self.patience -= 1;
            return Ok(());
        }
        self.patience = (1 << self.rounds) - 1;
        self.rounds = (self.rounds + 1).min(MOST_DOUBLED);
        self.regenerate(out)
    }

    /// Starts a regeneration round.
    pub(super) fn regenerate(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.generation = Generation(self.generation.0 + 1, self.me);
        self.regenerates = true;
        let next = self.successor();
        if next == self.me || self.bug == Some(Bug::NoRound) {
            return self.take_token(out);
        }
        out.send(To::One(next), Payload::Regenerate(self.generation))?;
        Ok(())
    }

    /// Another process's regeneration round, or this one's, comes by.
    pub(super) fn round(
        &mut self,
        generation: Generation,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        if generation == self.generation && generation.1 == self.me && self.regenerates {
            return self.take_token(out);
        }
        // A round whose process has crashed comes back to nobody.
        if generation > self.generation && !self.suspected.contains(generation.1) {
            self.generation = generation;
            self.regenerates = false;
            if !self.has_token {
                out.send(To::One(self.successor()), Payload::Regenerate(generation))?;
            }
        }
        Ok(())
    }

    /// The ring leaves out a process that is suspected. It may have had the token, or have been about to make one.
    pub(super) fn notice(
        &mut self,
        detection: Detection,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let before = self.successor();
        self.suspected.see(detection);
        match detection {
            Detection::Suspect(other) if !self.has_token => {
                match before == other || self.generation.1 == other {
                    true => self.regenerate(out),
                    false => Ok(()),
                }
            }
            // Now there may be a process to pass the token on to.
            Detection::Trust(_) if self.has_token && self.state == CriticalSection::Outside => {
                out.set_timer(TimerKind::Maintain);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
