//! The workload: which operations the application of each process starts, and when.

use std::time::Duration;

use common::process::TimerKind;
use rand::RngExt;
use rand_distr::{Distribution, Exp1};
use rand_pcg::Pcg64Mcg;

/// The longest time that a process stays in the critical section.
const LONGEST_WORK: Duration = Duration::from_millis(2);

/// The time between two rounds of periodic work.
const MAINTENANCE: Duration = Duration::from_millis(500);

/// How long a process waits for a reply.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The workload of each process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Workload {
    /// Operations per second, on average; the intervals between them are exponentially distributed.
    pub rate: f64,
    /// The number of operations, at most.
    pub count: u64,
}

impl Workload {
    /// The duration of a timer; None when it never expires, because the process has started all its operations.
    pub fn duration(
        &self,
        random: &mut Pcg64Mcg,
        timer: TimerKind,
        started: u64,
    ) -> Option<Duration> {
        match timer {
            TimerKind::Think if started >= self.count => None,
            TimerKind::Think => {
                let scale: f64 = Exp1.sample(random);
                Some(Duration::from_secs_f64(scale / self.rate))
            }
            TimerKind::Work => Some(LONGEST_WORK.mul_f64(random.random())),
            TimerKind::Maintain => Some(MAINTENANCE),
            TimerKind::Timeout => Some(TIMEOUT),
        }
    }
}
