//! The counts of a run.

use common::{
    exit::Summary,
    process::{Meaning, To},
    text::plural,
};

use crate::{
    algorithms::Algorithm,
    run_event::{MessageAction, RunEvent},
};

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
            _ => {}
        }
    }

    /// Adds them to the counts of a summary.
    #[must_use]
    pub fn counted(&self, summary: Summary) -> Summary {
        summary
            .count("events", self.events)
            .count("sent", self.sent)
            .count("received", self.received)
            .count("entries", self.entries)
            .count("delivered", self.delivered)
    }

    /// In words.
    pub fn words(&self, algorithm: Algorithm) -> String {
        let mut words = format!(
            "{}, {}",
            plural(self.events, "event"),
            plural(self.sent, "message")
        );
        if self.entries > 0 {
            let each = self.sent as f64 / self.entries as f64;
            let entries = if self.entries == 1 {
                "entry"
            } else {
                "entries"
            };
            words += &format!(", {} {entries}: {each:.1} messages each", self.entries);
        }
        if matches!(algorithm, Algorithm::Total | Algorithm::Causal) {
            words += &format!(", {} delivered", self.delivered);
        }
        words
    }
}
