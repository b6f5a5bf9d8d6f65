//! The output of a check: the verdict on each property, the counterexamples, and the counts.

use std::{fmt, path::Path, time::Duration};

use super::{
    path_event::STEP,
    search::{Counts, End, Limits},
    system::FaultBudget,
};
use crate::{
    event::{self, Event, Kind},
    exit::{Exit, Failure, Summary},
    message::Carrier,
    process::{
        fault_event::PathEvent,
        ids::{Names, ProcessId},
        property::Property,
        reliable_link::ChannelOrder,
        report::{self, Log, Report, line},
        verdict::{Verdict, run::RunUnderTest},
    },
    size::Size,
    text::{micros, plural, visible_path, whole_micros},
};

/// What is checked, with what only its program can say about it.
pub trait Checkable: fmt::Debug {
    /// The program: `lamport`.
    fn program(&self) -> &'static str;

    /// The algorithm: `mutex`.
    fn word(&self) -> &'static str;

    /// The model with its bounds, in words.
    fn words(&self) -> String;

    /// The number of processes.
    fn processes(&self) -> usize;

    /// The limits of the search.
    fn limits(&self) -> Limits;

    /// The flags by which the model becomes smaller.
    fn smaller(&self) -> &'static str;

    /// The verdict on a path.
    fn verdict(&self, run: &RunUnderTest<'_>) -> Verdict;

    /// The first event of each process in the log of a path.
    fn ready(&self) -> Event;

    /// How the path in this log is replayed.
    fn replay(&self, _log: &Path) -> Option<String> {
        None
    }

    /// What is said when no property is violated.
    fn unviolated(&self) -> Option<String> {
        None
    }

    /// What is said of the states beyond the boundary.
    fn beyond(&self, _counts: &Counts) -> String {
        String::new()
    }

    /// What the reduction saved, or why there is none.
    fn reduction(&self, _saving: Option<(u64, u64)>) -> String {
        String::new()
    }
}

/// A counterexample: a path from the initial state to a violation.
#[derive(Debug)]
pub struct CheckedPath {
    /// The number of steps.
    pub steps: usize,
    /// The events of the processes, and the faults.
    pub events: Vec<PathEvent>,
    /// What is wrong at its end, where the verdict on its events does not say it.
    pub finding: Option<String>,
}

/// The result of a check.
#[derive(Debug)]
pub struct Checked<'a> {
    /// What was checked.
    pub subject: &'a dyn Checkable,
    /// The counts of states.
    pub counts: Counts,
    /// Why the search ended.
    pub end: End,
    /// The duration.
    pub elapsed: Duration,
    /// If the search was reduced: how many steps were possible, and how many were taken.
    pub saving: Option<(u64, u64)>,
    /// The properties.
    pub found: Vec<Found>,
}

/// The result for one property.
#[derive(Debug)]
pub struct Found {
    /// Its name.
    pub property: &'static str,
    /// A counterexample.
    pub path: Option<CheckedPath>,
    /// Why no path that was searched says anything about it; None if one exercised it.
    pub lacks: Option<&'static str>,
    /// Whether the reduced search found it violated.
    pub is_suspected: bool,
}

/// The network with the faults that may occur, in words.
pub fn network(order: ChannelOrder, budget: FaultBudget) -> String {
    let all = [
        (budget.lost, "message", "lost"),
        (budget.duplicated, "message", "duplicated"),
        (budget.reordered, "message", "reordered"),
        (budget.crashed, "process", "crashed"),
        (budget.suspected, "suspicion", "wrong"),
    ];
    let some = all.into_iter().filter(|(times, ..)| *times > 0);
    let words = some.map(|(times, subject, fault)| {
        let subject = plural(times.into(), subject);
        format!("{subject} {fault}")
    });
    let words: Vec<_> = words.collect();
    match (order, words.is_empty()) {
        (ChannelOrder::Fifo, true) => "reliable FIFO channels".to_owned(),
        (ChannelOrder::Fifo, false) => format!("at most {}", words.join(", ")),
        (ChannelOrder::Unordered, true) => "reliable channels, unordered".to_owned(),
        (ChannelOrder::Unordered, false) => {
            format!("unordered channels, at most {}", words.join(", "))
        }
    }
}

fn rate(counts: &Counts, elapsed: Duration) -> u64 {
    (counts.distinct as f64 / elapsed.as_secs_f64().max(1e-6)) as u64
}

