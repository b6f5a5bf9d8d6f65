//! The program's options and subcommands.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Subcommand, ValueEnum};
use common::{
    config::{Period, in_range},
    exit::Failure,
    net::SERVER,
};
use serde::Deserialize;

use crate::report::Format;

const EXAMPLES: &str = "\
Examples:
  grade threads --cmd 'python3 server.py'       the server of experiment 3, in its sandbox
  grade threads --cmd 'python3 server.py' --only idle
                                                one requirement of it
  grade threads --cmd ./client --role client    the client; the grader is the server
Exit code: 0 full marks, 1 points lost, 2 could not be graded";

/// Grades a program in any language: runs it, attacks it, and says which requirements it meets
#[derive(Debug, clap::Parser)]
#[command(name = "grade", after_help = EXAMPLES, subcommand_required = true)]
pub struct Cli {
    /// Flags.
    #[command(flatten)]
    pub options: Options,
    /// The subcommand.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Command {
    /// A server or a client of experiment 3
    #[command(
        after_help = "Examples:\n  grade threads --cmd 'python3 server.py'\n  grade threads --cmd 'cargo run -q -p thread-client' --role client --timeout 30s"
    )]
    Threads,
}

/// What a submission is in its experiment.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It accepts connections
    Server,
    /// It connects
    Client,
}

common::options! {
    /// The program's options.
    pub struct Options of Cli = "grade" {
        /// The command that starts the submission, for a shell, in this folder
        #[arg(value_name = "COMMAND")]
        cmd: String => [threads],
        /// What the submission is [possible values: server, client]
        #[arg(value_name = "ROLE", hide_possible_values = true)]
        role: Role => [threads = "server"],
        /// Where the submission listens, or connects to, in its sandbox
        #[arg(value_name = "HOST:PORT")]
        address: SocketAddr => [threads = "127.0.0.1:12345"],
        /// How long one answer of the submission may take
        #[arg(value_name = "DURATION")]
        timeout: Period => [threads = "10s"],
        /// Probe each requirement N times; it is met when all pass
        #[arg(value_name = "N")]
        repeat: u32 => [threads = "1"],
        /// What the grader's random choices begin with: the same seed, the same attacks
        #[arg(value_name = "N")]
        seed: u64 => [threads = "1"],
        /// Only these requirements
        #[arg(value_name = "ID,…", value_delimiter = ',')]
        only: Vec<String> => [threads],
        /// Requirements whose details are kept from the student
        #[arg(value_name = "ID,…", value_delimiter = ',')]
        hidden: Vec<String> => [threads],
        /// Points by requirement, such as {"idle": 5}, in a JSON file
        #[arg(value_name = "FILE")]
        points: PathBuf => [threads],
        /// The form of the results [possible values: text, json]
        #[arg(value_name = "FORMAT", hide_possible_values = true)]
        format: Format => [threads = "text"],
        /// Write the results to this file
        #[arg(value_name = "FILE")]
        output: PathBuf => [threads = "-"],
    } writes { output }
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

    /// Where the submission listens or connects to.
    ///
    /// # Errors
    /// When it is no address of this machine alone (exit code 2).
    pub fn address(&self) -> Result<SocketAddr, Failure> {
        let address = self.address.unwrap_or(SERVER.into());
        if !address.ip().is_loopback() || address.port() == 0 {
            let why = format!(
                "{address} is no loopback address with a port: nothing else is in the sandbox"
            );
            return Err(Failure::could_not_run("--address", why));
        }
        Ok(address)
    }
}
