//! Replays an event log: each timer expires and each message arrives when it did in the log.
//!
//! The log contains the events of the processes; the replay shows that the processes repeat them, in every field. Channels are
//! not replayed: the log contains the messages that they delivered, and may contain the faults of the network.
//!
//! | module | job |
//! | --- | --- |
//! | `script` | the events of the log, none passed over |
//! | `processes` | the processes, which must repeat them |
//! | `difference` | what differs between two events |
//! | `network` | the messages in flight, and the faults |

mod difference;
mod network;
mod processes;
mod script;

use std::{path::Path, time::Duration};

use common::{
    event::Event,
    exit::{Exit, Failure, Summary},
    journal::Journal,
    message::Carrier,
    text::{plural, visible_path},
};

pub use self::{
    difference::difference,
    script::{MAX_CLOCK, Script, Scripted, Step},
};
use crate::{
    algorithms::{Algorithm, with_process},
    bug::Bug,
    config::{Cli, Show},
    fault_event::PathEvent,
    property::Property,
    reporting::{Report, line},
    verdict::{Check, RunUnderTest, Verdict},
};

/// A log that was replayed.
#[derive(Debug)]
pub struct Replayed {
    /// The events of the processes, and the faults of the log.
    pub path: Vec<PathEvent>,
    /// Whether every channel delivered its messages in order, each once.
    pub in_order: bool,
    /// The event with which the last step would go on, if the log ends before it.
    pub missing: Option<String>,
}

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

impl Replayed {
    /// The verdict on the run. Faults of the network are no violation by the processes.
    pub fn verdict(&self, algorithm: Algorithm, script: &Script) -> Verdict {
        let events = PathEvent::run_events(&self.path);
        let crashed = PathEvent::crashed(&self.path);
        let run = RunUnderTest::new(algorithm, &script.names, &events)
            .unfinished(&script.unfinished)
            .crashed(&crashed);
        let mut verdict = Verdict::of(&run);
        let keep = |check: &Check| self.in_order || check.property != Property::Channels;
        verdict.checks.retain(keep);
        verdict
    }

    /// Prints the run, its verdict and its counts.
    pub fn report(
        &self,
        algorithm: Algorithm,
        script: &Script,
        verdict: &Verdict,
        Show(show): Show,
        journal: &Journal,
    ) -> Summary {
        let report = Report {
            algorithm,
            names: &script.names,
            over: Carrier::Memory,
            journal,
        };
        let end = self.path.iter().map(PathEvent::at);
        let end = end.max().unwrap_or(Duration::ZERO);
        let network = match self.in_order {
            true => "over reliable FIFO channels",
            false => "with messages lost, duplicated or reordered",
        };
        let same = plural(script.events() as u64, "event");
        report.record(end, line(format!("replayed the same {same}, {network}")));
        if let Some(missing) = &self.missing {
            report.record(end, line(format!("the log ends before {missing}")));
        }
        if show > 0 {
            report.path(&self.path, show);
        }
        for check in &verdict.checks {
            report.record(end, check.event());
        }
        let exit = if verdict.holds() {
            Exit::Done
        } else {
            Exit::No
        };
        let summary = Summary::done(verdict.figures.words(algorithm)).exit(exit);
        let summary = verdict.figures.counted(summary);
        report.record(end, Event::report(&summary));
        Summary {
            text: String::new(),
            ..summary
        }
    }
}
