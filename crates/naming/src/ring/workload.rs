//! What the processes of a ring put and look up, and which of them are killed when.

use std::{cmp::Reverse, time::Duration};

use common::process::{children::Crash, ids::ProcessId};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_pcg::Pcg64Mcg;

use super::settings::RunSettings;

/// What the processes do, decided by the seed.
#[derive(Debug)]
pub(super) struct Workload {
    random: Pcg64Mcg,
    /// The names that are put.
    pub(super) names: Vec<String>,
    /// When each process looks a name up next.
    next: Vec<Duration>,
    between: Duration,
    /// What is done to which process, the last first.
    crashes: Vec<(Duration, ProcessId, Crash)>,
}

impl Workload {
    pub(super) fn new(settings: &RunSettings) -> Self {
        let mut random = Pcg64Mcg::seed_from_u64(settings.seed);
        let between = Duration::from_secs_f64(1.0 / settings.rate);
        let processes = settings.names.count();
        let mut victims: Vec<_> = ProcessId::all(processes).collect();
        victims.shuffle(&mut random);
        let kill = |process| (settings.lasting / 4, process, Crash::Kill);
        let mut crashes: Vec<_> = victims.into_iter().take(settings.kill).map(kill).collect();
        for crash in &settings.faults.crashes {
            match crash.until {
                Duration::MAX => crashes.push((crash.from, crash.process, Crash::Kill)),
                until => crashes.extend([
                    (crash.from, crash.process, Crash::Pause),
                    (until, crash.process, Crash::Resume),
                ]),
            }
        }
        crashes.sort_by_key(|(at, ..)| Reverse(*at));
        let next = (0..processes).map(|_| between.mul_f64(random.random()));
        Self {
            names: (1..=settings.records)
                .map(|number| format!("server{number}"))
                .collect(),
            next: next.collect(),
            between,
            crashes,
            random,
        }
    }

    /// What is done to a process now.
    pub(super) fn crash(&mut self, now: Duration) -> Option<(ProcessId, Crash)> {
        let crash = self.crashes.pop_if(|(at, ..)| *at <= now);
        crash.map(|(_, process, crash)| (process, crash))
    }

    /// Whether something will be done to a process.
    pub(super) fn has_crashes(&self) -> bool {
        !self.crashes.is_empty()
    }

    /// The name that the process looks up now, if it is time. A process that lags behind does not make up for it.
    pub(super) fn look_up(&mut self, process: usize, now: Duration) -> Option<&str> {
        let next = self.next.get_mut(process).filter(|next| **next <= now)?;
        *next = now + self.between;
        let name = self.random.random_range(0..self.names.len());
        Some(&self.names[name])
    }
}
