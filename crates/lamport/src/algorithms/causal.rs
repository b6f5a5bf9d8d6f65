//! Causally ordered multicast (Birman, Schiper & Stephenson 1991, "Lightweight Causal and Atomic Group Multicast"; van
//! Steen & Tanenbaum, "Vector clocks"): a reply is never delivered before the message that it answers. Every multicast
//! carries how many multicasts of each process its sender had delivered; a receiver that has delivered fewer holds it back.

use common::process::{
    Command, Meaning, Message, Outbox, Process, Refusal, Stamped, TimerKind, To,
    check::relevance::{MayStart, Relevance, Use, Visit},
    clock::{Overflow, Timestamp},
    ids::{Names, ProcessId},
};
use serde::{Deserialize, Serialize};

use crate::{
    bug::{self, Bug},
    vector_clock::VectorClock,
};

/// A process that multicasts to all others.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Causal {
    me: ProcessId,
    bug: Option<Bug>,
    /// How many multicasts of each process this one has delivered; it delivers its own at once.
    delivered: VectorClock,
    /// The hold-back queue: multicasts that are not due.
    held_back: Vec<(Timestamp, Payload)>,
}

/// A multicast.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Payload {
    /// How many multicasts of each process its sender had delivered, this one included.
    pub after: VectorClock,
    /// The application's text.
    pub text: String,
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        "multicast"
    }

    fn text(&self) -> String {
        format!("{} {}", self.after, self.text)
    }
}

impl Causal {
    fn multicast(&mut self, text: String, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.delivered.tick(self.me)?;
        let payload = Payload {
            after: self.delivered.clone(),
            text,
        };
        let meaning = Meaning::Multicast(payload.text());
        let text = payload.text.clone();
        let stamp = out.send_as(meaning, To::All, payload)?;
        out.local(Meaning::Deliver(stamp, text))?;
        Ok(())
    }

    /// Whether the multicast is the sender's next one, and all that the sender had delivered is delivered here.
    fn is_due(&self, from: ProcessId, payload: &Payload) -> bool {
        ProcessId::all(self.delivered.processes()).all(|process| {
            let (had, have) = (payload.after.of(process), self.delivered.of(process));
            if process == from {
                had == have + 1
            } else {
                had <= have
            }
        })
    }

    fn deliver(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let due = |held: &(Timestamp, Payload)| {
            self.bug == Some(Bug::NoHoldBack) || self.is_due(held.0.process, &held.1)
        };
        if let Some(place) = self.held_back.iter().position(due) {
            let (stamp, payload) = self.held_back.remove(place);
            self.delivered.tick(stamp.process)?;
            out.local(Meaning::Deliver(stamp, payload.text))?;
            // This delivery may make others due.
            self.deliver(out)?;
        }
        Ok(())
    }
}

impl Process for Causal {
    type Message = Payload;
    type Settings = Option<Bug>;

    fn new(me: ProcessId, processes: usize, bug: &Option<Bug>) -> Self {
        Self {
            me,
            bug: *bug,
            delivered: VectorClock::new(processes),
            held_back: Vec::new(),
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
        let stamp = message.stamp(from);
        if message.content.after.processes() == self.delivered.processes() {
            self.held_back.push((stamp, message.content));
        }
        self.deliver(out)
    }

    fn timer(&mut self, _: TimerKind, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let number = self.delivered.of(self.me) + 1;
        self.multicast(format!("news {number}"), out)?;
        out.set_timer(TimerKind::Think);
        Ok(())
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Payload>) -> Result<(), Refusal> {
        match command {
            Command::Multicast(text) => Ok(self.multicast(text, out)?),
            _ => Err(Refusal::Unknown),
        }
    }

    fn idle(&self) -> bool {
        self.held_back.is_empty()
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        let held_back = self.held_back.iter().map(|(stamp, payload)| {
            let text = common::text::visible(payload.text.as_bytes());
            let text = common::text::content(&text, Some(payload.text.len() as u64));
            let (process, after) = (names.of(stamp.process), &payload.after);
            format!("{process}'s '{text}' {after}, held back until its causes are delivered")
        });
        let delivered = format!("delivered multicasts of each process: {}", self.delivered);
        held_back.chain([delivered]).collect()
    }
}

/// A timestamp only tells a process's multicasts apart.
impl Relevance for Causal {
    fn forget(&mut self) {
        // Those that one receipt makes due are delivered together.
        self.held_back.sort_by_key(|(stamp, _)| *stamp);
    }

    fn forget_in_flight(&self, _: ProcessId, _: &mut Stamped<Payload>) {}

    fn times(&mut self, visit: Visit<'_>) {
        for (stamp, _) in &mut self.held_back {
            visit(&mut stamp.time, Use::Named(stamp.process));
        }
    }

    fn times_in_flight(from: ProcessId, message: &mut Stamped<Payload>, visit: Visit<'_>) {
        visit(&mut message.time, Use::Named(from));
    }

    fn commutes(&self, _: ProcessId, _: &Stamped<Payload>, may_start: MayStart<'_>) -> bool {
        self.bug.is_none() && !may_start(self.me)
    }
}
