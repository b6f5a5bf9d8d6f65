//! Runs a program of the system and reads what it prints.

use std::process::{Command, Stdio};

/// What the program prints; None when it fails.
///
/// # Errors
/// When it cannot be started: it is not installed.
pub(super) fn output(program: &str, arguments: &[&str]) -> Result<Option<String>, ()> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let output = command.stderr(Stdio::null()).output().map_err(|_| ())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(output.status.success().then_some(text))
}
