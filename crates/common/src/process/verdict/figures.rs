//! The counts of a run.

use super::super::{
    Meaning, To,
    run_event::{MessageAction, RunEvent},
};
use crate::{exit::Summary, text::plural};

/// The counts of a run.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Figures {
    /// Events.
    pub events: u64,
    /// Messages sent, each copy of a multicast.
    pub sent: u64,
    /// Messages received.
    pub received: u64,
    /// Entries to the critical section.
    pub entries: u64,
    /// Deliveries of multicasts, at all processes.
    pub delivered: u64,
    /// Look-ups that started.
    pub look_ups: u64,
    /// Look-ups that ended.
    pub found: u64,
}

impl Figures {
    pub(super) fn count(&mut self, event: &RunEvent, processes: usize) {
        self.events += 1;
        match &event.what {
            MessageAction::Send { to: To::All, .. } => self.sent += processes as u64 - 1,
            MessageAction::Send { .. } => self.sent += 1,
            MessageAction::Receive { .. } => self.received += 1,
            MessageAction::Local => {}
        }
        match &event.meaning {
            Some(Meaning::Enter(_)) => self.entries += 1,
            Some(Meaning::Deliver(..)) => self.delivered += 1,
            Some(Meaning::LookUp(_)) => self.look_ups += 1,
            Some(Meaning::Found(..)) => self.found += 1,
            _ => {}
        }
    }

    /// Adds those that every run has to the counts of a summary.
    #[must_use]
    pub fn counted(&self, summary: Summary) -> Summary {
        summary
            .count("events", self.events)
            .count("sent", self.sent)
            .count("received", self.received)
    }

    /// Those that every run has, in words.
    pub fn words(&self) -> String {
        let (events, sent) = (plural(self.events, "event"), plural(self.sent, "message"));
        format!("{events}, {sent}")
    }
}
