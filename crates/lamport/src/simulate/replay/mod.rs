//! Replays an event log: each timer expires and each message arrives when it did in the log.
//!
//! The log contains the events of the processes; the replay shows that the processes repeat them, in every field. Channels are
//! not replayed: the log contains the messages that they delivered, and may contain the faults of the network.
//!
//! | module | job |
//! | --- | --- |
//! | `script` | the events of the log, none passed over |
//! | `beginning` | how each process begins, as its `ready` event says |
//! | `typed` | the command that a person typed |
//! | `lasso` | whether the loop of a lasso leads back to the same state |
//! | `processes` | the processes, which must repeat them |
//! | `difference` | what differs between two events |
//! | `network` | the messages in flight, and the faults |
//! | `replayed` | the result: the run, its verdict and its report |

mod beginning;
mod difference;
mod lasso;
mod network;
mod processes;
mod readings;
mod replayed;
mod script;
mod typed;

use std::path::Path;

use common::{
    exit::{Failure, Summary},
    journal::Journal,
    process::report::Show,
    text::visible_path,
};

pub use self::{
    beginning::{CLOCK, LASSO, MAX_CLOCK, TYPED},
    replayed::Replayed,
    script::{Script, Scripted, Step},
};
use crate::{
    algorithms::{Algorithm, with_process},
    bug::Bug,
    config::Cli,
};

/// The command: replays the log, prints and checks it; exit code 1 when a property is violated.
///
/// # Errors
/// When the log cannot be read, or the processes do not repeat it (exit code 2).
pub(super) fn command(
    cli: &Cli,
    algorithm: Algorithm,
    log: &Path,
    journal: &Journal,
) -> Result<Summary, Failure> {
    let script = Script::read(cli, algorithm, log)?;
    if script.max_clock.is_some() {
        let why = format!(
            "it is a path of the TLA+ module LamportMutex; lamport check mutex --replay {} replays it",
            visible_path(log)
        );
        return Err(Failure::could_not_run(visible_path(log), why));
    }
    of_processes(cli, algorithm, &script, journal)
}

/// The command, for a log of the processes that was read.
///
/// # Errors
/// When the processes do not repeat it (exit code 2).
pub fn of_processes(
    cli: &Cli,
    algorithm: Algorithm,
    script: &Script,
    journal: &Journal,
) -> Result<Summary, Failure> {
    let replayed = repeat(algorithm, cli.bug(algorithm)?, script)?;
    let verdict = replayed.verdict(algorithm, script);
    let show = cli.options.show.unwrap_or(Show(usize::MAX));
    Ok(replayed.report(algorithm, script, &verdict, show, journal))
}

/// Replays a log with the processes of the algorithm.
///
/// # Errors
/// When they do not repeat it (exit code 2).
pub fn repeat(
    algorithm: Algorithm,
    bug: Option<Bug>,
    script: &Script,
) -> Result<Replayed, Failure> {
    with_process!(algorithm, P => processes::replay::<P>(script, bug))
}
