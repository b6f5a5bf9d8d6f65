//! Distributed snapshots without FIFO channels (Mattern 1989, "Virtual time and global states of distributed systems"): every
//! message carries the vector time of its sender, and a process that a later time reaches records its state before it receives the
//! message. So no message is received before the cut that was sent after it. Only snapshots advance the time, each that of its
//! initiator, as the paper proposes: it tells on which side of which cut a message was sent.
//!
//! A message that crosses the cut is passed on to the initiator. It knows from **counters** how many there are: all that were sent
//! before the cut, less all that were received before it.

mod collected;
mod initiator;
mod message;

use common::process::{
    Command, Meaning, Outbox, Process, Refusal, Stamped, TimerKind, To,
    check::relevance::Relevance,
    clock::{Overflow, Timestamp},
    ids::{Names, ProcessId},
};

use self::collected::Collected;
pub use self::message::{Content, Payload};
use super::branch::{Banking, Branch, transfer_of};
use crate::{bug::Bug, vector_clock::VectorClock};

/// A process that takes part in snapshots.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct VectorSnapshot {
    branch: Branch,
    bug: Option<Bug>,
    /// How many snapshots of each process it has recorded.
    time: VectorClock,
    /// The transfers that it has sent, less those that it has received.
    surplus: i64,
    /// Its own snapshot, while that is not complete.
    own: Option<Collected>,
}

impl VectorSnapshot {
    fn with(&self, content: Content) -> Payload {
        let time = self.time.clone();
        Payload { time, content }
    }

    /// Records the own state for this snapshot, and reports it.
    fn record(&mut self, id: Timestamp, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.time.advance(id.process, id.time);
        let (balance, surplus) = (self.branch.balance(), self.surplus);
        out.local(Meaning::Record(id, balance))?;
        if let Some(own) = self.own.as_mut().filter(|_| id.process == self.branch.me) {
            own.state(id.process, balance, surplus);
            return Ok(());
        }
        let report = self.with(Content::Report(id.time, balance, surplus));
        out.send(To::One(id.process), report).map(|_| ())
    }

    /// A transfer is received: where it crosses the cut of a snapshot, its initiator has to know of it.
    fn credit(
        &mut self,
        from: ProcessId,
        (sent, amount): (&VectorClock, u32),
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        self.branch.credit(amount);
        self.surplus -= 1;
        for process in ProcessId::all(self.branch.processes) {
            let time = self.time.of(process);
            // A snapshot begins when the one before it is complete, so that no transfer crosses more than the last one.
            if sent.of(process).checked_add(1) != Some(time) {
                continue;
            }
            let meaning = Meaning::RecordChannel(Timestamp { time, process }, from, amount);
            if process == self.branch.me {
                out.local(meaning)?;
                self.own.iter_mut().for_each(|own| own.message(amount));
            } else {
                let message = self.with(Content::InTransit(time, amount));
                out.send_as(meaning, To::One(process), message)?;
            }
        }
        Ok(())
    }
}

impl Process for VectorSnapshot {
    type Message = Payload;
    type Settings = Option<Bug>;

    const ACTS_BEFORE_RECEIVING: bool = true;

    fn new(me: ProcessId, processes: usize, bug: &Option<Bug>) -> Self {
        Self {
            branch: Branch::new(me, processes),
            bug: *bug,
            time: VectorClock::new(processes),
            surplus: 0,
            own: None,
        }
    }

    fn start(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        out.set_timer(TimerKind::Think);
        Ok(())
    }

    /// When the message was sent after the cut of a snapshot that this process has not recorded, it records it first.
    fn before_receiving(
        &mut self,
        from: ProcessId,
        message: &Stamped<Payload>,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<Option<Meaning>, Overflow> {
        let Payload {
            time: sent,
            content,
        } = &message.content;
        let is_transfer = matches!(content, Content::Transfer(..));
        let is_blind = is_transfer && self.bug == Some(Bug::NoPiggyback);
        if sent.processes() == self.time.processes() && !is_blind {
            for process in self.branch.me.others(self.branch.processes) {
                let time = sent.of(process);
                if time > self.time.of(process) {
                    self.record(Timestamp { time, process }, out)?;
                }
            }
        }
        Ok(match *content {
            Content::Transfer(number, amount) => {
                Some(Meaning::Credit(transfer_of(from, number), amount))
            }
            _ => None,
        })
    }

    fn receive(
        &mut self,
        from: ProcessId,
        message: Stamped<Payload>,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let Payload {
            time: sent,
            content,
        } = message.content;
        let number = self.time.of(self.branch.me);
        match content {
            Content::Transfer(_, amount) => self.credit(from, (&sent, amount), out)?,
            Content::Report(snapshot, balance, surplus) if snapshot == number => {
                let own = self.own.iter_mut();
                own.for_each(|own| own.state(from, balance, surplus));
            }
            Content::InTransit(snapshot, amount) if snapshot == number => {
                self.own.iter_mut().for_each(|own| own.message(amount));
            }
            // Of an old snapshot; or nothing but its time.
            Content::Report(..) | Content::InTransit(..) | Content::Snapshot => {}
        }
        self.complete(out)
    }

    fn timer(&mut self, _: TimerKind, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.operate(out)?;
        out.set_timer(TimerKind::Think);
        Ok(())
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Payload>) -> Result<(), Refusal> {
        self.obey(command, out)
    }

    fn idle(&self) -> bool {
        self.own.is_none()
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        let own = self.own.iter().map(|own| own.words(names));
        let balance = format!("balance: {}", self.branch.balance());
        own.chain([balance]).collect()
    }
}

/// No process compares times.
impl Relevance for VectorSnapshot {}
