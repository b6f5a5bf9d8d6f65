//! A check as a command: searches, shows the progress, and reports the result.

use std::{
    convert::Infallible,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crossbeam::channel::{Receiver, RecvTimeoutError, bounded};

use super::{
    path_event::ExplainPath,
    report::{self, Checkable, CheckedPath},
    search::{Outcome, Progress},
};
use crate::{
    event::{Event, Kind},
    exit::{Failure, Summary},
    journal::Journal,
    message::Carrier,
    process::{ids::Names, report::Report},
    shutdown::Shutdown,
};

/// The interval of the progress line on a terminal.
const PROGRESS: Duration = Duration::from_millis(250);

/// The result of a search.
#[derive(Debug)]
pub struct Searched<A> {
    /// The result.
    pub outcome: Outcome<A>,
    /// If it was reduced: how many steps were possible, and how many were taken.
    pub saving: Option<(u64, u64)>,
    /// The properties that a reduced search found violated before, a bit for each.
    pub suspected: u32,
}

impl<A> From<Outcome<A>> for Searched<A> {
    fn from(outcome: Outcome<A>) -> Self {
        Self {
            outcome,
            saving: None,
            suspected: 0,
        }
    }
}

/// A search that shows its progress, and that can be asked to stop.
pub type Search<'s, A> = dyn Fn(&Progress, &(dyn Fn() -> bool + Sync)) -> Searched<A> + 's;

/// A check.
#[derive(Debug)]
pub struct Check<'a> {
    /// What is checked.
    pub subject: &'a dyn Checkable,
    /// Where counterexamples are written; None: into a temporary folder.
    pub logs: Option<&'a Path>,
    /// Whether somebody sees the progress.
    pub shows_progress: bool,
    /// The journal.
    pub journal: &'a Journal,
    /// What ends the search.
    pub shutdown: &'a Shutdown,
}

impl Check<'_> {
    /// Searches the states of the model, and reports; exit code 1 when a property is violated.
    ///
    /// # Errors
    /// When the search could not visit all states and found no violation, or a log cannot be written (exit code 2).
    pub fn run<M: ExplainPath>(
        &self,
        model: &M,
        search: &Search<'_, M::Action>,
    ) -> Result<Summary, Failure> {
        let ready = Event::new(Kind::Ready).text(self.subject.words());
        self.journal.record(ready);
        let begun = Instant::now();
        let stop = || self.shutdown.requested();
        let searched = with_progress(self.shows_progress, self.journal, |progress| {
            search(progress, &stop)
        });
        let outcome = searched.outcome;
        let elapsed = begun.elapsed();
        let properties = model.properties();
        let found = properties.iter().zip(&outcome.violations);
        let found = found.map(|(property, path)| {
            let path = path.as_ref().map(|path| CheckedPath {
                steps: path.len(),
                events: model.explain(path),
                finding: model.finding(property, path),
            });
            (*property, path)
        });
        let found = found.enumerate();
        let found = found.map(|(number, (property, path))| report::Found {
            property,
            path,
            lacks: model.lacks(property),
            is_suspected: searched.suspected >> number & 1 == 1,
        });
        let found = found.collect();
        report::Checked {
            subject: self.subject,
            counts: outcome.counts,
            end: outcome.end,
            elapsed,
            saving: searched.saving,
            found,
        }
        .report(
            &Report {
                ready: self.subject.ready(),
                names: &Names::numbered(self.subject.processes()),
                over: Carrier::Memory,
                journal: self.journal,
            },
            self.logs,
        )
    }
}

/// Does a search; reports its progress when a signal asks for it, and shows it if somebody sees it.
pub fn with_progress<T>(
    is_shown: bool,
    journal: &Journal,
    search: impl FnOnce(&Progress) -> T,
) -> T {
    let (progress, begun) = (Arc::new(Progress::default()), Instant::now());
    let so_far = Arc::clone(&progress);
    journal.report_with(move || {
        let event = report::progress(&so_far.counts(), begun.elapsed());
        let text = event.text.unwrap_or_default();
        Event {
            text: Some(format!("so far: {text}")),
            ..event
        }
    });
    thread::scope(|scope| {
        // Disconnected when the work is done, or has panicked.
        let (_working, done) = bounded::<Infallible>(0);
        let progress = &*progress;
        if is_shown {
            show_progress(scope, (progress, begun), journal, done);
        }
        search(progress)
    })
}

/// Shows the progress now and then, until the search is done.
fn show_progress<'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    (progress, begun): (&'scope Progress, Instant),
    journal: &'scope Journal,
    done: Receiver<Infallible>,
) {
    let thread = thread::Builder::new().name("progress".into());
    // Without a thread there is no progress line.
    let _ = thread.spawn_scoped(scope, move || {
        while done.recv_timeout(PROGRESS) == Err(RecvTimeoutError::Timeout) {
            journal.record(report::progress(&progress.counts(), begun.elapsed()));
        }
    });
}
