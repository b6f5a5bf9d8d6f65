//! The command `simulate`: a location scheme in simulated time, on [`common::process::simulation`].
//!
//! | module | job |
//! | --- | --- |
//! | [`workload`] | the names, and the look-ups and moves of the processes |
//! | [`command`] | the runs, their verdict and their logs |

pub mod command;
pub mod workload;

use std::path::PathBuf;

use common::process::{faults::Faults, report::Show, workload::Workload as Timers};

use crate::location::schemes::{Group, LocationScheme};

/// The most processes.
pub const MOST: usize = 100;

/// The settings of simulated runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The scheme.
    pub scheme: LocationScheme,
    /// The processes.
    pub group: Group,
    /// How many names there are.
    pub names: usize,
    /// How many look-ups.
    pub look_ups: u64,
    /// How many moves.
    pub moves: u64,
    /// Look-ups and moves per second, on average.
    pub rate: f64,
    /// The durations of the processes' timers.
    pub timers: Timers,
    /// The faults of the network and of processes.
    pub faults: Faults,
    /// The random seed of the first run.
    pub seed: u64,
    /// How many runs there are.
    pub seeds: u64,
    /// How many events are printed.
    pub show: Option<Show>,
    /// Where the logs of a single run are written.
    pub logs: Option<PathBuf>,
}
