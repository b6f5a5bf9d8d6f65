//! What is shown of a check: what was found, the paths to what is wrong, and the counts.

use std::{path::Path, time::Duration};

use common::{
    event::{self, Event, Kind},
    exit::{Exit, Failure, Summary},
    text::{micros, plural, visible_path, whole_micros},
};

use super::{
    Settings, Subject,
    path_event::{Fault, PathEvent, STEP},
    search::{Counts, End},
    system::FaultBudget,
};
use crate::{
    ids::{Names, ProcessId},
    property::Property,
    reporting::{self, Report, line},
    run_event::RunEvent,
    verdict::{RunUnderTest, Verdict},
};

/// A path to what is wrong.
#[derive(Debug)]
pub struct Found {
    /// How many steps it has.
    pub steps: usize,
    /// What happens on it.
    pub shown: Vec<PathEvent>,
}

/// What a check came to.
#[derive(Debug)]
pub struct Checked<'a> {
    /// What was checked.
    pub settings: &'a Settings,
    /// How many states there are.
    pub counts: Counts,
    /// Why it ended.
    pub end: End,
    /// How long it took.
    pub elapsed: Duration,
    /// Each property, and its counterexample if it has one.
    pub found: Vec<(&'static str, Option<Found>)>,
}

/// What is going to be checked.
pub fn beginning(settings: &Settings) -> String {
    let (processes, word) = (settings.processes, settings.algorithm.word());
    match settings.subject {
        Subject::Module { max_clock } => {
            format!("the TLA+ module LamportMutex, {processes} processes, clocks up to {max_clock}")
        }
        Subject::Processes { count, budget } => {
            let begins = if count == 1 {
                "once".to_owned()
            } else {
                format!("{count} times")
            };
            let may = worse(budget);
            let network = if may.is_empty() {
                "messages keep their order, and none is lost".to_owned()
            } else {
                format!("at any moment {}", may.join(", "))
            };
            format!("{processes} processes of {word}, each begins {begins}; {network}")
        }
    }
}

/// What may go wrong, in words.
fn worse(budget: FaultBudget) -> Vec<String> {
    let all = [
        (budget.lost, "message", "may be lost"),
        (budget.duplicated, "message", "may be duplicated"),
        (budget.reordered, "message", "may be reordered"),
        (budget.crashed, "process", "may crash"),
    ];
    let some = all.into_iter().filter(|(times, ..)| *times > 0);
    let words = some.map(|(times, what, may)| {
        let what = plural(times.into(), what).replace("processs", "processes");
        format!("{what} {may}")
    });
    words.collect()
}

fn rate(counts: &Counts, elapsed: Duration) -> u64 {
    (counts.distinct as f64 / elapsed.as_secs_f64().max(1e-6)) as u64
}

