//! The workload: which operations the application of each process starts, and when.

use std::time::Duration;

use rand::RngExt;
use rand_distr::{Distribution, Exp1};
use rand_pcg::Pcg64Mcg;

use crate::process::TimerKind;

/// The longest time that a process stays in the critical section.
const LONGEST_WORK: Duration = Duration::from_millis(2);

/// The time between two rounds of periodic work, where nothing else is given.
const MAINTENANCE: Duration = Duration::from_millis(500);

/// How long a process waits for a reply, where nothing else is given.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The workload of each process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Workload {
    /// Operations per second, on average; the intervals between them are exponentially distributed.
    pub rate: f64,
    /// The number of operations, at most.
    pub count: u64,
    /// The time between two rounds of periodic work, on average; uniformly distributed, 10% above and below it, so that
    /// processes that start together do not stay so.
    pub maintenance: Duration,
    /// How long a process waits for a reply.
    pub timeout: Duration,
    /// How long a process stays in the critical section, at most; without it, until a person's command.
    pub work: Option<Duration>,
    /// Whether periodic work goes on until every process has finished its operations, which need it; otherwise it ends when
    /// applications start none any more.
    pub maintains_operations: bool,
}

impl Workload {
    /// So many operations per second, and so many at most.
    pub fn new(rate: f64, count: u64) -> Self {
        Self {
            rate,
            count,
            maintenance: MAINTENANCE,
            timeout: TIMEOUT,
            work: Some(LONGEST_WORK),
            maintains_operations: false,
        }
    }

    /// Whether timers of this kind expire until every process has finished its operations.
    pub fn maintains(&self, kind: TimerKind) -> bool {
        self.maintains_operations && kind == TimerKind::Maintain
    }

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
            TimerKind::Work => self.work.map(|work| work.mul_f64(random.random())),
            TimerKind::Maintain => {
                let scale: f64 = random.random_range(0.9..1.1);
                Some(self.maintenance.mul_f64(scale))
            }
            TimerKind::Timeout => Some(self.timeout),
        }
    }
}
