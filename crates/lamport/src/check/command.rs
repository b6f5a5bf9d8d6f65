//! The command `check`.

use common::{
    exit::{Failure, Summary},
    journal::Journal,
    process::{
        check::{command::Check, search::search},
        report,
    },
    shutdown::Shutdown,
};

use super::{
    Settings, Subject, lamport_mutex::LamportMutex, liveness, processes::search_processes, replay,
    shows_progress,
};
use crate::{
    algorithms::{Algorithm, with_process},
    config::Cli,
};

/// Runs the command; exit code 1 when a property is violated.
///
/// # Errors
/// When the options are invalid, or the search could not visit all states and found no violation (exit code 2).
pub fn run(
    cli: &Cli,
    algorithm: Algorithm,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    if let Some(replayed) = replay::run(cli, algorithm, journal)? {
        return Ok(replayed);
    }
    cli.options
        .given
        .refuse(&["--show"], "goes with --replay")?;
    if cli.options.liveness.unwrap_or(false) {
        return liveness::run(cli, algorithm, journal, shutdown);
    }
    let settings = Settings::new(cli, algorithm)?;
    if let Some(folder) = &cli.options.logs {
        // Before the search, which may take long.
        report::folder(folder)?;
    }
    let check = Check {
        subject: &settings,
        logs: cli.options.logs.as_deref(),
        shows_progress: shows_progress(cli),
        journal,
        shutdown,
    };
    match settings.subject {
        Subject::Module { max_clock } => {
            let module = LamportMutex {
                processes: settings.processes,
                max_clock,
                bug: settings.bug,
            };
            check.run(&module, &|progress, stop| {
                search(&module, settings.limits, progress, stop).into()
            })
        }
        Subject::Processes { count, budget } => with_process!(algorithm, P => {
            let system = settings.system::<P>(count, budget);
            check.run(&system, &|progress, stop| {
                search_processes(&settings, &system, progress, stop)
            })
        }),
    }
}
