//! Election in a ring (Chang & Roberts, "An improved algorithm for decentralized extrema-finding in circular configurations of
//! processes", 1979): a process that starts an election sends its number to its successor, which passes on a greater one, sends its
//! own in place of a smaller one, and discards that if it has sent its own already. A number that comes back is the greatest: its
//! process leads, and tells the others around the ring.
//!
//! The paper has no crashes. Here a process leaves out those that its failure detector suspects, and starts again when the ring
//! has changed, as a message may be lost with a process. Each election has a **term**, so that messages of an earlier one count no more.

mod failures;
mod message;
#[cfg(test)]
mod tests;

use common::process::{
    Command, Meaning, Outbox, Process, Refusal, Stamped, TimerKind, To,
    check::relevance::Relevance,
    clock::{Overflow, Timestamp},
    detector::{Detection, Suspected},
    ids::{Names, ProcessId},
};

use super::election::{ELECTING, status};
use crate::bug::Bug;

pub use self::message::Payload;

/// A process in the ring of all processes, in their order.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Ring {
    me: ProcessId,
    processes: usize,
    bug: Option<Bug>,
    suspected: Suspected,
    /// The latest term that it knows of, and who leads in it, if it knows that.
    term: u64,
    leader: Option<ProcessId>,
    /// While it takes part in the election of this term: the greatest number that it has sent.
    sent: Option<ProcessId>,
}

impl Ring {
    /// The next process that it does not suspect, if there is one.
    fn successor(&self) -> Option<ProcessId> {
        let next = |steps| ProcessId::at((self.me.index() + steps) % self.processes);
        let mut all = (1..self.processes).map(next);
        all.find(|other| !self.suspected.contains(*other))
    }

    fn send(&self, message: Payload, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        if let Some(successor) = self.successor() {
            out.send(To::One(successor), message)?;
        }
        Ok(())
    }

    /// Starts an election.
    fn elect(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.learn(self.term + 1);
        self.sent = Some(self.me);
        match self.successor() {
            Some(successor) => {
                let election = Payload::Election(self.term, self.me);
                out.send_as(Meaning::Elect, To::One(successor), election)?;
                Ok(())
            }
            // It is alone in the ring.
            None => {
                out.local(Meaning::Elect)?;
                self.agree(self.me, out)
            }
        }
    }

    /// Takes this process as the leader of the present term, and tells the next one.
    fn agree(&mut self, leader: ProcessId, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        (self.leader, self.sent) = (Some(leader), None);
        let (time, process) = (self.term, leader);
        out.local(Meaning::Leader(Timestamp { time, process }))?;
        self.send(Payload::Elected(self.term, leader), out)
    }

    /// Knows of this term.
    fn learn(&mut self, term: u64) {
        if term > self.term {
            (self.term, self.leader, self.sent) = (term, None, None);
        }
    }

    /// Receives this number in an election of the present term.
    fn pass(&mut self, number: ProcessId, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let passes_all = self.bug == Some(Bug::NoDiscard);
        if number == self.me {
            return match self.sent == Some(self.me) || passes_all {
                true => self.agree(self.me, out),
                false => Ok(()),
            };
        }
        let greatest = self.sent.unwrap_or(self.me);
        if number > greatest || self.keeps(number) {
            self.sent = Some(number);
            self.send(Payload::Election(self.term, number), out)
        } else if self.sent.is_none() {
            self.sent = Some(self.me);
            self.send(Payload::Election(self.term, self.me), out)
        } else if passes_all {
            self.send(Payload::Election(self.term, number), out)
        } else {
            Ok(())
        }
    }
}

impl Process for Ring {
    type Message = Payload;
    type Settings = Option<Bug>;

    const DETECTS: bool = true;

    fn new(me: ProcessId, processes: usize, bug: &Option<Bug>) -> Self {
        Self {
            me,
            processes,
            bug: *bug,
            suspected: Suspected::default(),
            term: 0,
            leader: None,
            sent: None,
        }
    }

    fn start(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        out.set_timer(TimerKind::Think);
        Ok(())
    }

    fn receive(
        &mut self,
        _: ProcessId,
        message: Stamped<Payload>,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let (Payload::Election(term, number) | Payload::Elected(term, number)) = message.content;
        let is_old = term < self.term && self.bug != Some(Bug::OldTerms);
        if is_old {
            return Ok(());
        }
        let took_part = self.sent.is_some();
        self.learn(term);
        match message.content {
            _ if self.removes(&message.content) => self.discard(took_part, out),
            Payload::Election(..) if self.leader.is_none() => self.pass(number, out),
            Payload::Elected(..) if number != self.me && self.leader != Some(number) => {
                self.agree(number, out)
            }
            _ => Ok(()),
        }
    }

    fn timer(&mut self, _: TimerKind, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        if self.sent.is_none() {
            self.elect(out)?;
        }
        out.set_timer(TimerKind::Think);
        Ok(())
    }

    fn detect(
        &mut self,
        detection: Detection,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        self.notice(detection, out)
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Payload>) -> Result<(), Refusal> {
        match command {
            Command::Elect if self.sent.is_none() => Ok(self.elect(out)?),
            Command::Elect => Err(Refusal::Invalid(ELECTING.to_owned())),
            _ => Err(Refusal::Unknown),
        }
    }

    fn idle(&self) -> bool {
        self.sent.is_none()
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        let sent = self.sent.map(|sent| {
            let (term, sent) = (self.term, names.of(sent));
            format!("takes part in the election of term {term}: has sent {sent}")
        });
        status((self.term, self.leader), sent, &self.suspected, names)
    }
}

/// No process compares times, and no message makes the same difference whatever comes first.
impl Relevance for Ring {}
