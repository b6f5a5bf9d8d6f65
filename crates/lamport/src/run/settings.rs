//! The settings of a run, and the command line of each of its processes.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use common::{
    config::Period,
    exit::Failure,
    plot,
    process::{
        children::start::{give_faults, own_command},
        faults::{Clocks, Delay, FaultArgs, Faults},
        ids::{Names, ProcessId, new_session},
        reliable_link::ChannelOrder,
        report::Show,
        workload::Workload,
    },
    sys::Feature,
};

use crate::{
    algorithms::{Algorithm, wireless::network},
    config::{Cli, MOST, Transport},
    simulate,
};

/// The settings of a run.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) algorithm: Algorithm,
    pub(super) names: Names,
    pub(super) transport: Transport,
    pub(super) lasting: Duration,
    workload: Workload,
    fault_args: FaultArgs,
    pub(super) faults: Faults,
    /// The hardware clocks of the processes.
    clocks: Clocks,
    seed: Option<u64>,
    pub(super) show: Show,
    pub(super) logs: Option<PathBuf>,
    /// Where the offsets and delays of clocks are drawn.
    pub(super) plot: Option<PathBuf>,
    /// The simulation that searches for a minimal counterexample after a violation.
    pub(super) simulation: simulate::Settings,
}

impl Settings {
    /// Validates the options.
    ///
    /// # Errors
    /// When one is invalid (exit code 2).
    pub fn new(cli: &Cli, algorithm: Algorithm) -> Result<Self, Failure> {
        let options = &cli.options;
        let why = "only of nodes: add --node COMMAND";
        let of_nodes: &[&str] = match algorithm.reads_clock() {
            true => &["--settle", "--restart"],
            false => &["--settle", "--restart", "--plot"],
        };
        options.given.refuse(of_nodes, why)?;
        options.plot.as_deref().map_or(Ok(()), plot::check)?;
        let names = Names::numbered(cli.processes(MOST.1)?);
        let fault_args = cli.fault_args()?;
        let faults = Faults::new(&fault_args, &names, Delay::default())?;
        faults.check_pauses(&names, Feature::Pause.missing())?;
        let seed = options.seed.unwrap_or_else(|| new_session().into());
        let lasting = options.r#for.unwrap_or(Period(Duration::from_secs(5)));
        Ok(Self {
            algorithm,
            transport: cli.transport(),
            lasting: lasting.as_wait("--for")?,
            workload: cli.workload(u64::MAX)?,
            clocks: algorithm.clocks(names.count(), seed).or(&faults.clocks),
            faults,
            simulation: simulate::settings::settings(cli, algorithm, &fault_args)?,
            fault_args,
            names,
            seed: options.seed,
            show: options.show.unwrap_or(Show(0)),
            logs: options.logs.clone(),
            plot: options.plot.clone(),
        })
    }

    /// The command that starts one of the processes, with its log there.
    pub(super) fn command(&self, process: ProcessId, log: &Path) -> Result<Command, Failure> {
        let mut command = own_command("lamport", "lamport")?;
        let name = self.names.of(process);
        let transport = match self.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        };
        let Workload { rate, count, .. } = self.workload;
        command.args(["node", self.algorithm.word(), "--name", name]);
        command.args(["--managed", &format!("{rate},{count}")]);
        command.args(["--listen", "127.0.0.1:0", "--transport", transport]);
        command.arg("--log").arg(log);
        if let Some(seed) = self.seed {
            let seed = seed.wrapping_add(process.index() as u64);
            command.args(["--seed", &seed.to_string()]);
        }
        if let Some(bug) = self.simulation.process {
            command.args(["--bug", bug.word()]);
        }
        command.args(network::flags().split_whitespace());
        let order = self.simulation.order;
        if order != ChannelOrder::default() {
            command.args(["--channels", order.word()]);
        }
        give_faults(&mut command, &self.faults, &self.fault_args.partition);
        for slow in &self.fault_args.slow {
            command.args(["--slow", slow]);
        }
        command.args(self.clocks.flags(process));
        Ok(command)
    }
}
