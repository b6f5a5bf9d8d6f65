//! Causally ordered multicast (Birman, Schiper & Stephenson 1991, "Lightweight Causal and Atomic Group Multicast"; van
//! Steen & Tanenbaum, "Vector clocks"): an answer is never delivered before what it answers. Every multicast carries how
//! many of each process's multicasts its sender had delivered, and whoever has delivered fewer holds it back.

use serde::{Deserialize, Serialize};

use super::Bug;
use crate::{
    clock::{Overflow, Timestamp, VectorClock},
    process::{
        Command, Deed, Message, Names, Outbox, Pause, Process, ProcessId, Refusal, Stamped, To,
    },
};

/// A process that talks with all the others.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Causal {
    me: ProcessId,
    bug: Option<Bug>,
    /// How many multicasts of each process are delivered here; one's own are at once.
    delivered: VectorClock,
    /// What came too early.
    held_back: Vec<(Timestamp, Said)>,
}

/// A multicast.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Said {
    /// How many multicasts of each process its sender had delivered, this one included.
    pub after: VectorClock,
    /// What it says.
    pub text: String,
}

impl Message for Said {
    fn word(&self) -> &'static str {
        "multicast"
    }

    fn text(&self) -> String {
        format!("{} {}", self.after, self.text)
    }
}

impl Causal {
    fn multicast(&mut self, text: String, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        self.delivered.tick(self.me)?;
        let said = Said {
            after: self.delivered.clone(),
            text,
        };
        let deed = Deed::Multicast(said.text());
        let text = said.text.clone();
        let stamp = out.send_as(deed, To::All, said)?;
        out.local(Deed::Deliver(stamp, text))?;
        Ok(())
    }

    /// Whether it is the sender's next, and all is delivered here that the sender had delivered.
    fn is_due(&self, from: ProcessId, said: &Said) -> bool {
        ProcessId::all(self.delivered.processes()).all(|process| {
            let (had, have) = (said.after.of(process), self.delivered.of(process));
            if process == from {
                had == have + 1
            } else {
                had <= have
            }
        })
    }

    fn deliver(&mut self, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        let due = |held: &(Timestamp, Said)| {
            self.bug == Some(Bug::NoHoldBack) || self.is_due(held.0.process, &held.1)
        };
        if let Some(place) = self.held_back.iter().position(due) {
            let (stamp, said) = self.held_back.remove(place);
            self.delivered.tick(stamp.process)?;
            out.local(Deed::Deliver(stamp, said.text))?;
            // Others may have waited for this one.
            self.deliver(out)?;
        }
        Ok(())
    }
}

impl Process for Causal {
    type Message = Said;

    fn new(me: ProcessId, processes: usize, bug: Option<Bug>) -> Self {
        Self {
            me,
            bug,
            delivered: VectorClock::new(processes),
            held_back: Vec::new(),
        }
    }

    fn start(&mut self, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        out.pause(Pause::Think);
        Ok(())
    }

    fn receive(
        &mut self,
        from: ProcessId,
        message: Stamped<Said>,
        out: &mut Outbox<'_, Said>,
    ) -> Result<(), Overflow> {
        let stamp = message.stamp(from);
        if message.content.after.processes() == self.delivered.processes() {
            self.held_back.push((stamp, message.content));
        }
        self.deliver(out)
    }

    fn timer(&mut self, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        let number = self.delivered.of(self.me) + 1;
        self.multicast(format!("news {number}"), out)?;
        out.pause(Pause::Think);
        Ok(())
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Said>) -> Result<(), Refusal> {
        match command {
            Command::Multicast(text) => Ok(self.multicast(text, out)?),
            _ => Err(Refusal::Unknown),
        }
    }

    fn idle(&self) -> bool {
        self.held_back.is_empty()
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        let held_back = self.held_back.iter().map(|(stamp, said)| {
            let text = common::text::visible(said.text.as_bytes());
            let (process, after) = (names.of(stamp.process), &said.after);
            format!("{process}'s '{text}' {after} waits for what came before it")
        });
        let delivered = format!("delivered of each process: {}", self.delivered);
        held_back.chain([delivered]).collect()
    }
}
