//! The program's options and subcommands.

mod examples;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Subcommand;
use common::{
    config::{Period, in_range},
    exit::Failure,
    parallel,
};

use crate::{job::Subject, report::Format, suite::Role};

/// Tests a program in any language as a black box: runs it in a sandbox, and says which requirements it meets
#[derive(Debug, clap::Parser)]
#[command(name = "grade", after_help = examples::PROGRAM, subcommand_required = true)]
pub struct Cli {
    /// Flags.
    #[command(flatten)]
    pub options: Options,
    /// The subcommand.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Clone, Debug, Eq, PartialEq, Subcommand)]
pub enum Command {
    /// A server or a client of experiment 3
    #[command(after_help = examples::THREADS)]
    Threads,
    /// A program of experiment 4 that receives from a group, or sends to it
    #[command(after_help = examples::MULTICAST)]
    Multicast,
    /// A resolver of experiment 5, run once for each name, or a name server
    #[command(after_help = examples::NAMING)]
    Naming,
    /// A clock of experiment 6 that answers lines of JSON
    #[command(after_help = examples::CLOCK)]
    Clock,
    /// A node of experiment 6: several run over a network with faults, as `lamport run` has it
    #[command(after_help = examples::NODE)]
    Node {
        /// What the nodes are asked
        #[arg(value_name = "WORKLOAD")]
        workload: String,
    },
    /// Logs that a submission wrote: each check of lamport trace is a requirement
    #[command(after_help = examples::LOGS)]
    Logs {
        /// The folder of the logs
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Every submission of a class: each folder or program in a folder
    #[command(after_help = examples::ALL)]
    All,
}

common::options! {
    /// The program's options.
    pub struct Options of Cli = "grade" {
        /// The command that starts the submission, for a shell, in this folder [required]
        #[arg(value_name = "COMMAND")]
        cmd: String => [
            threads,
            multicast,
            naming: "The command that starts the submission, for a shell, in this folder [default: none; --server]",
            clock,
            node,
        ],
        /// What the submission is
        #[arg(value_name = "ROLE", hide_possible_values = true)]
        role: Role => [threads = "server": "server or client", multicast = "receiver": "receiver or sender"],
        /// A name server: one that runs there, or that --cmd starts there
        #[arg(value_name = "HOST:PORT")]
        server: String => [naming],
        /// The names that the server has, in a file as that of naming --names
        #[arg(value_name = "FILE")]
        names: PathBuf => [naming = "the handout's"],
        /// Where the submission listens, or connects to, in its sandbox
        #[arg(value_name = "HOST:PORT")]
        address: SocketAddr => [
            threads = "127.0.0.1:12345",
            multicast = "224.1.1.1:5007": "The group and its port",
        ],
        /// The folder of the submissions, each a folder, or a file that is a program of the suite [required]
        #[arg(value_name = "DIR")]
        submissions: PathBuf => [all],
        /// What is graded of each submission: a JSON file [required]
        #[arg(value_name = "FILE")]
        suite: PathBuf => [all],
        /// The algorithm of which the logs are to be [default: any]
        #[arg(value_name = "NAME")]
        algorithm: String => [logs],
        /// How many submissions at once
        #[arg(value_name = "N")]
        jobs: usize => [all = "twice the processors"],
        /// How long one answer of the submission may take
        #[arg(value_name = "DURATION")]
        timeout: Period => [threads = "10s", multicast = "10s", naming = "10s", clock = "10s", all = "10s"],
        /// Probe each requirement N times; it is met when all pass
        #[arg(value_name = "N")]
        repeat: u32 => [threads = "1", multicast = "1", naming = "1", clock = "1", node = "1", all = "1"],
        /// What the grader's random choices begin with: the same seed, the same attacks
        #[arg(value_name = "N")]
        seed: u64 => [threads = "1", multicast = "1", naming = "1", clock = "1", node = "1", all = "1"],
        /// Only these requirements [default: all]
        #[arg(value_name = "ID,…", value_delimiter = ',')]
        only: Vec<String> => [threads, multicast, naming, clock, node, all],
        /// Requirements whose details are kept from the student
        #[arg(value_name = "ID,…", value_delimiter = ',')]
        hidden: Vec<String> => [threads, multicast, naming, clock, node, all],
        /// Points by requirement in a JSON file, such as {"threads-server/idle": 5} [default: the grader's]
        #[arg(value_name = "FILE")]
        points: PathBuf => [threads, multicast, naming, clock, node, all],
        /// The form of the results: text, json, gradescope, junit or github
        #[arg(value_name = "FORMAT", hide_possible_values = true)]
        format: Format => [threads = "text", multicast = "text", naming = "text", clock = "text", node = "text", logs = "text", all = "text"],
        /// Write the results to this file
        #[arg(value_name = "FILE")]
        output: PathBuf => [threads = "-", multicast = "-", naming = "-", clock = "-", node = "-", logs = "-", all = "-"],
        /// Write pictures of what is not met into this folder, where there were messages
        #[arg(value_name = "DIR")]
        pictures: PathBuf => [multicast, clock, node, logs, all],
        /// Write a table of the class to this file
        #[arg(value_name = "FILE")]
        csv: PathBuf => [all],
    } writes { output, csv, pictures }
}

impl Options {
    /// The submission's command.
    ///
    /// # Errors
    /// When there is none (exit code 2).
    pub fn command(&self) -> Result<String, Failure> {
        match self.cmd.as_deref().map(str::trim) {
            Some(command) if !command.is_empty() => Ok(command.to_owned()),
            _ => {
                let why = "needed: the command that starts the submission, such as --cmd 'python3 server.py'";
                Err(Failure::could_not_run("--cmd", why))
            }
        }
    }

    /// How long an answer may take.
    ///
    /// # Errors
    /// When it is out of range (exit code 2).
    pub fn timeout(&self) -> Result<Duration, Failure> {
        let timeout = self.timeout.unwrap_or(Period(Duration::from_secs(10)));
        let (shortest, longest) = (
            Period(Duration::from_millis(100)),
            Period(Duration::from_secs(600)),
        );
        in_range("--timeout", timeout, shortest, longest).map(|timeout| timeout.0)
    }

    /// How often each requirement is probed.
    ///
    /// # Errors
    /// When it is out of range (exit code 2).
    pub fn repeat(&self) -> Result<u32, Failure> {
        in_range("--repeat", self.repeat.unwrap_or(1), 1, 1000)
    }

    /// Where the submission listens or connects to, or its group.
    ///
    /// # Errors
    /// When no submission of this kind can have it (exit code 2).
    pub fn address(&self, subject: Subject) -> Result<SocketAddr, Failure> {
        let address = self.address.unwrap_or_else(|| subject.address());
        subject
            .check_address(address)
            .map_err(|why| Failure::could_not_run("--address", why))?;
        Ok(address)
    }

    /// How many submissions are graded at once.
    ///
    /// # Errors
    /// When it is out of range (exit code 2).
    pub fn jobs(&self) -> Result<usize, Failure> {
        in_range(
            "--jobs",
            self.jobs.unwrap_or(2 * parallel::processors()),
            1,
            256,
        )
    }

    /// A path that `all` needs.
    ///
    /// # Errors
    /// When it is not given (exit code 2).
    pub fn path(flag: &str, path: Option<&PathBuf>, what: &str) -> Result<PathBuf, Failure> {
        let missing = || Failure::could_not_run(flag, format!("needed: {what}"));
        path.cloned().ok_or_else(missing)
    }
}
