//! What is graded of each submission of a class: a JSON file, version 1.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use common::{
    config::Period,
    exit::Failure,
    json,
    text::{did_you_mean, visible},
};
use lamport::harness::workload::{NodeWorkload, Subject as Workload};
use serde::Deserialize;

use crate::{job::Subject, limits::Limits};

/// The version of the file that is read.
const VERSION: u32 = 1;
/// The longest file, in bytes.
const LONGEST: u64 = 1 << 20;

/// The file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Suite {
    /// The format's version, 1.
    pub version: u32,
    /// The programs of a submission.
    pub parts: Vec<Part>,
    /// What each of them may use.
    #[serde(default)]
    pub limits: PartLimits,
}

/// One program that a submission may have.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Part {
    /// Which experiment: threads, multicast, naming, clock.
    pub experiment: Experiment,
    /// What it is there.
    #[serde(default)]
    pub role: Option<Role>,
    /// The command that starts it.
    pub command: String,
    /// What a node is asked: echo, broadcast, mutex.
    #[serde(default)]
    pub workload: Option<String>,
    /// A command that is run once before, such as a compiler.
    #[serde(default)]
    pub build: Option<String>,
    /// The files that it consists of. Where several parts are the same program, the first whose files are there is graded.
    #[serde(default)]
    pub files: Vec<PathBuf>,
    /// Whether a submission without it loses no points.
    #[serde(default)]
    pub optional: bool,
    /// Where it listens or connects to, or its group.
    #[serde(default)]
    pub address: Option<SocketAddr>,
    /// How long an answer of it may take.
    #[serde(default)]
    pub timeout: Option<Period>,
}

/// An experiment of which programs are graded.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Experiment {
    /// Experiment 3.
    Threads,
    /// Experiment 4.
    Multicast,
    /// Experiment 5.
    Naming,
    /// The clock of experiment 6.
    Clock,
    /// A node of experiment 6.
    Node,
}

/// What a program is in its experiment.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It accepts connections
    Server,
    /// It connects
    Client,
    /// It joins a group
    Receiver,
    /// It sends to a group
    Sender,
}

/// Limits other than the usual ones, in MiB but for the processes.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PartLimits {
    memory: Option<u32>,
    processes: Option<u32>,
    output: Option<u32>,
    disk: Option<u32>,
}

impl PartLimits {
    /// All limits.
    pub fn limits(self) -> Limits {
        let usual = Limits::default();
        let mebibytes =
            |given: Option<u32>, usual| given.map_or(usual, |given| u64::from(given) << 20);
        Limits {
            memory: mebibytes(self.memory, usual.memory),
            processes: self.processes.map_or(usual.processes, u64::from),
            output: mebibytes(self.output, usual.output),
            disk: mebibytes(self.disk, usual.disk),
        }
    }
}

/// The program of an experiment that has this role.
///
/// # Errors
/// Why there is none.
pub fn subject(experiment: Experiment, role: Option<Role>) -> Result<Subject, String> {
    Ok(match (experiment, role) {
        (Experiment::Threads, None | Some(Role::Server)) => Subject::ThreadsServer,
        (Experiment::Threads, Some(Role::Client)) => Subject::ThreadsClient,
        (Experiment::Multicast, None | Some(Role::Receiver)) => Subject::MulticastReceiver,
        (Experiment::Multicast, Some(Role::Sender)) => Subject::MulticastSender,
        (Experiment::Naming, None) => Subject::Naming,
        (Experiment::Naming, Some(Role::Server)) => Subject::NamingServer,
        (Experiment::Clock, None) => Subject::Clock,
        (Experiment::Node, None) => Subject::Node,
        (Experiment::Threads, Some(_)) => {
            return Err("threads has the roles server and client".into());
        }
        (Experiment::Multicast, Some(_)) => {
            return Err("multicast has the roles receiver and sender".into());
        }
        (Experiment::Naming, Some(_)) => {
            return Err("naming has the role server, or none".into());
        }
        (Experiment::Clock | Experiment::Node, Some(_)) => {
            return Err("clock and node have no roles".into());
        }
    })
}

/// Checks that nodes can be asked this.
///
/// # Errors
/// `WORD is no workload`, with those that there are.
pub fn check_workload(word: &str) -> Result<(), String> {
    if Workload::from_str(word, false).is_ok() {
        return Ok(());
    }
    let words: Vec<&str> = NodeWorkload::ALL.iter().map(|one| one.word()).collect();
    Err(format!(
        "{} is no workload of nodes{}; there are {}",
        visible(word.as_bytes()),
        did_you_mean(word, words.iter().copied()),
        words.join(", ")
    ))
}

impl Suite {
    /// Reads the file.
    ///
    /// # Errors
    /// Where in it what is wrong (exit code 2).
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let content = json::read_file(path, LONGEST)?;
        let suite: Self = json::parse(path, &content, || std::marker::PhantomData)?;
        let failed = |why: String| Failure::could_not_run(common::text::visible_path(path), why);
        if suite.version != VERSION {
            return Err(failed(format!(
                "version {} of a suite, not {VERSION}",
                suite.version
            )));
        }
        if suite.parts.is_empty() {
            return Err(failed("parts: no program is to be graded".into()));
        }
        for (number, part) in suite.parts.iter().enumerate() {
            let wrong = |why: String| failed(format!("parts[{number}]: {why}"));
            let subject = part.subject().map_err(wrong)?;
            let address = part.address.unwrap_or_else(|| subject.address());
            subject.check_address(address).map_err(wrong)?;
            if (subject == Subject::Node) != part.workload.is_some() {
                return Err(wrong("a node, and nothing else, has a workload".into()));
            }
            if let Some(workload) = &part.workload {
                check_workload(workload).map_err(wrong)?;
            }
            if part.command.trim().is_empty() {
                return Err(wrong("no command".into()));
            }
        }
        Ok(suite)
    }

    /// The programs that a submission has to have, or may have, without those that are the same.
    pub fn subjects(&self) -> Vec<Subject> {
        let mut subjects = Vec::new();
        for part in &self.parts {
            if let Ok(subject) = part.subject()
                && !subjects.contains(&subject)
            {
                subjects.push(subject);
            }
        }
        subjects
    }
}

impl Part {
    /// What it is.
    ///
    /// # Errors
    /// Why it is nothing.
    pub fn subject(&self) -> Result<Subject, String> {
        subject(self.experiment, self.role)
    }

    /// The files of it that a folder does not have.
    pub fn missing(&self, folder: &Path) -> Vec<&Path> {
        let files = self.files.iter().map(PathBuf::as_path);
        files.filter(|file| !folder.join(file).is_file()).collect()
    }
}
