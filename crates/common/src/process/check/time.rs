//! Time in the model checker, for processes that read hardware clocks: it is discrete, the same for all processes, and passes at any
//! moment between two steps. So a message takes any number of ticks. The clocks differ by constant offsets.

use crate::process::{ids::ProcessId, physical::Reading};

/// A step of time, in nanoseconds.
pub const TICK: i64 = 1_000_000;

/// The time of a system.
#[derive(Clone, Debug, Default)]
pub struct ModelTime {
    /// How many ticks a path has at most.
    pub ticks: u16,
    /// How far the hardware clock of each process is ahead of true time, in nanoseconds; those that are left out show it.
    pub offsets: Vec<i64>,
}

impl ModelTime {
    /// What the process's hardware clock shows in the initial state.
    pub(super) fn reading(&self, process: ProcessId) -> Reading {
        let error = self.offsets.get(process.index()).copied().unwrap_or(0);
        Reading {
            hardware: error,
            error,
        }
    }

    /// Whether time may pass, where a hardware clock shows this.
    #[inline]
    pub(super) fn may_pass(&self, reading: Reading) -> bool {
        reading.true_time() < i64::from(self.ticks) * TICK
    }
}
