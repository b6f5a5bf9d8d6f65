//! Election in a ring (Chang & Roberts, "An improved algorithm for decentralized extrema-finding in circular configurations of
//! processes", 1979): a process that starts an election sends its number to its successor, which passes on a greater one, sends its
//! own in place of a smaller one, and discards that if it has sent its own already. A number that comes back is the greatest: its
//! process leads, and tells the others around the ring.
//!
//! The paper has no crashes. Here a process leaves out those that its failure detector suspects, and starts again when the ring
//! has changed, as a message may be lost with a process. Each election has a **term**, so that messages of an earlier one count no more.

use common::process::{
    Command, Meaning, Message, Outbox, Process, Refusal, Stamped, TimerKind, To,
    check::relevance::Relevance,
    clock::{Overflow, Timestamp},
    detector::{Detection, Suspected},
    ids::{Names, ProcessId},
};
use serde::{Deserialize, Serialize};

use super::election::{ELECTING, status};
use crate::bug::Bug;

/// A process in the ring of all processes, in their order or in the reversed one.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Ring<const REVERSED: bool = false> {
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

/// The algorithm's messages, with their term.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// This process is the greatest of those that the message has passed.
    Election(u64, ProcessId),
    /// This process leads.
    Elected(u64, ProcessId),
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::Election(..) => "election",
            Self::Elected(..) => "elected",
        }
    }

    fn text(&self) -> String {
        let (Self::Election(term, process) | Self::Elected(term, process)) = self;
        format!("{process} in term {term}")
    }
}

impl<const REVERSED: bool> Ring<REVERSED> {
    /// The next process that it does not suspect, if there is one.
    fn successor(&self) -> Option<ProcessId> {
        let next = |steps| match REVERSED {
            true => self.processes - steps,
            false => steps,
        };
        let next = |steps| ProcessId::at((self.me.index() + next(steps)) % self.processes);
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
        if number > greatest {
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

impl<const REVERSED: bool> Process for Ring<REVERSED> {
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
            // Nobody passes on the number of a crashed process. What it began ends an earlier election, but no later one.
            _ if self.suspected.contains(number) => match took_part && self.sent.is_none() {
                true => self.elect(out),
                false => Ok(()),
            },
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
        self.suspected.see(detection);
        match self.term {
            0 => Ok(()),
            _ => self.elect(out),
        }
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
impl<const REVERSED: bool> Relevance for Ring<REVERSED> {}

#[cfg(test)]
mod tests {
    use common::process::{Action, Clocked};

    use super::*;

    #[test]
    fn a_later_term_of_a_crashed_process_does_not_end_an_election_for_good() {
        let [p1, p2] = [ProcessId(0), ProcessId(1)];
        let mut process = Clocked::<Ring>::new(p2, 3, &None);
        let mut actions = Vec::new();
        process
            .detect(Detection::Suspect(p1), &mut actions)
            .unwrap();
        process.command(Command::Elect, &mut actions).unwrap();
        let (time, content) = (9, Payload::Election(2, p1));
        process
            .receive(p1, Stamped { time, content }, &mut actions)
            .unwrap();
        let sent = actions.into_iter().filter_map(|action| match action {
            Action::Event { send, .. } => send,
            _ => None,
        });
        let to = To::One(ProcessId(2));
        let elections = [1, 3].map(|term| (to, Payload::Election(term, p2)));
        assert!(sent.eq(elections), "in the term after the one of p1");
    }
}
