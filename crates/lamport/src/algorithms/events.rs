//! Send, receive and local events, as in the first half of Lamport's paper: an algorithm that consists of its clocks only.

use common::process::{
    Command, Meaning, Message, Outbox, Process, Refusal, Stamped, TimerKind, To,
    check::relevance::{MayStart, Relevance},
    clock::Overflow,
    ids::{Names, ProcessId},
};
use serde::{Deserialize, Serialize};

use crate::bug::{self, Bug};

/// A process that has events.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Events {
    me: ProcessId,
    processes: usize,
    /// How many events its application has started.
    started: u64,
}

/// A message whose text has no meaning to the algorithm.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Text(pub String);

impl Message for Text {
    fn word(&self) -> &'static str {
        "message"
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

impl Process for Events {
    type Message = Text;
    type Settings = Option<Bug>;

    fn new(me: ProcessId, processes: usize, _: &Option<Bug>) -> Self {
        Self {
            me,
            processes,
            started: 0,
        }
    }

    fn advances_past_messages(bug: &Option<Bug>) -> bool {
        bug::advances(*bug)
    }

    fn start(&mut self, out: &mut Outbox<'_, Text>) -> Result<(), Overflow> {
        out.set_timer(TimerKind::Think);
        Ok(())
    }

    fn receive(
        &mut self,
        _: ProcessId,
        _: Stamped<Text>,
        _: &mut Outbox<'_, Text>,
    ) -> Result<(), Overflow> {
        Ok(())
    }

    /// Sends a message to each of the others in turn, and has a local event between two rounds.
    fn timer(&mut self, _: TimerKind, out: &mut Outbox<'_, Text>) -> Result<(), Overflow> {
        let step = (self.started % self.processes as u64) as usize;
        self.started += 1;
        if step == 0 {
            out.local(Meaning::Local(String::new()))?;
        } else {
            let to = ProcessId::at((self.me.index() + step) % self.processes);
            out.send(To::One(to), Text(String::new()))?;
        }
        out.set_timer(TimerKind::Think);
        Ok(())
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Text>) -> Result<(), Refusal> {
        match command {
            Command::Local => out.local(Meaning::Local(String::new()))?,
            Command::Send(to, text) => out.send(To::One(to), Text(text))?,
            _ => return Err(Refusal::Unknown),
        };
        Ok(())
    }

    fn idle(&self) -> bool {
        true
    }

    fn queue(&self, _: &Names) -> Vec<String> {
        Vec::new()
    }
}

/// No process compares times, or changes at a receipt.
impl Relevance for Events {
    fn commutes(&self, _: ProcessId, _: &Stamped<Text>, _: MayStart<'_>) -> bool {
        true
    }
}
