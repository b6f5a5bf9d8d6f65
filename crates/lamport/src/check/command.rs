//! Does what `lamport check` is asked to: searches, says how far it is, and reports.

use std::{
    convert::Infallible,
    hash::Hash,
    io::{self, IsTerminal},
    path::PathBuf,
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
    report::{self, Found},
    search::{Progress, search},
    telling::Tells,
    with_model,
};
use crate::{
    algorithms::Algorithm,
    config::Cli,
    process::Names,
    reporting::{self, Report},
    simulate,
};

/// How often somebody at a terminal is told how far it is.
const EVERY: Duration = Duration::from_millis(250);

/// Checks; exit code 1 when a promise is broken.
///
/// # Errors
/// When it cannot check as told, or there are more states than it may look at (exit code 2).
pub fn run(
    cli: &Cli,
    algorithm: Algorithm,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let settings = Settings::new(cli, algorithm)?;
    if cli.options.replay.is_some() {
        return simulate::command::run(cli, algorithm, journal, shutdown);
    }
    if let Some(folder) = &cli.options.logs {
        // Before anything takes long.
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
    journal.record(Event::new(Kind::Ready).text(report::beginning(&settings)));
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
        M: Tells + Sync,
        M::State: Hash + Send + Sync,
    {
        let progress = Progress::default();
        let begun = Instant::now();
        let stop = || self.shutdown.requested();
        let mut outcome = None;
        self.while_showing(&progress, begun, &mut || {
            outcome = Some(search(model, self.settings.limits, &progress, &stop));
        });
        let outcome = outcome.expect("it has searched");
        let elapsed = begun.elapsed();
        let properties = model.properties();
        let broken = outcome.broken.iter().map(|path| {
            let told = path.as_ref().map(|path| (path.len(), model.tell(path)));
            told.map(|(steps, told)| Found { steps, told })
        });
        let found: Vec<_> = properties
            .iter()
            .map(|property| property.name)
            .zip(broken)
            .collect();
        report::Checked {
            settings: self.settings,
            counts: outcome.counts,
            end: outcome.end,
            elapsed,
            found,
        }
        .tell(&self.report, self.logs.as_deref())
    }

    /// Does it, and says meanwhile how far it is where somebody sees it.
    fn while_showing(&self, progress: &Progress, begun: Instant, work: &mut dyn FnMut()) {
        thread::scope(|scope| {
            // Gone when the work is done, or has failed.
            let (_working, done) = bounded::<Infallible>(0);
            if self.shows_progress {
                let thread = thread::Builder::new().name("progress".into());
                // Where the system has no thread left nobody is told.
                let _ = thread.spawn_scoped(scope, move || {
                    while done.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                        let event = report::so_far(&progress.counts(), begun.elapsed());
                        self.report.journal.record(event);
                    }
                });
            }
            work();
        });
    }
}
