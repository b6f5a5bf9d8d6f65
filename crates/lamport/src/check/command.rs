//! The command `check`: searches, shows the progress, and reports the result.

use std::{
    convert::Infallible,
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
    process::{
        check::{
            path_event::ExplainPath,
            search::{Progress, search},
        },
        ids::Names,
    },
    shutdown::Shutdown,
};
use crossbeam::channel::{RecvTimeoutError, bounded};

use super::{
    Settings, Subject,
    lamport_mutex::LamportMutex,
    processes::{Searched, search_processes},
    replay,
    report::{self, CheckedPath},
};
use crate::{
    algorithms::{Algorithm, with_process},
    config::Cli,
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
    match settings.subject {
        Subject::Module { max_clock } => {
            let module = LamportMutex {
                processes: settings.processes,
                max_clock,
                bug: settings.bug,
            };
            check.run(&module, &|progress, stop| Searched {
                outcome: search(&module, settings.limits, progress, stop),
                saving: None,
                suspected: 0,
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

/// A search that shows its progress, and that can be asked to stop.
type Search<'s, A> = dyn Fn(&Progress, &(dyn Fn() -> bool + Sync)) -> Searched<A> + 's;

struct Check<'a> {
    settings: &'a Settings,
    logs: Option<PathBuf>,
    shows_progress: bool,
    report: Report<'a>,
    shutdown: &'a Shutdown,
}

impl Check<'_> {
    fn run<M: ExplainPath>(
        &self,
        model: &M,
        search: &Search<'_, M::Action>,
    ) -> Result<Summary, Failure> {
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
        let mut searched = None;
        self.with_progress(&progress, begun, &mut || {
            searched = Some(search(&progress, &stop));
        });
        let searched = searched.expect("the search has a result");
        let outcome = searched.outcome;
        let elapsed = begun.elapsed();
        let properties = model.properties();
        let violations = outcome.violations.iter().map(|path| {
            path.as_ref().map(|path| CheckedPath {
                steps: path.len(),
                events: model.explain(path),
            })
        });
        let found = properties.iter().zip(violations);
        let found = found.enumerate();
        let found = found.map(|(number, (property, path))| report::Found {
            property,
            path,
            lacks: model.lacks(property),
            is_suspected: searched.suspected >> number & 1 == 1,
        });
        let found = found.collect();
        report::Checked {
            settings: self.settings,
            counts: outcome.counts,
            end: outcome.end,
            elapsed,
            saving: searched.saving,
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
