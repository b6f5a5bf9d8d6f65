//! What a program declares: its options and its command line.

use std::path::{Path, PathBuf};

use clap::{CommandFactory, FromArgMatches};
use serde::de::DeserializeOwned;

use super::flag::{Flag, Given};

/// The sections that a lab file may have: one for each program.
pub const PROGRAMS: [&str; 7] = [
    "thread-server",
    "thread-client",
    "mcast-server",
    "mcast-client",
    "naming",
    "lamport",
    "grade",
];

/// Where a program's output goes: the same options in every program.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// JSON Lines on standard output.
    pub json: bool,
    /// Only the answer and errors on the terminal.
    pub quiet: bool,
    /// The event log.
    pub log: Option<PathBuf>,
    /// This process's name in the log; the program's name when not given.
    pub name: Option<String>,
    /// The other files that are written, each with its flag.
    pub files: Vec<(String, PathBuf)>,
}

impl Output {
    /// The file of this flag, such as `--html`.
    pub fn file(&self, flag: &str) -> Option<&Path> {
        let mut files = self.files.iter();
        files
            .find(|(of, _)| of == flag)
            .map(|(_, path)| path.as_path())
    }
}

/// A program's options, made by [`options!`](crate::options).
pub trait Options: clap::Args + DeserializeOwned + Default {
    /// The flags, in the order of their declaration, without those that every program has.
    fn flags() -> Vec<Flag>;
    /// These options; where one is not given, the one of `below`.
    #[must_use]
    fn over(self, below: Self) -> Self;
    /// The options that this subcommand takes; the others are not for it.
    #[must_use]
    fn taken_by(self, subcommand: &str) -> Self;
    /// Which flags stand on the command line.
    fn given(&mut self) -> &mut Given;
    /// The lab file.
    fn config(&self) -> Option<&Path>;
    /// The paths among the options.
    fn paths(&self) -> Vec<&Path>;
    /// The options that every program has.
    fn output(&self) -> Output;
}

/// A program's whole command line.
pub trait CommandLine: CommandFactory + FromArgMatches {
    /// The program's name: its section in the lab file and the beginning of its environment variables.
    const PROGRAM: &'static str;
    /// Its options.
    type Options: Options;
    /// The options within the command line.
    fn options(&mut self) -> &mut Self::Options;
}
