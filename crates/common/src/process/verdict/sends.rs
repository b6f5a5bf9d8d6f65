//! The send that belongs to each receive, by the sender's number of the message.

use super::run::NONE;
use crate::process::{
    ids::ProcessId,
    run_event::{MessageAction, RunEvent},
};

/// The sends so far, by sender and number.
#[derive(Debug)]
pub(super) struct Sends(Vec<Vec<(u64, usize)>>);

impl Sends {
    /// For each event the index of the send that it receives, or [`NONE`].
    pub(super) fn of_all(processes: usize, events: &[RunEvent]) -> Vec<u32> {
        let mut sends = Self(vec![Vec::new(); processes]);
        let found = events.iter().enumerate();
        found
            .map(|(index, event)| sends.see(index, event).map_or(NONE, |send| send as u32))
            .collect()
    }

    /// The next event, with its index; returns the index of the send that it receives.
    fn see(&mut self, index: usize, event: &RunEvent) -> Option<usize> {
        match event.what {
            MessageAction::Send { number, .. } => {
                self.0[event.process.index()].push((number, index));
                None
            }
            MessageAction::Receive { from, number, .. } => self.find(from, number),
            MessageAction::Local => None,
        }
    }

    /// The numbers increase, nearly always from 1 without a gap.
    fn find(&self, from: ProcessId, number: u64) -> Option<usize> {
        let sent = self.0.get(from.index())?;
        let guess = number.checked_sub(1)? as usize;
        let index = match sent.get(guess) {
            Some((found, _)) if *found == number => guess,
            _ => sent.binary_search_by_key(&number, |sent| sent.0).ok()?,
        };
        Some(sent[index].1)
    }
}
