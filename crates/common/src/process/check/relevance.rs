//! What of a process's state makes a difference from now on: for the model checker, which visits states that act the same
//! only once.

use crate::process::{Process, Stamped, clock::Timestamp, ids::ProcessId};

/// Later than every time: a state in which only that is known of a time.
pub const LATER: u64 = u64::MAX;

/// How a time is used. Only the relations between the times in use make a difference, so that they can be renumbered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Use {
    /// It is compared with all others.
    Compared,
    /// It is compared with those that are [`Self::Compared`].
    Bound,
    /// It tells what this process did from what else it did.
    Named(ProcessId),
}

/// Visits a time in use.
pub type Visit<'v> = &'v mut dyn FnMut(&mut u64, Use);

/// Whether a process may still start an operation.
pub type MayStart<'s> = &'s dyn Fn(ProcessId) -> bool;

/// An algorithm whose states can be compared by what makes a difference from now on, where channels are reliable and FIFO.
/// The clock of a process makes none: a process may have further events at any time, which advance it.
pub trait Relevance: Process {
    /// Forgets what makes no difference any more. A time of which only the relation to the process's own request is
    /// known becomes 0 or [`LATER`].
    fn forget(&mut self) {}

    /// Forgets what of a message in flight to this process makes no difference when it arrives.
    fn forget_in_flight(&self, _from: ProcessId, message: &mut Stamped<Self::Message>) {
        message.time = 0;
    }

    /// Visits the times in use; 0 and [`LATER`] are none.
    fn times(&mut self, _visit: Visit<'_>) {}

    /// Visits the times in a message in flight.
    fn times_in_flight(_from: ProcessId, _message: &mut Stamped<Self::Message>, _visit: Visit<'_>) {
    }

    /// Whether the receipt of this message, the first of its channel, makes the same difference whatever else happens
    /// first: to the state of this process, to the messages in each channel, and to the properties.
    fn commutes(
        &self,
        _from: ProcessId,
        _message: &Stamped<Self::Message>,
        _may_start: MayStart<'_>,
    ) -> bool {
        false
    }
}

/// What is known of a time when only its relation to the request makes a difference.
pub fn relation(time: u64, process: ProcessId, request: Timestamp) -> u64 {
    if (Timestamp { time, process }) > request {
        LATER
    } else {
        0
    }
}
