//! The settings of a run of many processes, and the command line of each.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use common::{
    config::Period,
    exit::Failure,
    process::{
        children::start::{give_faults, own_command},
        faults::Faults,
        ids::{Names, ProcessId},
        reliable_link::LONGEST_TIMEOUT,
        workload::Workload,
    },
};

use crate::location::schemes::{Group, LocationScheme};

/// The settings of a run.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// The scheme.
    pub scheme: LocationScheme,
    /// The group of processes.
    pub group: Group,
    /// The names of the processes, p1, p2, …
    pub names: Names,
    /// How many random processes are killed at once.
    pub kill: usize,
    /// How many names are inserted.
    pub records: usize,
    /// How long look-ups go on.
    pub lasting: Duration,
    /// Look-ups per process and second.
    pub rate: f64,
    /// Moves per second, of all names together.
    pub moves: u64,
    /// The random seed.
    pub seed: u64,
    /// The durations of the timers of each process.
    pub workload: Workload,
    /// The faults of the network and of processes.
    pub faults: Faults,
    /// The partitions among them, as they were given.
    pub partitions: Vec<String>,
    /// Where the logs of the processes are kept; None: nowhere, unless a property is violated.
    pub logs: Option<PathBuf>,
}

impl RunSettings {
    /// How long after the end of a pause look-ups may still suffer from it: messages are sent again, a look-up waits for its timeout,
    /// and a ring takes a node in again within a few rounds.
    pub(super) fn recovery(&self) -> Duration {
        let rounds = match self.scheme.is_ring() {
            true => 5 * self.workload.maintenance,
            false => Duration::ZERO,
        };
        2 * LONGEST_TIMEOUT + 2 * self.workload.timeout + rounds
    }

    /// The command that starts one of the processes, with its log there.
    pub(super) fn command(&self, process: ProcessId, log: &Path) -> Result<Command, Failure> {
        let mut command = own_command("naming", self.scheme.algorithm())?;
        let seed = self.seed.wrapping_add(process.index() as u64);
        let period = |period| Period(period).to_string();
        let processes = self.names.count().to_string();
        command.args(["run", self.scheme.word(), "--managed"]);
        command.args(["--name", self.names.of(process), "--processes", &processes]);
        command.args(["--seed", &seed.to_string()]);
        command.args(["--timeout", &period(self.workload.timeout)]);
        if self.scheme.is_ring() {
            command.args(["--successors", &self.group.successors.to_string()]);
            command.args(["--stabilize", &period(self.workload.maintenance)]);
        }
        give_faults(&mut command, &self.faults, &self.partitions);
        command.arg("--log").arg(log);
        Ok(command)
    }
}
