//! The command `run`: starts, supervises and stops real processes on this machine, and checks what they logged.
//!
//! Each process is this program as `lamport node`. It learns on its standard input who its peers are, when to start and
//! when to finish. The verdict is made from the processes' logs.
//!
//! | module | job |
//! | --- | --- |
//! | `state` | what a process says of itself |
//! | `supervisor` | all processes, from their start to their end |
//! | `settings` | the settings of the run |

mod settings;
mod state;
mod supervisor;

use std::{
    fs::{self, File},
    path::Path,
    thread,
};

use common::{
    event::{Event, Level},
    exit::{Exit, Failure, Summary, why},
    journal::Journal,
    process::{
        children::Child,
        ids::ProcessId,
        report::{self, Report, line},
    },
    shutdown::Shutdown,
    text::{micros, visible_path, whole_micros},
};
use crossbeam::channel::bounded;

pub use self::settings::Settings;
use self::supervisor::Supervisor;
use crate::{reporting, simulate::minimize::minimize, trace::runs::LoggedRun, verdict};
/// Runs the processes and checks their logs; exit code 1 when a property is violated.
///
/// # Errors
/// When the processes cannot be run (exit code 2).
pub fn run(
    settings: &Settings,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let folder = report::folder_or_temporary(settings.logs.as_deref(), "lamport")?;
    let cannot_write =
        |error| Failure::could_not_run(format!("--logs {}", visible_path(&folder)), why(&error));
    for name in settings.names.all() {
        File::create(report::log_path(&folder, name)).map_err(cannot_write)?;
    }
    let closing = &Shutdown::new().map_err(cannot_write)?;
    let failed = thread::scope(|scope| {
        let (sender, outputs) = bounded(1024);
        let started: Result<Vec<_>, Failure> = ProcessId::all(settings.names.count())
            .map(|process| {
                let command = settings.command(process, &folder)?;
                let name = settings.names.of(process).to_owned();
                Child::start(
                    scope,
                    ("lamport", process.index()),
                    name,
                    command,
                    &sender,
                    closing,
                )
            })
            .collect();
        let failed = started.and_then(|children| {
            Supervisor::new(settings, children, &outputs, journal).run(shutdown)
        });
        closing.request();
        failed
    })?;
    let verdict = check(settings, &folder, &failed, journal, shutdown)?;
    if settings.logs.is_none() {
        if verdict.exit == Exit::Done {
            let _ = fs::remove_dir_all(&folder);
        } else {
            let text = format!("the logs of this run are kept in {}", visible_path(&folder));
            journal.record(Event::error(Level::Warn, text));
        }
    }
    Ok(verdict)
}

fn check(
    settings: &Settings,
    folder: &Path,
    failed: &[ProcessId],
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let paths = settings.names.all();
    let paths: Vec<_> = paths.map(|name| report::log_path(folder, name)).collect();
    let (_, logged) = LoggedRun::read(&paths, settings.algorithm, &settings.names)?;
    let events = &logged.events;
    let end = events.iter().map(|event| event.at).max();
    let end = end.unwrap_or_default();
    let run = logged.under_test().unfinished(&[]).crashed(failed);
    let verdict = verdict::of(settings.algorithm, &run);
    let report = Report {
        ready: reporting::ready(settings.algorithm),
        names: &settings.names,
        over: settings.transport.carrier(),
        journal,
    };
    if settings.show.0 > 0 {
        report.events(events, settings.show.0);
    }
    for check in &verdict.checks {
        journal.record(check.event());
    }
    if verdict.first_violation().is_some() {
        match minimize(settings.algorithm, &settings.simulation, &|| {
            shutdown.requested()
        }) {
            Some(minimal) => minimal.print(settings.algorithm, &report, end),
            None => journal.record(line(
                "no simulated run with this violation found, in 1000 seeds of each size",
            )),
        }
    }
    let text = format!(
        "{} processes over {}: {}; in {}",
        settings.names.count(),
        report.over.word(),
        reporting::words(settings.algorithm, &verdict.figures),
        micros(whole_micros(end))
    );
    let exit = if verdict.holds() {
        Exit::Done
    } else {
        Exit::No
    };
    let summary = Summary::done(text)
        .exit(exit)
        .count("elapsed_us", whole_micros(end));
    let summary = reporting::counted(&verdict.figures, summary);
    journal.record(Event::report(&summary));
    Ok(Summary {
        text: String::new(),
        ..summary
    })
}
