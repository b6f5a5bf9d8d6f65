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

use std::time::Duration;

use common::{
    event::Event,
    exit::{Exit, Failure, Summary},
    journal::Journal,
    process::{
        children::start::{RunLogs, run_children},
        ids::ProcessId,
        report::{Report, line},
        run_event::RunEvent,
    },
    shutdown::Shutdown,
    text::{micros, whole_micros},
};

pub use self::settings::Settings;
use self::supervisor::Supervisor;
use crate::{clock_plot, reporting, simulate::minimize::minimize, trace::runs::LoggedRun, verdict};

/// Runs the processes and checks their logs; exit code 1 when a property is violated.
///
/// # Errors
/// When the processes cannot be run (exit code 2).
pub fn run(
    settings: &Settings,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let logs = RunLogs::create(settings.logs.as_deref(), "lamport", &settings.names)?;
    let command = |process| settings.command(process, &logs.of(settings.names.of(process)));
    let failed = run_children("lamport", &settings.names, command, |children, outputs| {
        Supervisor::new(settings, children, outputs, journal).run(shutdown)
    });
    let summary = failed.and_then(|failed| check(settings, &logs, &failed, journal, shutdown));
    logs.end(&summary, journal);
    summary
}

/// How long the processes ran, each by its own clock.
fn longest(events: &[RunEvent], processes: usize) -> Duration {
    let mut spans: Vec<Option<(Duration, Duration)>> = vec![None; processes];
    for event in events {
        let (first, last) = spans[event.process.index()].get_or_insert((event.at, event.at));
        *first = event.at.min(*first);
        *last = event.at.max(*last);
    }
    let spans = spans.into_iter().flatten();
    spans
        .map(|(first, last)| last - first)
        .max()
        .unwrap_or_default()
}

fn check(
    settings: &Settings,
    logs: &RunLogs,
    failed: &[ProcessId],
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let paths: Vec<_> = settings.names.all().map(|name| logs.of(name)).collect();
    let (_, logged) = LoggedRun::read(&paths, settings.algorithm, &settings.names)?;
    let events = &logged.events;
    let end = longest(events, settings.names.count());
    let run = logged
        .under_test()
        .unfinished(&[])
        .crashed(failed)
        .order(settings.simulation.order);
    let verdict = verdict::of(settings.algorithm, &run);
    let report = Report {
        ready: reporting::ready(settings.algorithm, settings.simulation.order),
        names: &settings.names,
        over: settings.transport.carrier(),
        journal,
    };
    if settings.show.0 > 0 {
        report.events(events, settings.show.0);
    }
    if let Some(path) = &settings.plot {
        let (names, faults) = (&settings.names, &settings.faults);
        clock_plot::draw(path, settings.algorithm.word(), names, events, faults)?;
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
    Ok(summary.reported())
}
