//! Events of all three kinds, as in the first half of Lamport's paper: sending, receiving, and what is local. The clocks
//! are all there is to it.

use serde::{Deserialize, Serialize};

use super::Bug;
use crate::{
    clock::Overflow,
    process::{
        Command, Deed, Message, Names, Outbox, Pause, Process, ProcessId, Refusal, Stamped, To,
    },
};

/// A process that has events.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Events {
    me: ProcessId,
    processes: usize,
    /// How many events it has begun by itself.
    begun: u64,
}

/// A message that says something to people alone.
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

    fn new(me: ProcessId, processes: usize, _: Option<Bug>) -> Self {
        Self {
            me,
            processes,
            begun: 0,
        }
    }

    fn start(&mut self, out: &mut Outbox<'_, Text>) -> Result<(), Overflow> {
        out.pause(Pause::Think);
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

    /// To each of the others in turn, and between two rounds something local.
    fn timer(&mut self, out: &mut Outbox<'_, Text>) -> Result<(), Overflow> {
        let step = (self.begun % self.processes as u64) as usize;
        self.begun += 1;
        if step == 0 {
            out.local(Deed::Local(String::new()))?;
        } else {
            let to = ProcessId::at((self.me.index() + step) % self.processes);
            out.send(To::One(to), Text(String::new()))?;
        }
        out.pause(Pause::Think);
        Ok(())
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Text>) -> Result<(), Refusal> {
        match command {
            Command::Local => out.local(Deed::Local(String::new()))?,
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
