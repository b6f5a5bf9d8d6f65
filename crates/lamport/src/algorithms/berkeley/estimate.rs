//! What the coordinator knows of another clock.

use common::process::{
    ids::{Names, ProcessId},
    physical::Nanos,
};

/// How far another clock is ahead of the coordinator's, in nanoseconds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Estimate {
    pub(super) of: ProcessId,
    pub(super) ahead: i64,
    pub(super) bound: i64,
    /// Whether it came too late to be used.
    pub(super) is_slow: bool,
}

impl Estimate {
    pub(super) fn words(&self, names: &Names) -> String {
        let (ahead, bound) = (Nanos(self.ahead), Nanos(self.bound));
        let name = names.of(self.of);
        format!("{name}: {ahead} ahead, at most {bound} wrong")
    }
}
