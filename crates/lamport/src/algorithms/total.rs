//! Totally ordered multicast (van Steen & Tanenbaum, Distributed Systems, "Example: Totally ordered multicasting"): every
//! process holds a multicast back until all processes have acknowledged it, and delivers in timestamp order. So all
//! replicas of the bank account apply the same operations in the same order.
//!
//! An acknowledgement shows that its sender's clock is past the multicast's time, so that no multicast with a smaller
//! timestamp can follow; any later message shows the same. This requires reliable FIFO channels.

use common::process::{
    Command, Meaning, Message, Outbox, Process, Refusal, Stamped, TimerKind, To,
    check::relevance::{MayStart, Relevance, Use, Visit},
    clock::{Overflow, Timestamp},
    ids::{Names, ProcessId},
};
use serde::{Deserialize, Serialize};

use super::bank::{Account, Operation};
use crate::bug::{self, Bug};

/// How many undelivered multicasts a process may have itself; bounds the hold-back queue.
const MOST_UNDELIVERED: usize = 1_000;

/// A process with a replica of the account.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Total {
    me: ProcessId,
    bug: Option<Bug>,
    account: Account,
    /// The hold-back queue, in the order of delivery.
    held_back: Vec<(Timestamp, Operation)>,
    /// The time of the latest message from each process.
    heard: Vec<u64>,
}

/// The algorithm's messages.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// All replicas apply this operation; the multicast's timestamp is the message's.
    Multicast(Operation),
    /// The sender has received the multicast with this timestamp.
    Acknowledgement(Timestamp),
}

impl Message for Payload {
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
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let meaning = Meaning::Multicast(operation.to_string());
        let stamp = out.send_as(meaning, To::All, Payload::Multicast(operation))?;
        self.hold_back(stamp, operation);
        self.deliver(out)
    }

    /// Whether the process has too many undelivered multicasts to start another.
    fn is_full(&self) -> bool {
        let held_back = self.held_back.iter();
        held_back
            .filter(|(stamp, _)| stamp.process == self.me)
            .count()
            >= MOST_UNDELIVERED
    }

    fn hold_back(&mut self, stamp: Timestamp, operation: Operation) {
        let place = self.held_back.partition_point(|(other, _)| match self.bug {
            Some(Bug::NoTieBreak) => other.time <= stamp.time,
            _ => *other < stamp,
        });
        self.held_back.insert(place, (stamp, operation));
    }

    /// Whether no multicast with a smaller timestamp can arrive.
    fn is_stable(&self, stamp: Timestamp) -> bool {
        self.me.others(self.heard.len()).all(|process| {
            let time = self.heard[process.index()];
            match self.bug {
                Some(Bug::NoTieBreak) => time >= stamp.time,
                Some(Bug::NoAcknowledgement) => true,
                _ => Timestamp { time, process } >= stamp,
            }
        })
    }

    fn deliver(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        while let Some((stamp, operation)) = self.held_back.first().copied()
            && self.is_stable(stamp)
        {
            self.held_back.remove(0);
            self.account.apply(operation);
            let text = format!("{operation}: {}", self.account);
            out.local(Meaning::Deliver(stamp, text))?;
        }
        Ok(())
    }
}

impl Process for Total {
    type Message = Payload;
    type Settings = Option<Bug>;

    fn new(me: ProcessId, processes: usize, bug: &Option<Bug>) -> Self {
        Self {
            me,
            bug: *bug,
            account: Account::new(),
            held_back: Vec::new(),
            heard: vec![0; processes],
        }
    }

    fn advances_past_messages(bug: &Option<Bug>) -> bool {
        bug::advances(*bug)
    }

    fn start(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        out.set_timer(TimerKind::Think);
        Ok(())
    }

    fn receive(
        &mut self,
        from: ProcessId,
        message: Stamped<Payload>,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        self.heard[from.index()] = message.time;
        if let Payload::Multicast(operation) = message.content {
            let stamp = message.stamp(from);
            self.hold_back(stamp, operation);
            out.send(To::All, Payload::Acknowledgement(stamp))?;
        }
        self.deliver(out)
    }

    /// The first process is the textbook's customer, the second its bank, and so on in turn.
    fn timer(&mut self, _: TimerKind, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        if self.is_full() {
            out.set_timer(TimerKind::Think);
            return Ok(());
        }
        let operation = match self.me.index() % 2 {
            0 => Operation::Pay(100),
            _ if self.account.is_rich() => Operation::Percent(-50),
            _ => Operation::Percent(1),
        };
        self.multicast(operation, out)?;
        out.set_timer(TimerKind::Think);
        Ok(())
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Payload>) -> Result<(), Refusal> {
        match command {
            Command::Multicast(_) if self.is_full() => {
                let why = "too many of this process's multicasts are undelivered";
                Err(Refusal::Invalid(why.to_owned()))
            }
            Command::Multicast(text) => {
                let operation = text.parse().map_err(Refusal::Invalid)?;
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
            format!("{operation} of {process} at {time}, held back until all have acknowledged it")
        });
        let account = format!("balance: {}", self.account);
        held_back.chain([account]).collect()
    }
}

/// The timestamps of multicasts are compared with each other, and with the time of the latest message of each process.
impl Relevance for Total {
    fn forget_in_flight(&self, _: ProcessId, message: &mut Stamped<Payload>) {
        if let Payload::Acknowledgement(multicast) = &mut message.content {
            // No process reads it.
            *multicast = Timestamp {
                time: 0,
                process: ProcessId(0),
            };
        }
    }

    fn times(&mut self, visit: Visit<'_>) {
        for (multicast, _) in &mut self.held_back {
            visit(&mut multicast.time, Use::Compared);
        }
        for heard in &mut self.heard {
            visit(heard, Use::Bound);
        }
    }

    fn times_in_flight(_: ProcessId, message: &mut Stamped<Payload>, visit: Visit<'_>) {
        let compared = match message.content {
            Payload::Multicast(_) => Use::Compared,
            Payload::Acknowledgement(_) => Use::Bound,
        };
        visit(&mut message.time, compared);
    }

    fn commutes(&self, _: ProcessId, message: &Stamped<Payload>, may_start: MayStart<'_>) -> bool {
        match message.content {
            Payload::Acknowledgement(_) => true,
            // A later multicast could be earlier or later than the acknowledgement. With a bug the order of delivery is
            // that of arrival.
            Payload::Multicast(_) => {
                self.bug.is_none() && !ProcessId::all(self.heard.len()).any(may_start)
            }
        }
    }
}
