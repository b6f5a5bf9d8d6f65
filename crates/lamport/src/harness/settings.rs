//! The settings of a run of nodes.

use std::{path::PathBuf, time::Duration};

use common::{
    config::{Period, in_range},
    exit::Failure,
    process::{
        faults::{Delay, Faults},
        ids::{Names, new_session},
        report::Show,
        workload::Workload,
    },
    sys::Feature,
    text::visible,
};

use super::workload::NodeWorkload;
use crate::{
    algorithms::wireless::network,
    config::{Cli, MOST},
};

/// The settings of a run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What clients ask of the nodes.
    pub workload: NodeWorkload,
    /// The command that starts a node, for the shell.
    pub command: String,
    /// The number of nodes.
    pub nodes: usize,
    /// The requests of each client.
    pub load: Workload,
    /// How long clients begin requests.
    pub lasting: Duration,
    /// How long nodes may then go on without progress until the run ends; None is the usual time of the workload.
    pub settle: Option<Duration>,
    /// The random seed.
    pub seed: u64,
    /// The faults of the network and of nodes.
    pub faults: Faults,
    /// How many events are printed.
    pub show: Show,
    /// The folder for logs.
    pub logs: Option<PathBuf>,
    /// The file for the plot.
    pub plot: Option<PathBuf>,
}

/// The names of N nodes: n1, n2, …
pub fn names(nodes: usize) -> Names {
    Names::of_all((1..=nodes).map(|number| format!("n{number}")).collect())
}

impl Settings {
    /// The command line that runs this again.
    pub(super) fn command_line(&self) -> String {
        let Self {
            nodes,
            load,
            faults,
            ..
        } = self;
        let command = visible(self.command.replace('\'', r"'\''").as_bytes());
        let mut line = format!(
            "lamport run {} --node '{command}' --processes {nodes} --count {} --rate {} --seed {}",
            self.workload.word(),
            load.count,
            load.rate,
            self.seed
        );
        for (flag, share) in [
            ("loss", faults.loss),
            ("duplicate", faults.duplicate),
            ("reorder", faults.reorder),
        ] {
            if share != Default::default() {
                line += &format!(" --{flag} {share}");
            }
        }
        if faults.delay != Delay::default() {
            line += &format!(" --delay {}", faults.delay);
        }
        line + &faults.clocks.command_line(&names(*nodes)) + network::flags()
    }

    /// Settings with the defaults of the command line, for this workload and command.
    pub fn of(workload: NodeWorkload, command: &str) -> Self {
        Self {
            workload,
            command: command.to_owned(),
            nodes: 3,
            load: Workload::new(10.0, u64::MAX),
            lasting: Duration::from_secs(5),
            settle: None,
            seed: u64::from(new_session()),
            faults: Faults::default(),
            show: Show(0),
            logs: None,
            plot: None,
        }
    }

    /// Validates the options.
    ///
    /// # Errors
    /// When one is invalid, or means nothing here (exit code 2).
    pub fn new(cli: &Cli, workload: NodeWorkload, command: &str) -> Result<Self, Failure> {
        let options = &cli.options;
        let why =
            "means nothing with --node: the nodes speak over pipes, and are not this program's";
        options
            .given
            .refuse(&["--transport", "--bug", "--ready-file"], why)?;
        if command.trim().is_empty() {
            return Err(Failure::could_not_run("--node", "no command"));
        }
        let usual = Self::of(workload, command);
        let nodes = in_range(
            "--processes",
            cli.given_processes()?.unwrap_or(usual.nodes),
            workload.fewest_nodes(),
            MOST.1,
        )?;
        let mut load = cli.workload(u64::MAX)?;
        if options.rate.is_none() {
            load.rate = usual.load.rate;
        }
        let names = names(nodes);
        let mut faults = cli.faults(&names, Delay::default())?;
        faults.check_pauses(&names, Feature::Pause.missing())?;
        if workload.needs_state() && !faults.restarts.is_empty() {
            let why = format!(
                "{}: its nodes must keep what they know, as on stable storage, and a node that is started again has lost it; --crash n1@1s kills one for good",
                workload.word()
            );
            return Err(Failure::could_not_run("--restart", why));
        }
        let seed = options.seed.unwrap_or(usual.seed);
        if let Some(algorithm) = workload.algorithm() {
            faults.clocks = algorithm.clocks(nodes, seed).or(&faults.clocks);
        }
        let lasting = options.r#for.unwrap_or(Period(usual.lasting));
        let settle = options.settle.map(|period| period.as_wait("--settle"));
        Ok(Self {
            nodes,
            load,
            lasting: lasting.as_wait("--for")?,
            settle: settle.transpose()?,
            seed,
            faults,
            show: options.show.unwrap_or(usual.show),
            logs: options.logs.clone(),
            plot: options.plot.clone(),
            ..usual
        })
    }
}
