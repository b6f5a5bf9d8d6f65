//! This very program, which starts itself: inside a sandbox, and as `lamport`.

use std::path::PathBuf;

use common::exit::{Failure, why};

/// As whom this program runs nodes, and checks and draws logs: the name under which it was started.
pub const LAMPORT: &str = "lamport";

/// Its file.
///
/// # Errors
/// When the system does not say (exit code 2).
pub fn file() -> Result<PathBuf, Failure> {
    std::env::current_exe()
        .map_err(|error| Failure::could_not_run("this program's file", why(&error)))
}
