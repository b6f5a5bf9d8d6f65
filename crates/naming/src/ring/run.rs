//! A ring of many processes on this machine: starts them, and checks what they logged.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    thread,
};

use common::{
    event::{Event, Level},
    exit::{Exit, Failure, Summary, why},
    journal::Journal,
    process::{
        children::Child,
        ids::{ProcessId, new_session},
        property::Property,
        verdict::{Verdict, check::Check, run::RunUnderTest},
    },
    shutdown::Shutdown,
    text::{plural, visible_path},
};
use crossbeam::channel::bounded;

use super::{
    logs::LoggedRun,
    processes,
    settings::RunSettings,
    supervisor::{Outcome, Supervisor},
};
use crate::location::{
    schemes::{Group, LocationScheme},
    verdict::{LookUpChecker, Promise},
};

/// Runs the processes and checks their look-ups; exit code 1 when a property is violated.
///
/// # Errors
/// When the processes cannot be run (exit code 2), or form no ring (exit code 1).
pub fn run(
    settings: &RunSettings,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let folder = settings.logs.clone().unwrap_or_else(|| {
        let (process, session) = (std::process::id(), new_session());
        std::env::temp_dir().join(format!("naming-{process}-{session:08x}"))
    });
    let cannot_write =
        |error| Failure::could_not_run(format!("--logs {}", visible_path(&folder)), why(&error));
    fs::create_dir_all(&folder).map_err(cannot_write)?;
    for name in settings.names.all() {
        File::create(log_path(&folder, name)).map_err(cannot_write)?;
    }
    let closing = &Shutdown::new().map_err(cannot_write)?;
    let outcome = thread::scope(|scope| {
        let (sender, outputs) = bounded(1024);
        let started: Result<Vec<_>, Failure> = ProcessId::all(settings.names.count())
            .map(|process| {
                let name = settings.names.of(process).to_owned();
                let command = settings.command(process, &log_path(&folder, &name))?;
                let number = ("naming", process.index());
                Child::start(scope, number, name, command, &sender, closing)
            })
            .collect();
        let outcome = started.and_then(|children| {
            Supervisor::new(settings, children, &outputs, journal, shutdown).run()
        });
        closing.request();
        outcome
    });
    let summary = outcome.and_then(|outcome| check(settings, &folder, &outcome, journal));
    if settings.logs.is_none() {
        match &summary {
            Ok(summary) if summary.exit == Exit::Done => drop(fs::remove_dir_all(&folder)),
            _ => {
                let text = format!("the logs of this run are kept in {}", visible_path(&folder));
                journal.record(Event::error(Level::Warn, text));
            }
        }
    }
    summary
}

fn log_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.jsonl"))
}

fn check(
    settings: &RunSettings,
    folder: &Path,
    outcome: &Outcome,
    journal: &Journal,
) -> Result<Summary, Failure> {
    let logged = LoggedRun::read(&settings.names, |name| log_path(folder, name))?;
    let run = RunUnderTest {
        places: Some(&logged),
        ..RunUnderTest::new(&settings.names, &logged.events).crashed(&outcome.crashed)
    };
    let group = Group {
        successors: settings.successors,
        ..Group::of(settings.names.count())
    };
    let promise = Promise::new(LocationScheme::ChordIterative, group);
    let checker = LookUpChecker::new(promise, outcome.faults.clone());
    let mut verdict = Verdict::of(&run, vec![Box::new(checker)]);
    verdict.checks.push(heals(outcome));
    for check in &verdict.checks {
        journal.record(check.event());
    }
    let crashed = outcome.crashed.len() as u64;
    let text = format!(
        "{} over UDP, {crashed} killed: {}, {}",
        processes(settings.names.count()),
        plural(outcome.names.len() as u64, "name"),
        plural(logged.sent, "message")
    );
    let exit = match verdict.holds() {
        true => Exit::Done,
        false => Exit::No,
    };
    let healed = outcome.healed.map_or(0, |healed| healed.as_micros() as u64);
    let summary = Summary::done(text)
        .exit(exit)
        .count("names", outcome.names.len() as u64)
        .count("sent", logged.sent)
        .count("crashed", crashed)
        .count("healed_us", healed);
    journal.record(Event::report(&summary));
    Ok(Summary {
        text: String::new(),
        ..summary
    })
}

/// Whether the processes that are left form a ring.
fn heals(outcome: &Outcome) -> Check {
    let property = Property::RingHeals;
    match (&outcome.broken, outcome.healed) {
        (Some(broken), _) => Check::unfulfilled(property, broken.clone()),
        (None, Some(healed)) => Check::ok(
            property,
            format!("whole {} ms after the last crash", healed.as_millis()),
        ),
        (None, None) => Check::open(property, "no process crashed"),
    }
}