/// The progress of the search.
pub fn progress(counts: &Counts, elapsed: Duration) -> Event {
    let rate = rate(counts, elapsed);
    let event = Event::new(Kind::Report).text(format!(
        "{} states, {} distinct, depth {}, {rate} distinct a second",
        counts.generated, counts.distinct, counts.depth
    ));
    event.counts([
        ("generated", counts.generated),
        ("distinct", counts.distinct),
        ("depth", counts.depth),
        ("distinct_per_s", rate),
    ])
}

/// Whether an event is the progress of a search, and not its result.
pub fn is_progress(event: &Event) -> bool {
    event.counts.contains_key("distinct") && !event.counts.contains_key("complete")
}

/// The limit that ended a search, and why it did.
pub fn limit(limits: Limits, end: Option<End>) -> Option<(String, &'static str)> {
    match end? {
        End::Complete | End::AllViolated | End::Interrupted => None,
        End::TooMany => Some((format!("--states {}", limits.most), "there are more")),
        End::NoMemory => {
            let what = format!("--memory {}", Size(limits.memory));
            Some((what, "there are more states than fit"))
        }
    }
}

impl Checked<'_> {
    /// Reports the verdicts, the counterexamples and the counts.
    ///
    /// # Errors
    /// When a log cannot be written, or there are more states than the limit (exit code 2).
    pub fn report(&self, report: &Report<'_>, logs: Option<&Path>) -> Result<Summary, Failure> {
        let journal = report.journal;
        for found in &self.found {
            journal.record(self.check(report, found));
        }
        let violated = self.found.iter().filter(|found| found.path.is_some());
        let violated = violated.count();
        if violated > 0 {
            self.paths(report, logs)?;
        }
        let summary = self.summary().count("violated", violated as u64);
        if violated == 0
            && let Some((what, why)) = self.unfinished()
        {
            journal.record(Event::report(&summary));
            return Err(Failure::could_not_run(what, why));
        }
        if let (0, Some(text)) = (violated, self.subject.unviolated()) {
            journal.record(line(text));
        }
        let exit = if violated == 0 { Exit::Done } else { Exit::No };
        journal.record(Event::report(&summary));
        Ok(summary.reported().exit(exit))
    }

    /// What ended the search before it had visited all states, and how far it came.
    fn unfinished(&self) -> Option<(String, String)> {
        let far = self.how_far();
        if self.end == End::Interrupted {
            let why = format!("interrupted: no violation in {far}");
            return Some((format!("check {}", self.subject.word()), why));
        }
        let (what, reason) = limit(self.subject.limits(), Some(self.end))?;
        let smaller = self.subject.smaller();
        let remedy = format!("give a larger one, or a smaller model ({smaller})");
        Some((what, format!("{reason}: no violation in {far}; {remedy}")))
    }

    /// How far an unfinished search came.
    fn how_far(&self) -> String {
        let Counts {
            distinct, depth, ..
        } = self.counts;
        let states = plural(distinct, "state");
        format!("the first {states}, to depth {depth}")
    }

    fn check(&self, report: &Report<'_>, found: &Found) -> Event {
        let property = found.property;
        let (verdict, text) = match (&found.path, self.end) {
            (Some(path), _) => (
                event::Verdict::Fail,
                self.violation(report.names, property, path),
            ),
            (None, End::Complete) => match found.lacks {
                Some(why) => (event::Verdict::Open, why.to_owned()),
                None => (event::Verdict::Ok, self.holds(property)),
            },
            (None, _) => {
                let far = self.how_far();
                let more = if found.is_suspected {
                    "the reduced search found a violation beyond"
                } else {
                    "there are more"
                };
                let text = format!("not violated in {far}; {more}");
                (event::Verdict::Open, text)
            }
        };
        Event::check(property, verdict, text)
    }

    fn holds(&self, property: &str) -> String {
        match property {
            "every request granted" => "eventually, on every path",
            // Without clocks a path can come back to an earlier state, and has no end then.
            "every look-up ends" => "in every final state",
            "agreement in the end" => "of all that live, in every final state",
            "snapshots completed" => "eventually, on every path",
            "consistent cut" => "of every snapshot, on every path",
            "money conserved" => "in every snapshot",
            "everything delivered" => "at every process, eventually, on every path",
            "at most 3 in a channel" => "messages, in every state",
            "clock condition" | "in timestamp order" | "causal order" | "same sequence"
            | "look-ups right" => "on every path",
            _ => "in every state",
        }
        .to_owned()
    }

    /// The finding of the verdict on the path, which names the events.
    fn violation(&self, names: &Names, property: &str, found: &CheckedPath) -> String {
        if let Some(finding) = &found.finding {
            return finding.clone();
        }
        let crashed = PathEvent::crashed(&found.events);
        let events = PathEvent::run_events(&found.events);
        let run = RunUnderTest::new(names, &events).crashed(&crashed);
        let mut checks = self.subject.verdict(&run).checks.into_iter();
        let check = checks.find(|check| check.property.name() == property && check.is_violated());
        check.map_or_else(
            || format!("violated after {}", plural(found.steps as u64, "step")),
            |check| check.found,
        )
    }

    /// Reports each counterexample once, the shortest first, and writes it into a log.
    fn paths(&self, output: &Report<'_>, logs: Option<&Path>) -> Result<(), Failure> {
        let folder = report::folder_or_temporary(logs, self.subject.program())?;
        let mut found: Vec<_> = self
            .found
            .iter()
            .filter_map(|found| Some((found.property, found.path.as_ref()?)))
            .collect();
        found.sort_by_key(|(_, found)| found.steps);
        for (index, (property, path)) in found.iter().enumerate() {
            let same = |(_, other): &&(&str, &CheckedPath)| other.events == path.events;
            let print = |text: String| output.journal.record(line(text));
            let file = folder.join(format!("{}.jsonl", property.replace(' ', "-")));
            let steps = plural(path.steps as u64, "step");
            if let Some((other, _)) = found[..index].iter().find(same) {
                print(format!(
                    "the shortest counterexample to {property:?} is that to {other:?}"
                ));
                continue;
            }
            print(format!("shortest counterexample to {property:?}, {steps}:"));
            output.path(&path.events, usize::MAX);
            path.write(self.subject, property, &file)?;
            print(format!("event log: {}", visible_path(&file)));
            self.subject.replay(&file).into_iter().for_each(print);
        }
        Ok(())
    }

    fn summary(&self) -> Summary {
        let counts = &self.counts;
        let rate = rate(counts, self.elapsed);
        let with_beyond = counts.generated + counts.beyond;
        let end = match self.end {
            End::Complete => "",
            End::AllViolated => "until every property was violated: ",
            End::Interrupted => "interrupted after ",
            End::TooMany | End::NoMemory => "limit reached after ",
        };
        let beyond = self.subject.beyond(counts);
        let reduction = self.subject.reduction(self.saving);
        let text = format!(
            "{end}{} distinct states, depth {}, {} generated{beyond}; in {}, {rate} distinct states a second{reduction}",
            counts.distinct,
            counts.depth,
            counts.generated,
            micros(whole_micros(self.elapsed)),
        );
        let (possible, taken) = self.saving.unwrap_or_default();
        Summary::done(text)
            .count("reduced", u64::from(self.saving.is_some()))
            .count("steps_possible", possible)
            .count("steps_taken", taken)
            .count("distinct", counts.distinct)
            .count("depth", counts.depth)
            .count("generated", counts.generated)
            .count("generated_with_beyond", with_beyond)
            .count("complete", u64::from(self.end == End::Complete))
            .count("elapsed_us", whole_micros(self.elapsed))
            .count("distinct_per_s", rate)
    }
}

/// Whether the property with this name is a liveness property.
fn is_liveness(property: &str) -> bool {
    let mut all = Property::LIVENESS.into_iter();
    all.any(|known| known.name() == property)
}

impl CheckedPath {
    /// Writes the path to a violation of the property with this name as an event log.
    ///
    /// # Errors
    /// When the file cannot be written (exit code 2).
    pub fn write(
        &self,
        subject: &dyn Checkable,
        property: &str,
        file: &Path,
    ) -> Result<(), Failure> {
        let end = self.events.last().map_or(Duration::ZERO, PathEvent::at);
        let log = Log {
            names: &Names::numbered(subject.processes()),
            over: Carrier::Memory,
            run: &format!("check-{}", subject.word()),
            // It says which model the path is of.
            ready: subject.ready(),
            // A counterexample to a liveness property ends in a final state; after any other the run could continue.
            ended: is_liveness(property).then_some(end),
            began: Duration::ZERO,
            clocks: &[],
        };
        let all = ProcessId::all(subject.processes());
        log.write(file, all, self.events.iter().cloned())
    }
}

/// The number of the step at this time.
pub fn step(at: Duration) -> u128 {
    at.as_nanos() / STEP.as_nanos()
}
