//! The options of simulated runs.

use std::time::Duration;

use common::{
    config::{Period, in_range},
    exit::Failure,
    process::{
        faults::{Delay, Faults},
        ids::Names,
        workload::Workload,
    },
};

use super::Cli;
use crate::{
    location::{
        chord::settings::SUCCESSORS,
        schemes::{Group, LocationScheme},
    },
    simulate::{MOST, Settings},
};

/// The most names, look-ups and moves.
const MOST_COMMANDS: u64 = 100_000;

/// The delay of frames unless another is given.
const DELAY: Delay = Delay::Uniform(Duration::from_millis(1), Duration::from_millis(10));

impl Cli {
    /// What is simulated.
    ///
    /// # Errors
    /// When something is out of range, or a fault names an unknown process (exit code 2).
    pub fn simulation(&self, scheme: LocationScheme) -> Result<Settings, Failure> {
        let options = &self.options;
        if !scheme.is_ring() {
            let of_a_ring = ["--successors", "--rules", "--stabilize"];
            let why = "is of a ring alone: chord, chord-iterative";
            options.given.refuse(&of_a_ring, why)?;
        }
        let processes = in_range("--processes", options.processes.unwrap_or(5), 1, MOST)?;
        let faults = Faults::new(&self.fault_args(), &Names::numbered(processes), DELAY)?;
        let of = |flag, given: Option<Period>, default| {
            let given = given.unwrap_or(Period(default));
            let least = Period(Duration::from_millis(1));
            let most = Period(Duration::from_secs(3600));
            in_range(flag, given, least, most).map(|period| period.0)
        };
        let usual = Workload::new(1.0, 0);
        let (look_ups, moves) = (options.lookups.unwrap_or(10), options.moves.unwrap_or(2));
        Ok(Settings {
            scheme,
            group: Group {
                fanout: 2,
                successors: self.successors(SUCCESSORS)?,
                rules: options.rules.unwrap_or_default(),
                maintain: options.stabilize.is_some() || !faults.crashes.is_empty(),
                ..Group::of(processes)
            },
            names: in_range("--names", self.number_of_names(3)?, 1, 10_000)?,
            look_ups: in_range("--lookups", look_ups, 0, MOST_COMMANDS)?,
            moves: in_range("--moves", moves, 0, MOST_COMMANDS)?,
            rate: in_range("--rate", options.rate.unwrap_or(10.0), 0.001, 1e6)?,
            timers: Workload {
                maintenance: of("--stabilize", options.stabilize, usual.maintenance)?,
                timeout: of("--timeout", options.timeout, usual.timeout)?,
                ..usual
            },
            faults,
            seed: options.seed.unwrap_or(1),
            seeds: in_range("--seeds", options.seeds.unwrap_or(1), 1, 1_000_000)?,
            show: options.show,
            logs: options.logs.clone(),
        })
    }
}
