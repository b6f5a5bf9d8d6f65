//! Distributed snapshots (Chandy & Lamport 1985, "Distributed snapshots: determining global states of distributed systems"): the
//! initiator records its state and sends a **marker** through each channel, before any further message. A process that a marker
//! reaches for the first time does the same, before it receives anything else. What it receives on another channel until the marker
//! of that channel is the state of the channel. This requires FIFO channels.
//!
//! Each process reports what it has recorded to the initiator. A snapshot is known by its initiator and its number there.

mod initiator;
mod message;
mod recording;

use common::process::{
    Command, Meaning, Outbox, Process, Refusal, Stamped, TimerKind, To,
    check::relevance::Relevance,
    clock::{Overflow, Timestamp},
    ids::{Names, ProcessId},
};

pub use self::message::Payload;
use self::recording::Recording;
use super::branch::{Banking, Branch, transfer_of};
use crate::bug::Bug;

/// A process that takes part in snapshots.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Snapshot {
    branch: Branch,
    bug: Option<Bug>,
    /// The number of the latest snapshot of each initiator that this process knows of.
    latest: Vec<u64>,
    /// The snapshots that it is recording, at most one of each initiator.
    recordings: Vec<Recording>,
    /// What each process has reported of the own snapshot, while that is not complete.
    reports: Option<Vec<Option<i64>>>,
}

impl Snapshot {
    /// Its latest own snapshot.
    fn own(&self) -> Timestamp {
        let process = self.branch.me;
        let time = self.latest[process.index()];
        Timestamp { time, process }
    }

    fn recording(&mut self, id: Timestamp) -> Option<&mut Recording> {
        self.recordings.iter_mut().find(|it| it.id == id)
    }

    /// Begins to record a snapshot, in place of an earlier one of its initiator.
    fn begin(&mut self, id: Timestamp) {
        self.latest[id.process.index()] = id.time;
        self.recordings.retain(|it| it.id.process != id.process);
        let others = self.branch.me.others(self.branch.processes);
        self.recordings.push(Recording::new(id, others));
    }

    /// Records the own state.
    fn record(&mut self, id: Timestamp, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let balance = self.branch.balance();
        if let Some(recording) = self.recording(id) {
            recording.balance = Some(balance);
            out.local(Meaning::Record(id, balance))?;
        }
        Ok(())
    }

    /// A marker is received: it ends the state of its channel. With the last one the process has recorded everything.
    fn marked(
        &mut self,
        from: ProcessId,
        id: Timestamp,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let Some(recording) = self.recording(id) else {
            // Of an old snapshot.
            return Ok(());
        };
        recording.close(from);
        let Some((balance, in_transit)) = recording.complete() else {
            return Ok(());
        };
        self.recordings.retain(|it| it.id != id);
        if id.process == self.branch.me {
            return self.collect(id.process, balance, in_transit, out);
        }
        let report = Payload::Report(id, balance, in_transit);
        out.send(To::One(id.process), report).map(|_| ())
    }
}

impl Process for Snapshot {
    type Message = Payload;
    type Settings = Option<Bug>;

    const ACTS_BEFORE_RECEIVING: bool = true;

    fn new(me: ProcessId, processes: usize, bug: &Option<Bug>) -> Self {
        Self {
            branch: Branch::new(me, processes),
            bug: *bug,
            latest: vec![0; processes],
            recordings: Vec::new(),
            reports: None,
        }
    }

    fn start(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        out.set_timer(TimerKind::Think);
        Ok(())
    }

    /// When the first marker of a snapshot has arrived, the process records its state and sends its own markers, before it receives
    /// that one.
    fn before_receiving(
        &mut self,
        from: ProcessId,
        message: &Stamped<Payload>,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<Option<Meaning>, Overflow> {
        let id = match message.content {
            Payload::Transfer(number, amount) => {
                return Ok(Some(Meaning::Credit(transfer_of(from, number), amount)));
            }
            Payload::Report(..) => return Ok(None),
            Payload::Marker(id) => id,
        };
        let latest = self.latest.get(id.process.index());
        let is_first = latest.is_some_and(|latest| *latest < id.time);
        if is_first {
            self.begin(id);
        }
        let waits_for_last = self.bug == Some(Bug::LateRecord);
        let Some(recording) = self.recording(id) else {
            return Ok(None);
        };
        let is_due = !waits_for_last || recording.waits_only_for(from);
        let channel = recording.channel(from);
        if recording.balance.is_none() && is_due {
            self.record(id, out)?;
        }
        if is_first && self.bug != Some(Bug::NoMarker) {
            out.send(To::All, Payload::Marker(id))?;
        }
        Ok(channel.map(|amount| Meaning::RecordChannel(id, from, amount)))
    }

    fn receive(
        &mut self,
        from: ProcessId,
        message: Stamped<Payload>,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        match message.content {
            Payload::Transfer(_, amount) => {
                self.branch.credit(amount);
                if self.bug != Some(Bug::NoChannelState) {
                    let recordings = self.recordings.iter_mut();
                    recordings.for_each(|recording| recording.arrive(from, amount));
                }
                Ok(())
            }
            Payload::Marker(id) => self.marked(from, id, out),
            Payload::Report(id, balance, in_transit) if id == self.own() => {
                self.collect(from, balance, in_transit, out)
            }
            // Of an old snapshot.
            Payload::Report(..) => Ok(()),
        }
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
        self.reports.is_none() && self.recordings.is_empty()
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        let recordings = self.recordings.iter().map(|it| it.words(names));
        let balance = format!("balance: {}", self.branch.balance());
        recordings.chain([balance]).collect()
    }
}

/// No process compares times.
impl Relevance for Snapshot {}
