//! Totally ordered multicast (van Steen & Tanenbaum, Distributed Systems, "Example: Totally ordered multicasting"): every
//! process holds a multicast back until everybody has acknowledged it, and delivers in the order of the timestamps. So
//! all copies of the bank account go through the same operations in the same order.
//!
//! An acknowledgement says that its sender's clock is past the multicast, so nothing earlier can come from it any more;
//! any later message says the same. That needs channels that lose nothing and keep the order.

use serde::{Deserialize, Serialize};

use super::{
    Bug,
    bank::{Account, Operation},
};
use crate::{
    clock::{Overflow, Timestamp},
    process::{
        Command, Deed, Message, Names, Outbox, Pause, Process, ProcessId, Refusal, Stamped, To,
    },
};

/// How many of its own multicasts a process has under way at the most: so what is held back has a bound.
const MOST_OWN: usize = 1_000;

/// A process with a copy of the account.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Total {
    me: ProcessId,
    bug: Option<Bug>,
    account: Account,
    /// What is held back, in the order in which it will be delivered.
    held_back: Vec<(Timestamp, Operation)>,
    /// The time of the latest message from each process.
    heard: Vec<u64>,
}

/// What the processes say to each other.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Said {
    /// Everybody shall do this; its timestamp is the message's.
    Multicast(Operation),
    /// I have the multicast of this timestamp.
    Acknowledgement(Timestamp),
}

impl Message for Said {
    fn word(&self) -> &'static str {
        match self {
            Self::Multicast(_) => "multicast",
            Self::Acknowledgement(_) => "acknowledgement",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Multicast(operation) => operation.to_string(),
            Self::Acknowledgement(_) => String::new(),
        }
    }
}

impl Total {
    fn multicast(
        &mut self,
        operation: Operation,
        out: &mut Outbox<'_, Said>,
    ) -> Result<(), Overflow> {
        let deed = Deed::Multicast(operation.to_string());
        let stamp = out.send_as(deed, To::All, Said::Multicast(operation))?;
        self.hold_back(stamp, operation);
        self.deliver(out)
    }

    /// Whether so many of its own are not delivered that another has to wait.
    fn is_full(&self) -> bool {
        let own = self.held_back.iter();
        own.filter(|(stamp, _)| stamp.process == self.me).count() >= MOST_OWN
    }

    fn hold_back(&mut self, stamp: Timestamp, operation: Operation) {
        let place = self.held_back.partition_point(|(other, _)| match self.bug {
            Some(Bug::NoTieBreak) => other.time <= stamp.time,
            _ => *other < stamp,
        });
        self.held_back.insert(place, (stamp, operation));
    }

    /// Whether nothing that comes before it can come any more.
    fn settled(&self, stamp: Timestamp) -> bool {
        self.me.others(self.heard.len()).all(|process| {
            let time = self.heard[process.index()];
            match self.bug {
                Some(Bug::NoTieBreak) => time >= stamp.time,
                Some(Bug::NoAcknowledgement) => true,
                _ => Timestamp { time, process } >= stamp,
            }
        })
    }

    fn deliver(&mut self, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        while let Some((stamp, operation)) = self.held_back.first().copied()
            && self.settled(stamp)
        {
            self.held_back.remove(0);
            self.account.apply(operation);
            let text = format!("{operation}: {}", self.account);
            out.local(Deed::Deliver(stamp, text))?;
        }
        Ok(())
    }
}

impl Process for Total {
    type Message = Said;

    fn new(me: ProcessId, processes: usize, bug: Option<Bug>) -> Self {
        Self {
            me,
            bug,
            account: Account::new(),
            held_back: Vec::new(),
            heard: vec![0; processes],
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
        self.heard[from.index()] = message.time;
        if let Said::Multicast(operation) = message.content {
            let stamp = message.stamp(from);
            self.hold_back(stamp, operation);
            out.send(To::All, Said::Acknowledgement(stamp))?;
        }
        self.deliver(out)
    }

    /// The textbook's customer is the first process, its bank the second, and so on in turn.
    fn timer(&mut self, out: &mut Outbox<'_, Said>) -> Result<(), Overflow> {
        if self.is_full() {
            out.pause(Pause::Think);
            return Ok(());
        }
        let operation = match self.me.index() % 2 {
            0 => Operation::Pay(100),
            _ if self.account.is_rich() => Operation::Percent(-50),
            _ => Operation::Percent(1),
        };
        self.multicast(operation, out)?;
        out.pause(Pause::Think);
        Ok(())
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Said>) -> Result<(), Refusal> {
        match command {
            Command::Multicast(_) if self.is_full() => {
                let why = "too many of its own are not delivered yet";
                Err(Refusal::No(why.to_owned()))
            }
            Command::Multicast(text) => {
                let operation = text.parse().map_err(Refusal::No)?;
                Ok(self.multicast(operation, out)?)
            }
            _ => Err(Refusal::Unknown),
        }
    }

    fn idle(&self) -> bool {
        self.held_back.is_empty()
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        let held_back = self.held_back.iter().map(|(stamp, operation)| {
            let (process, time) = (names.of(stamp.process), stamp.time);
            format!("{operation} of {process} at {time} is not acknowledged by all")
        });
        let account = format!("the account has {}", self.account);
        held_back.chain([account]).collect()
    }
}
