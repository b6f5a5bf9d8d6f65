//! What is told of a check: what was found, the paths to what is wrong, and the counts.

use std::{path::Path, time::Duration};

use common::{
    event::{Event, Kind, Level},
    exit::{Exit, Failure, Summary},
    text::{micros, plural, visible_path, whole_micros},
};

use super::{
    Settings, What,
    search::{Counts, End},
    system::May,
    telling::{Fault, STEP, Telling},
};
use crate::{
    happening::Happening,
    process::Names,
    reporting::{self, Report, line},
    verdict::{Case, Verdict},
};

/// The name of an event that says how far a check is.
pub const PROGRESS: &str = "progress";

/// The name of an event in which something goes wrong by itself.
pub const FAULT: &str = "fault";

/// A path to what is wrong.
#[derive(Debug)]
pub struct Found {
    /// How many steps it has.
    pub steps: usize,
    /// What happens on it.
    pub told: Vec<Telling>,
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
    /// Each promise, and how it was broken.
    pub found: Vec<(&'static str, Option<Found>)>,
}

/// What is going to be checked.
pub fn beginning(settings: &Settings) -> String {
    let (processes, word) = (settings.processes, settings.algorithm.word());
    match settings.what {
        What::Module { max_clock } => {
            format!("the TLA+ module LamportMutex, {processes} processes, clocks up to {max_clock}")
        }
        What::Processes { count, may } => {
            let begins = if count == 1 {
                "once".to_owned()
            } else {
                format!("{count} times")
            };
            let may = worse(may);
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
fn worse(may: May) -> Vec<String> {
    let all = [
        (may.lose, "message", "may be lost"),
        (may.double, "message", "may come twice"),
        (may.overtake, "message", "may overtake others"),
        (may.crash, "process", "may stop for good"),
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
    let mut event = Event::new(Kind::Local).text(format!(
        "{} states, {} distinct, depth {}, {rate} distinct a second",
        counts.generated, counts.distinct, counts.depth
    ));
    event.name = Some(PROGRESS.to_owned());
    event.counts([
        ("generated", counts.generated),
        ("distinct", counts.distinct),
        ("depth", counts.depth),
        ("distinct_per_s", rate),
    ])
}

impl Checked<'_> {
    /// Tells it all.
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
        let summary = self.summary().count("broken", broken as u64);
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
        let (value, level, text) = match (found, self.end) {
            (Some(found), _) => ("FAIL", Level::Error, self.wrong(report.names, rule, found)),
            (None, End::Complete) => ("ok", Level::Info, self.holds(rule)),
            (None, _) => {
                let states = plural(self.counts.distinct, "state");
                let text = format!("not broken in the first {states}, and there are more");
                ("open", Level::Warn, text)
            }
        };
        let mut event = Event::new(Kind::Check).resolved(rule, value).text(text);
        event.level = level;
        event
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
        let gone: Vec<_> = found
            .told
            .iter()
            .filter_map(|told| match told {
                Telling::Fault(_, Fault::Crashed(process)) => Some(*process),
                _ => None,
            })
            .collect();
        let happenings = found.happenings();
        let verdict = Verdict::of(&Case {
            algorithm: self.settings.algorithm,
            names,
            happenings: &happenings,
            gone: &gone,
        });
        let check = verdict
            .checks
            .into_iter()
            .find(|check| check.rule == rule && check.wrong.is_some());
        check.map_or_else(
            || format!("broken after {}", plural(found.steps as u64, "step")),
            |check| check.found,
        )
    }

    /// Tells each path once, the shortest first, and writes it into a log.
    fn paths(&self, report: &Report<'_>, logs: Option<&Path>) -> Result<(), Failure> {
        let folder = reporting::folder_or_another(logs)?;
        let mut found: Vec<_> = self
            .found
            .iter()
            .filter_map(|(rule, found)| Some((*rule, found.as_ref()?)))
            .collect();
        found.sort_by_key(|(_, found)| found.steps);
        for (index, (rule, path)) in found.iter().enumerate() {
            let same = |(_, other): &&(&str, &Found)| other.told == path.told;
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
            let happenings = path.happenings();
            report.log(
                &file,
                &format!("check-{}", self.settings.algorithm.word()),
                happenings.iter(),
            )?;
            say(format!("its event log: {}", visible_path(&file)));
            if let What::Processes { .. } = self.settings.what {
                say(format!("again, in the simulator: {}", self.again(&file)));
            }
        }
        Ok(())
    }

    fn path(&self, report: &Report<'_>, path: &Found) {
        for told in &path.told {
            match told {
                Telling::Event(happening) => report.event(happening),
                Telling::Fault(at, _) => {
                    let mut event = line(told.words(report.names));
                    event.name = Some(FAULT.to_owned());
                    report.tell(*at, event);
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
            End::AllBroken => "until everything was broken: ",
            End::Interrupted => "interrupted after ",
            End::TooMany => "given up after ",
        };
        let beyond = match self.settings.what {
            What::Module { max_clock } => format!(
                " ({with_beyond} with the {} that lead to a clock beyond {max_clock})",
                counts.beyond
            ),
            What::Processes { .. } => String::new(),
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

impl Found {
    /// The events of the processes.
    fn happenings(&self) -> Vec<Happening> {
        let events = self.told.iter().filter_map(|told| match told {
            Telling::Event(happening) => Some(happening.clone()),
            Telling::Fault(..) => None,
        });
        events.collect()
    }
}

/// The how many-th step it is that happens at this time.
pub fn step(at: Duration) -> u128 {
    at.as_nanos() / STEP.as_nanos()
}
