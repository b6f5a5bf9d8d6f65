//! This very program, which starts itself: inside a sandbox, and as `lamport`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use common::exit::{Failure, why};

/// As what this program runs nodes, and checks and draws logs: its first argument.
pub const LAMPORT: &str = "lamport";

/// A command that is `lamport`; `grader` is this program's file.
pub fn lamport(grader: &Path) -> Command {
    let mut command = Command::new(grader);
    command.arg(LAMPORT);
    command
}

/// Its file.
///
/// # Errors
/// When the system does not say (exit code 2).
pub fn file() -> Result<PathBuf, Failure> {
    std::env::current_exe()
        .map_err(|error| Failure::could_not_run("this program's file", why(&error)))
}
