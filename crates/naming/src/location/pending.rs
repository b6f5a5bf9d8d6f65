//! The look-ups of a process that wait for an answer, and when they are given up.

use std::collections::BTreeMap;

use common::process::{Outbox, TimerKind, clock::Overflow, ids::ProcessId};

use super::entities::finds;
use crate::name::Name;

/// How often a request is sent before its look-up is given up.
pub const TRIES: u8 = 3;

/// How often a request may be sent on from one to another: a process that lies cannot make it go round for ever.
pub const MOST_STEPS: u16 = 1_000;

/// A request's number among those of its process. An answer bears it, so that one that comes late or twice is not taken for
/// the answer of a later look-up.
pub type Number = u32;

/// What waits for an answer.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Open<T> {
    /// How often it was asked for.
    pub tries: u8,
    /// Whether a whole timeout has passed since it was asked for: the timer may have been set for an earlier request.
    waited: bool,
    /// How often somebody else had to be asked.
    steps: u16,
    /// What the scheme keeps of it.
    pub with: T,
}

/// The requests that wait for an answer, by their numbers.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Pending<T> {
    open: BTreeMap<Number, Open<T>>,
    last: Number,
}

impl<T> Default for Pending<T> {
    fn default() -> Self {
        Self {
            open: BTreeMap::new(),
            last: 0,
        }
    }
}

impl<T> Pending<T> {
    /// A new request; returns its number. The timer is set only when nothing waited before: a steady flow of requests would put it
    /// off for ever.
    pub fn begin<M>(&mut self, with: T, out: &mut Outbox<'_, M>) -> Number {
        if self.is_empty() {
            out.set_timer(TimerKind::Timeout);
        }
        self.start(with)
    }

    /// Sets the timer again, as long as something waits.
    pub fn wait<M>(&self, out: &mut Outbox<'_, M>) {
        if !self.is_empty() {
            out.set_timer(TimerKind::Timeout);
        }
    }

    fn start(&mut self, with: T) -> Number {
        self.last = self.last.wrapping_add(1);
        let open = Open {
            tries: 1,
            waited: false,
            steps: 0,
            with,
        };
        self.open.insert(self.last, open);
        self.last
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The request with this number, if it still waits.
    pub fn get(&mut self, number: Number) -> Option<&mut Open<T>> {
        self.open.get_mut(&number)
    }

    /// The request with this number waits for another answer from now on; None when it does not wait any more, or has been sent
    /// from one to another too often.
    pub fn step(&mut self, number: Number) -> Option<&mut Open<T>> {
        let open = self.open.get_mut(&number)?;
        open.waited = false;
        open.steps += 1;
        (open.steps <= MOST_STEPS).then_some(open)
    }

    /// The request is answered, or given up.
    pub fn finish(&mut self, number: Number) -> Option<Open<T>> {
        self.open.remove(&number)
    }

    /// All requests that wait, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (Number, &Open<T>)> {
        self.open.iter().map(|(number, open)| (*number, open))
    }

    /// The timer has expired: returns the requests that have waited for a whole timeout; the others are marked, so that they
    /// have when it expires the next time.
    pub fn expired(&mut self) -> Vec<Number> {
        let waited = self.open.iter().filter(|(_, open)| open.waited);
        let expired = waited.map(|(number, _)| *number).collect();
        for open in self.open.values_mut() {
            open.waited = true;
        }
        expired
    }

    /// Counts one more try of a request; returns whether it may be sent again.
    pub fn again(&mut self, number: Number) -> bool {
        self.again_of(number, TRIES)
    }

    /// The same, where a request may be sent this many times.
    pub fn again_of(&mut self, number: Number, tries: u8) -> bool {
        let Some(open) = self.open.get_mut(&number) else {
            return false;
        };
        open.tries += 1;
        open.waited = false;
        open.tries <= tries
    }
}

/// Look-ups of names by the application, of which nothing else is kept.
impl Pending<Name> {
    /// The look-up with this number ends, if it still waits: the entity is at this process, or is not found.
    ///
    /// # Errors
    /// At the end of the clock's range.
    pub fn found<M>(
        &mut self,
        number: Number,
        at: Option<ProcessId>,
        out: &mut Outbox<'_, M>,
    ) -> Result<(), Overflow> {
        match self.finish(number) {
            Some(open) => finds(&open.with, at, out),
            None => Ok(()),
        }
    }

    /// Counts one more try of a look-up that has waited for too long: returns the name to ask for again, or gives it up.
    ///
    /// # Errors
    /// At the end of the clock's range.
    pub fn retry<M>(
        &mut self,
        number: Number,
        out: &mut Outbox<'_, M>,
    ) -> Result<Option<Name>, Overflow> {
        if self.again(number) {
            return Ok(self.get(number).map(|open| open.with.clone()));
        }
        self.found(number, None, out).map(|()| None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_given_up_after_its_tries() {
        let mut pending = Pending::default();
        let number = pending.start(());
        assert!(pending.expired().is_empty());
        let later = pending.start(());
        assert_eq!(pending.expired(), [number]);
        assert!(pending.again(number) && pending.again(number) && !pending.again(number));
        assert_eq!(pending.expired(), [later]);
        assert!(pending.finish(number).is_some() && pending.finish(number).is_none());
        pending.finish(later);
        assert!(pending.is_empty() && !pending.again(number));
    }
}