/// How far it is.
pub fn so_far(counts: &Counts, elapsed: Duration) -> Event {
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

impl Checked<'_> {
    /// Reports it all.
    ///
    /// # Errors
    /// When a log cannot be written, or there were more states than it may look at (exit code 2).
    pub fn tell(&self, report: &Report<'_>, logs: Option<&Path>) -> Result<Summary, Failure> {
        let journal = report.journal;
        for (rule, found) in &self.found {
            journal.record(self.check(report, rule, found.as_ref()));
        }
        let broken = self
            .found
            .iter()
            .filter(|(_, found)| found.is_some())
            .count();
        if broken > 0 {
            self.paths(report, logs)?;
        }
        let summary = self.summary().count("violated", broken as u64);
        if broken == 0 && self.end == End::TooMany {
            journal.record(Event::report(&summary));
            let what = format!("--states {}", self.settings.limits.most);
            let why = "there are more, and nothing is wrong so far; give a larger number, or less to check (--processes, --count, --max-clock)";
            return Err(Failure::could_not_run(what, why));
        }
        let exit = if broken == 0 { Exit::Done } else { Exit::No };
        journal.record(Event::report(&summary));
        Ok(Summary {
            text: String::new(),
            ..summary
        }
        .exit(exit))
    }

    fn check(&self, report: &Report<'_>, rule: &'static str, found: Option<&Found>) -> Event {
        let (verdict, text) = match (found, self.end) {
            (Some(found), _) => (event::Verdict::Fail, self.wrong(report.names, rule, found)),
            (None, End::Complete) => (event::Verdict::Ok, self.holds(rule)),
            (None, _) => {
                let states = plural(self.counts.distinct, "state");
                let text = format!("not broken in the first {states}, and there are more");
                (event::Verdict::Open, text)
            }
        };
        Event::check(rule, verdict, text)
    }

    fn holds(&self, rule: &str) -> String {
        match rule {
            "every request granted" => "sooner or later, on every path",
            "everything delivered" => "everywhere, sooner or later, on every path",
            "at most 3 in a channel" => "messages, in every state",
            "clock condition" | "in timestamp order" | "causal order" | "same sequence" => {
                "on every path"
            }
            _ => "in every state",
        }
        .to_owned()
    }

    /// What the verdict on the path says: it names the events.
    fn wrong(&self, names: &Names, rule: &str, found: &Found) -> String {
        let gone = found.crashed();
        let events = found.events();
        let run = RunUnderTest::new(self.settings.algorithm, names, &events).gone(&gone);
        let mut checks = Verdict::of(&run).checks.into_iter();
        let check = checks.find(|check| check.property.name() == rule && check.is_violated());
        check.map_or_else(
            || format!("broken after {}", plural(found.steps as u64, "step")),
            |check| check.found,
        )
    }

    /// Reports each path once, the shortest first, and writes it into a log.
    fn paths(&self, report: &Report<'_>, logs: Option<&Path>) -> Result<(), Failure> {
        let folder = reporting::folder_or_temporary(logs)?;
        let mut found: Vec<_> = self
            .found
            .iter()
            .filter_map(|(rule, found)| Some((*rule, found.as_ref()?)))
            .collect();
        found.sort_by_key(|(_, found)| found.steps);
        for (index, (rule, path)) in found.iter().enumerate() {
            let same = |(_, other): &&(&str, &Found)| other.shown == path.shown;
            let say = |text: String| report.journal.record(line(text));
            let file = folder.join(format!("{}.jsonl", rule.replace(' ', "-")));
            let steps = plural(path.steps as u64, "step");
            if let Some((other, _)) = found[..index].iter().find(same) {
                say(format!(
                    "the shortest path that breaks {rule:?} is that of {other:?}"
                ));
                continue;
            }
            say(format!("the shortest path that breaks {rule:?}, {steps}:"));
            self.path(report, path);
            let events = path.events();
            // A path to what is missing ends where nothing more can happen; any other goes on.
            let end = events.last().map_or(Duration::ZERO, |last| last.at);
            let all = ProcessId::all(report.names.count());
            let run = format!("check-{}", self.settings.algorithm.word());
            let ended = is_liveness(rule).then_some(end);
            report.log(&file, &run, all, events.iter(), &path.crashed(), ended)?;
            say(format!("its event log: {}", visible_path(&file)));
            if let Subject::Processes { .. } = self.settings.subject {
                say(format!("again, in the simulator: {}", self.again(&file)));
            }
        }
        Ok(())
    }

    fn path(&self, report: &Report<'_>, path: &Found) {
        for shown in &path.shown {
            match shown {
                PathEvent::Event(event) => report.event(event),
                PathEvent::Fault(at, _) => {
                    let fault = Event::new(Kind::Fault).text(shown.words(report.names));
                    report.record(*at, fault);
                }
            }
        }
    }

    /// The command that runs a path again.
    fn again(&self, file: &Path) -> String {
        let Settings {
            algorithm,
            processes,
            bug,
            ..
        } = self.settings;
        let bug = bug
            .map(|bug| format!(" --bug {}", bug.word()))
            .unwrap_or_default();
        format!(
            "lamport simulate {} --processes {processes}{bug} --replay {}",
            algorithm.word(),
            visible_path(file)
        )
    }

    fn summary(&self) -> Summary {
        let counts = &self.counts;
        let rate = rate(counts, self.elapsed);
        let with_beyond = counts.generated + counts.beyond;
        let looked_at = match self.end {
            End::Complete => "",
            End::AllViolated => "until every property was violated: ",
            End::Interrupted => "interrupted after ",
            End::TooMany => "given up after ",
        };
        let beyond = match self.settings.subject {
            Subject::Module { max_clock } => format!(
                " ({with_beyond} with the {} that lead to a clock beyond {max_clock})",
                counts.beyond
            ),
            Subject::Processes { .. } => String::new(),
        };
        let text = format!(
            "{looked_at}{} distinct states, depth {}, {} generated{beyond}; in {}, {rate} distinct states a second",
            counts.distinct,
            counts.depth,
            counts.generated,
            micros(whole_micros(self.elapsed)),
        );
        Summary::done(text)
            .count("distinct", counts.distinct)
            .count("depth", counts.depth)
            .count("generated", counts.generated)
            .count("generated_with_beyond", with_beyond)
            .count("complete", u64::from(self.end == End::Complete))
            .count("elapsed_us", whole_micros(self.elapsed))
            .count("distinct_per_s", rate)
    }
}

/// Whether the property of this name is decided by the end of a path.
fn is_liveness(property: &str) -> bool {
    let liveness = [Property::Granted, Property::AllDelivered];
    liveness.iter().any(|known| known.name() == property)
}

impl Found {
    /// The processes that crash.
    fn crashed(&self) -> Vec<ProcessId> {
        let crashed = self.shown.iter().filter_map(|shown| match shown {
            PathEvent::Fault(_, Fault::Crashed(process)) => Some(*process),
            _ => None,
        });
        crashed.collect()
    }

    /// The events of the processes.
    fn events(&self) -> Vec<RunEvent> {
        let events = self.shown.iter().filter_map(|shown| match shown {
            PathEvent::Event(event) => Some(event.clone()),
            PathEvent::Fault(..) => None,
        });
        events.collect()
    }
}

/// The how many-th step it is that happens at this time.
pub fn step(at: Duration) -> u128 {
    at.as_nanos() / STEP.as_nanos()
}
