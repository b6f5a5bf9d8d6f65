//! What the options of faults share: a list of processes, and the failure that names an option.

use crate::{
    exit::Failure,
    process::ids::{Names, ProcessId},
    text::{did_you_mean, visible},
};

/// Parses a list of process names.
pub(super) fn group(text: &str, names: &Names) -> Result<Vec<ProcessId>, String> {
    let process = |name: &str| {
        names.process(name).ok_or_else(|| {
            let near = did_you_mean(name, names.all());
            format!("no process is called '{}'{near}", visible(name.as_bytes()))
        })
    };
    text.split(',').map(process).collect()
}

/// `--flag TEXT: why` (exit code 2).
pub(super) fn failed(flag: &str, text: &str, why: String) -> Failure {
    Failure::could_not_run(format!("{flag} {}", visible(text.as_bytes())), why)
}
