//! Which timers of a process are set: what every driver keeps, in one byte.

use std::iter;

use super::{Action, TimerKind};

/// The timers of a process that are set.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Timers(u8);

impl Timers {
    /// The set with the kinds of these bits, each kind's at its index; further bits are ignored.
    #[inline]
    pub fn of_bits(bits: u8) -> Self {
        Self(bits & ((1 << TimerKind::COUNT) - 1))
    }

    /// A bit for each kind, at its index.
    #[inline]
    pub fn bits(self) -> u8 {
        self.0
    }

    /// The timer of this kind is set.
    #[inline]
    pub fn set(&mut self, kind: TimerKind) {
        self.0 |= 1 << kind.index();
    }

    /// The timer of this kind is not set any more; returns whether it was.
    #[inline]
    pub fn clear(&mut self, kind: TimerKind) -> bool {
        let was_set = self.has(kind);
        self.0 &= !(1 << kind.index());
        was_set
    }

    /// Whether the timer of this kind is set.
    #[inline]
    pub fn has(self, kind: TimerKind) -> bool {
        self.0 >> kind.index() & 1 == 1
    }

    /// Whether no timer is set.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The timers that are set, in the order of their kinds.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = TimerKind> {
        let mut left = self.0;
        iter::from_fn(move || {
            let next = *TimerKind::ALL.get(left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(next)
        })
    }

    /// What an action does with the timers.
    pub fn apply<M>(&mut self, action: &Action<M>) {
        match action {
            Action::SetTimer(kind) => self.set(*kind),
            Action::ClearTimer(kind) => drop(self.clear(*kind)),
            Action::Event { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_set_and_cleared_by_itself() {
        let mut timers = Timers::default();
        timers.apply(&Action::<()>::SetTimer(TimerKind::Maintain));
        timers.apply(&Action::<()>::SetTimer(TimerKind::Think));
        timers.apply(&Action::<()>::SetTimer(TimerKind::Think));
        let set: Vec<_> = timers.iter().collect();
        assert_eq!(set, [TimerKind::Think, TimerKind::Maintain]);
        assert_eq!(Timers::of_bits(timers.bits() | 1 << 7), timers);
        timers.apply(&Action::<()>::ClearTimer(TimerKind::Think));
        assert!(!timers.clear(TimerKind::Think) && timers.clear(TimerKind::Maintain));
        assert!(timers.is_empty());
        let numbers: Vec<_> = TimerKind::ALL.into_iter().map(TimerKind::index).collect();
        assert_eq!(numbers, [0, 1, 2, 3]);
    }
}
