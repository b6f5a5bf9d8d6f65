//! How drivers run an algorithm: its timers and its load, in real and in simulated time, by hand and in a check; and its clocks.

use std::time::Duration;

use common::process::{
    check::{system::TimerBounds, time::ModelTime},
    faults::Clocks,
    ids::ProcessId,
    physical::MOST_DRIFT,
    workload::Workload,
};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::Algorithm;

/// How long a process keeps a token that it does not use, on average.
const TOKEN_RESTS: Duration = Duration::from_millis(2);

/// How long a client waits for the time in simulated time, where a message takes 1 to 10 ms.
const LATE: Duration = Duration::from_millis(15);

/// How far clocks differ in a check, in nanoseconds: those that agree, and one that is wrong.
const NEAR: i64 = 7_000_000;
const FAR_OFF: i64 = 10_000_000_000;

/// How far clocks that agree are from true time at most in a run, in nanoseconds.
const APART: i64 = 40_000_000;

impl Algorithm {
    /// The durations of its timers, in this workload.
    pub fn workload(self, workload: Workload) -> Workload {
        match self {
            Self::TokenRing => Workload {
                maintenance: TOKEN_RESTS,
                maintains_operations: true,
                ..workload
            },
            _ => workload,
        }
    }

    /// The same for N processes in simulated time, where a message takes 5 ms on average: waits for a token end too early
    /// now and then.
    pub fn simulated(self, workload: Workload, processes: usize) -> Workload {
        let timeout = match self {
            Self::TokenRing => Duration::from_millis(10 * processes as u64),
            // Some replies come too late.
            Self::Cristian | Self::Ntp | Self::Berkeley => LATE,
            _ => workload.timeout,
        };
        Workload {
            timeout,
            ..self.workload(workload)
        }
    }

    /// The durations of the timers of a process that a person controls: those that applications set do not expire.
    pub fn by_hand(self) -> Option<Workload> {
        match self {
            Self::TokenRing => Some(Workload {
                maintenance: Duration::from_secs(1),
                timeout: Duration::from_secs(20),
                work: None,
                ..Workload::new(1.0, 0)
            }),
            Self::Cristian | Self::Berkeley | Self::Ntp => Some(Workload {
                timeout: Duration::from_secs(5),
                ..Workload::new(1.0, 0)
            }),
            _ => None,
        }
    }

    /// How often the timers of N processes expire in a check with so many operations.
    pub fn timer_bounds(self, processes: usize, operations: u16) -> TimerBounds {
        match self {
            // Each process may have waited in vain: so many tokens can go round after an operation has started, each in
            // place of the one before it.
            Self::TokenRing => TimerBounds {
                rounds: processes as u16 + 1,
                timeouts: 1,
                counts_anew: true,
                ..TimerBounds::operations(operations)
            },
            // A reply comes late, or never; the second wait is twice as long.
            Self::Cristian | Self::Berkeley | Self::Ntp => TimerBounds {
                timeouts: 2,
                counts_anew: true,
                ..TimerBounds::operations(operations)
            },
            _ => TimerBounds::operations(operations),
        }
    }

    /// How many operations each process has in a check where nothing else is given.
    pub fn checked_operations(self) -> u64 {
        match self {
            // The first operation of `events` is a local event, and that of p1 a snapshot; by the second each sends a message.
            Self::Events | Self::Snapshot | Self::VectorSnapshot => 2,
            // An answer of the first round comes late in the second.
            Self::Berkeley => 2,
            _ => 1,
        }
    }

    /// The hardware clocks of N processes in the run with this seed: those that agree, and in the Berkeley algorithm one of three or
    /// more that is far off. The clock of a time server is right.
    pub fn clocks(self, processes: usize, seed: u64) -> Clocks {
        let mut clocks = Clocks::default();
        if !self.reads_clock() {
            return clocks;
        }
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let has_server = self != Self::Berkeley;
        let far_off = random.random_range(0..processes);
        for process in ProcessId::all(processes).skip(usize::from(has_server)) {
            let is_far_off = !has_server && processes > 2 && process.index() == far_off;
            let off = if is_far_off { FAR_OFF } else { 0 };
            let offset = off + random.random_range(-APART..=APART);
            clocks.offsets.push((process, offset));
            let drift = random.random_range(-MOST_DRIFT / 2..=MOST_DRIFT / 2);
            clocks.drifts.push((process, drift));
        }
        clocks
    }

    /// The time of a check of N processes: with the server's clock right, and the others behind and ahead of it; or one of three or more
    /// far off.
    pub fn model_time(self, processes: usize) -> ModelTime {
        if !self.reads_clock() {
            return ModelTime::default();
        }
        let offset = |process: usize| match process {
            0 => 0,
            _ if self == Self::Berkeley && processes > 2 && process + 1 == processes => FAR_OFF,
            process if process % 2 == 1 => process as i64 * NEAR,
            process => -(process as i64 * NEAR),
        };
        ModelTime {
            ticks: match self {
                Self::Cristian => 5,
                Self::Berkeley => 4,
                _ => 3,
            },
            offsets: (0..processes).map(offset).collect(),
        }
    }

    /// Whether the other processes can continue with a process that has restarted and lost its state.
    pub fn tolerates_restart(self) -> bool {
        self == Self::Events
    }
}
