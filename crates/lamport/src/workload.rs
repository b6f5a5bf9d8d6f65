//! How long processes pause: what their applications want, and when.

use std::time::Duration;

use rand::RngExt;
use rand_distr::{Distribution, Exp1};
use rand_pcg::Pcg64Mcg;

use crate::process::Pause;

/// The longest that a process stays in the critical section.
const LONGEST_WORK: Duration = Duration::from_millis(2);

/// What the application of each process wants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Workload {
    /// How many things a second, on average; the pauses between them are exponentially distributed.
    pub rate: f64,
    /// How many things at most.
    pub count: u64,
}

impl Workload {
    /// How long this pause is; None when it has no end, because the process has begun enough.
    pub fn pause(&self, random: &mut Pcg64Mcg, pause: Pause, begun: u64) -> Option<Duration> {
        match pause {
            Pause::Think if begun >= self.count => None,
            Pause::Think => {
                let scale: f64 = Exp1.sample(random);
                Some(Duration::from_secs_f64(scale / self.rate))
            }
            Pause::Work => Some(LONGEST_WORK.mul_f64(random.random())),
        }
    }
}
