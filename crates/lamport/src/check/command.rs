//! The command `check`: searches, shows the progress, and reports the result.

use std::{
    convert::Infallible,
    hash::Hash,
    io::{self, IsTerminal},
    path::PathBuf,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use common::{
    config::Options as _,
    event::{Event, Kind},
    exit::{Failure, Summary},
    journal::Journal,
    message::Carrier,
    shutdown::Shutdown,
};

use crossbeam::channel::{RecvTimeoutError, bounded};

use super::{
    Settings,
    path_event::ExplainPath,
    replay,
    report::{self, CheckedPath},
    search::{Progress, search},
    with_model,
};
use crate::{
    algorithms::Algorithm,
    config::Cli,
    ids::Names,
    reporting::{self, Report},
};

/// The interval of the progress line on a terminal.
const PROGRESS: Duration = Duration::from_millis(250);

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
    let settings = Settings::new(cli, algorithm)?;
    if let Some(folder) = &cli.options.logs {
        // Before the search, which may take long.
        reporting::folder(folder)?;
    }
    let check = Check {
        settings: &settings,
        logs: cli.options.logs.clone(),
        shows_progress: !cli.options.output().json
            && !cli.options.output().quiet
            && io::stdout().is_terminal(),
        report: Report {
            algorithm,
            names: &Names::numbered(settings.processes),
            over: Carrier::Memory,
            journal,
        },
        shutdown,
    };
    journal.record(Event::new(Kind::Ready).text(report::subject(&settings)));
    with_model!(&settings, model => check.run(&model))
}

struct Check<'a> {
    settings: &'a Settings,
    logs: Option<PathBuf>,
    shows_progress: bool,
    report: Report<'a>,
    shutdown: &'a Shutdown,
}

impl Check<'_> {
    fn run<M>(&self, model: &M) -> Result<Summary, Failure>
    where
        M: ExplainPath + Sync,
        M::State: Hash + Send + Sync,
    {
        let progress = Arc::new(Progress::default());
        let begun = Instant::now();
        let so_far = Arc::clone(&progress);
        self.report.journal.report_with(move || {
            let event = report::progress(&so_far.counts(), begun.elapsed());
            let text = event.text.unwrap_or_default();
            Event {
                text: Some(format!("so far: {text}")),
                ..event
            }
        });
        let stop = || self.shutdown.requested();
        let mut outcome = None;
        self.with_progress(&progress, begun, &mut || {
            outcome = Some(search(model, self.settings.limits, &progress, &stop));
        });
        let outcome = outcome.expect("the search has an outcome");
        let elapsed = begun.elapsed();
        let properties = model.properties();
        let violations = outcome.violations.iter().map(|path| {
            path.as_ref().map(|path| CheckedPath {
                steps: path.len(),
                events: model.explain(path),
            })
        });
        let found = properties.iter().zip(violations);
        let found = found.map(|(property, path)| report::Found {
            property: property.name,
            path,
            lacks: model.lacks(property.name),
        });
        let found = found.collect();
        report::Checked {
            settings: self.settings,
            counts: outcome.counts,
            end: outcome.end,
            elapsed,
            found,
        }
        .report(&self.report, self.logs.as_deref())
    }

    /// Does the work, and shows the progress on a terminal.
    fn with_progress(&self, progress: &Progress, begun: Instant, work: &mut dyn FnMut()) {
        thread::scope(|scope| {
            // Disconnected when the work is done, or has panicked.
            let (_working, done) = bounded::<Infallible>(0);
            if self.shows_progress {
                let thread = thread::Builder::new().name("progress".into());
                // Without a thread there is no progress line.
                let _ = thread.spawn_scoped(scope, move || {
                    while done.recv_timeout(PROGRESS) == Err(RecvTimeoutError::Timeout) {
                        let event = report::progress(&progress.counts(), begun.elapsed());
                        self.report.journal.record(event);
                    }
                });
            }
            work();
        });
    }
}
