//! The settings of a ring of many processes, and the command line of each.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use common::{
    config::Period,
    exit::{Failure, why},
    process::{
        faults::Faults,
        ids::{Names, ProcessId},
        workload::Workload,
    },
};

/// The settings of a ring.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// The names of the processes, p1, p2, …
    pub names: Names,
    /// How many random processes are killed at once.
    pub kill: usize,
    /// How many names are put.
    pub records: usize,
    /// How long look-ups go on.
    pub lasting: Duration,
    /// Look-ups per process and second.
    pub rate: f64,
    /// The random seed.
    pub seed: u64,
    /// The durations of the timers of each process.
    pub workload: Workload,
    /// The length of the successor lists.
    pub successors: usize,
    /// The faults of the network and of processes.
    pub faults: Faults,
    /// Where the logs of the processes are kept; None: nowhere, unless a property is violated.
    pub logs: Option<PathBuf>,
}

/// How long a channel waits at most until it sends a message again.
const LONGEST_RETRANSMISSION: Duration = Duration::from_secs(1);

impl RunSettings {
    /// How long after the end of a pause look-ups may still suffer from it: a message is sent again, a look-up waits for its timeout,
    /// and the ring takes a node in again within a few rounds.
    pub(super) fn recovery(&self) -> Duration {
        2 * LONGEST_RETRANSMISSION + 2 * self.workload.timeout + 5 * self.workload.maintenance
    }

    /// The command that starts one of the processes, with its log there.
    pub(super) fn command(&self, process: ProcessId, log: &Path) -> Result<Command, Failure> {
        let program = std::env::current_exe();
        let program = program.map_err(|error| Failure::could_not_run("naming", why(&error)))?;
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("NAMING_") || name == "LAB_CONFIG" {
                command.env_remove(name);
            }
        }
        if std::env::var_os("LAB_RUN").is_none() {
            command.env("LAB_RUN", format!("chord-{}", std::process::id()));
        }
        let seed = self.seed.wrapping_add(process.index() as u64);
        let period = |period| Period(period).to_string();
        command.args(["chord", "--managed", "--name", self.names.of(process)]);
        command.args(["--listen", "127.0.0.1:0", "--seed", &seed.to_string()]);
        command.args(["--successors", &self.successors.to_string()]);
        command.args(["--stabilize", &period(self.workload.maintenance)]);
        command.args(["--timeout", &period(self.workload.timeout)]);
        let faults = &self.faults;
        command.args(["--loss", &faults.loss.to_string()]);
        command.args(["--duplicate", &faults.duplicate.to_string()]);
        command.args(["--reorder", &faults.reorder.to_string()]);
        command.arg("--log").arg(log);
        Ok(command)
    }
}
