//! A packed state: the numbers of its parts. Beside a part's number stand the few bits that most steps need of it.

use crate::process::{TimerKind, timers::Timers};
use smallvec::SmallVec;

use crate::process::check::system::{FaultBudget, InFlight, MOST_PROCESSES};

/// The most processes.
pub(super) const MOST: usize = MOST_PROCESSES;

/// The places of the monitor and of the faults; those of the nodes and rows are before them.
pub(super) const MONITOR: usize = 2 * MOST;
pub(super) const FAULTS: usize = 2 * MOST + 1;

/// The messages in flight from one sender, by receiver and in the order of sending.
pub(super) type Row<M> = SmallVec<[InFlight<M>; 4]>;

/// A packed state: 88 bytes, for at most [`MOST`] processes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Packed {
    /// The sum of the parts' hashes, each times the factor of its place.
    pub(super) hash: u64,
    pub(super) nodes: [u32; MOST],
    /// For each sender, its messages in flight.
    pub(super) rows: [u32; MOST],
    pub(super) monitor: u32,
    /// Messages that may still be lost, duplicated and reordered, processes that may crash, and wrong suspicions.
    budget: [u8; 5],
    /// The crashed processes, a bit for each.
    crashed: u8,
    /// The commands that were given, a bit for each.
    given: u16,
}

impl Packed {
    /// Another part stands in this place; the difference of their hashes.
    #[inline]
    pub(super) fn change(&mut self, place: usize, hash: u64) {
        self.hash = self.hash.wrapping_add(hash.wrapping_mul(factor(place)));
    }

    /// Another step of the network or a crash has happened.
    #[inline]
    pub(super) fn change_faults(&mut self, budget: FaultBudget, crashed: u16) {
        let before = self.faults();
        self.set_faults(budget, crashed);
        let hash = self.faults().wrapping_sub(before);
        self.change(FAULTS, hash);
    }

    #[inline]
    pub(super) fn set_faults(&mut self, budget: FaultBudget, crashed: u16) {
        self.budget = [
            budget.lost,
            budget.duplicated,
            budget.reordered,
            budget.crashed,
            budget.suspected,
        ];
        self.crashed = crashed as u8;
    }

    #[inline]
    pub(super) fn budget_and_crashed(&self) -> (FaultBudget, u16) {
        let [lost, duplicated, reordered, crashed, suspected] = self.budget;
        let budget = FaultBudget {
            lost,
            duplicated,
            reordered,
            crashed,
            suspected,
        };
        (budget, self.crashed.into())
    }

    /// The command with this index is given.
    #[inline]
    pub(super) fn give(&mut self, index: usize) {
        let before = self.faults();
        self.given |= 1 << index;
        let hash = self.faults().wrapping_sub(before);
        self.change(FAULTS, hash);
    }

    #[inline]
    pub(super) fn set_given(&mut self, given: u16) {
        self.given = given;
    }

    #[inline]
    pub(super) fn given(&self) -> u16 {
        self.given
    }

    /// The faults and the commands as a number.
    #[inline]
    pub(super) fn faults(&self) -> u64 {
        let [lost, duplicated, reordered, crashed, suspected] = self.budget;
        let budget = u32::from_le_bytes([lost, duplicated, reordered, crashed]);
        u64::from(suspected) << 56
            | u64::from(self.given) << 40
            | u64::from(budget) << 8
            | u64::from(self.crashed)
    }
}

/// The factor of a place: odd, and unlike those of the others.
#[inline]
pub(super) fn factor(place: usize) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = (place as u64 + 1).wrapping_mul(ODD);
    (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) | 1
}

/// A node's number, and which of its timers can expire.
#[inline]
pub(super) fn pack_node(number: u32, due: Timers) -> u32 {
    number << TimerKind::COUNT | u32::from(due.bits())
}

#[inline]
pub(super) fn due(node: u32) -> Timers {
    Timers::of_bits(node as u8)
}

/// A row's number, and the receivers of its messages, a bit for each.
#[inline]
pub(super) fn pack_row(number: u32, receivers: u32) -> u32 {
    number << MOST | receivers
}

#[inline]
pub(super) fn receivers(row: u32) -> u32 {
    row & ((1 << MOST) - 1)
}

#[inline]
pub(super) fn is_empty(row: u32) -> bool {
    receivers(row) == 0
}

/// The number of a list, and whether it has any elements.
#[inline]
pub(super) fn pack_list(number: u32, is_empty: bool) -> u32 {
    if is_empty { NOTHING } else { number << 1 | 1 }
}

/// An empty list.
pub(super) const NOTHING: u32 = 0;

/// In place of a list of what the monitor sees: the process crashes.
pub(super) const CRASHED: u32 = 2;

/// A monitor's number, and the properties that the last step violated, a bit for each.
#[inline]
pub(super) fn pack_monitor(number: u32, violated: u32) -> u32 {
    number << 8 | violated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_takes_at_most_a_hundred_bytes_with_its_fingerprint() {
        assert!(size_of::<Packed>() + 8 <= 100, "{}", size_of::<Packed>());
    }
}
