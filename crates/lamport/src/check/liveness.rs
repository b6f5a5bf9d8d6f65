//! `check --liveness`: liveness under weak fairness, in cycles too. Operations have no end, states are without the values of
//! clocks, and a counterexample is a lasso: a path, and a loop that repeats for ever.

use std::{path::Path, time::Instant};

use common::{
    config::in_range,
    event::{self, Event, Kind},
    exit::{Exit, Failure, Summary},
    journal::Journal,
    message::Carrier,
    process::{
        check::{
            args::FAULTS,
            command::with_progress,
            liveness::{
                self, Lasso, Outcome,
                explain::{LassoEvents, Marks},
                timeless::Timeless,
            },
            relevance::Relevance,
            report::{Checkable as _, limit},
            search::{End, Progress},
            system::{FaultBudget, MOST_PROCESSES, Step, System, TimerBounds, UNBOUNDED},
        },
        fault_event::PathEvent,
        ids::{Names, ProcessId},
        property::Property,
        reliable_link::ChannelOrder,
        report::{self, Log, Report, line},
    },
    shutdown::Shutdown,
    text::{micros, plural, visible_path, whole_micros},
};

use super::{Settings, Subject, check_args, monitor::PropertyMonitor, reduction, shows_progress};
use crate::{
    algorithms::{Algorithm, with_process},
    bug::Bug,
    config::{Cli, Switch},
    reporting,
    simulate::replay::LASSO,
};

/// The texts of the local events at both ends of a loop.
pub const MARKS: [&str; 2] = [
    "waits; the steps from here on repeat for ever",
    "still waits, as at the beginning of the loop",
];

/// The settings of a search for lassos.
///
/// # Errors
/// When an option excludes it (exit code 2).
pub fn settings(cli: &Cli, algorithm: Algorithm) -> Result<Settings, Failure> {
    let refuse = |what: &str, why: &str| Err(Failure::could_not_run(what, why));
    let (given, bounded) = (&cli.options.given, algorithm.elects());
    given.refuse(
        &["--max-clock"],
        "means nothing with --liveness: states are without the values of clocks",
    )?;
    if cli.order() != ChannelOrder::Fifo {
        let why = "means nothing with --liveness: fairness is that of reliable FIFO channels";
        return refuse("--channels", why);
    }
    if !bounded {
        given.refuse(
            &["--count"],
            "means nothing with --liveness: operations have no end",
        )?;
        given.refuse(
            &FAULTS,
            "means nothing with --liveness: fairness is that of reliable FIFO channels",
        )?;
    }
    if let Err(why) = algorithm.lasso_property() {
        return refuse("--liveness", &format!("{}: {why}", algorithm.word()));
    }
    // Three processes of mutex have more states than most machines have room for.
    let default = if algorithm == Algorithm::Mutex { 2 } else { 3 };
    let processes = cli.given_processes()?.unwrap_or(default);
    let processes = in_range("--processes", processes, 2, MOST_PROCESSES)?;
    let check_args = check_args(&cli.options, algorithm);
    let (count, budget) = match bounded {
        true => {
            let count = in_range("--count", cli.options.count.unwrap_or(1), 1, 1_000)?;
            (count as u16, check_args.budget(processes)?)
        }
        false => (UNBOUNDED, FaultBudget::default()),
    };
    let settings = Settings {
        algorithm,
        processes,
        bug: cli.bug(algorithm)?,
        subject: Subject::Processes { count, budget },
        order: ChannelOrder::Fifo,
        reduction: !bounded && cli.options.reduction.unwrap_or_default() == Switch::On,
        limits: check_args.limits()?,
    };
    let Some(bug) = settings.bug.filter(|_| !bounded) else {
        return Ok(settings);
    };
    let without = format!("not with --bug {}", bug.word());
    match (bug, reduction::why_not(&settings)) {
        (Bug::NoAcknowledgement, _) => {
            let why = "messages that nobody waits for pile up without end";
            refuse("--liveness", &format!("{without}: {why}"))
        }
        (_, Some(why)) => refuse(
            "--liveness",
            &format!("{without}: states are without the values of clocks, and {why}"),
        ),
        (_, None) => Ok(settings),
    }
}

/// The model.
pub fn system<P: Relevance<Settings = Option<Bug>>>(
    settings: &Settings,
) -> System<P, PropertyMonitor> {
    if let Subject::Processes { count, budget } = settings.subject
        && count != UNBOUNDED
    {
        return settings.system::<P>(count, budget);
    }
    System {
        monitor: PropertyMonitor::live(settings.algorithm, settings.processes),
        is_reduced: true,
        // Nobody waits in vain for a reply.
        bounds: TimerBounds {
            rounds: UNBOUNDED,
            ..TimerBounds::operations(UNBOUNDED)
        },
        ..settings.system::<P>(UNBOUNDED, FaultBudget::default())
    }
}

/// Searches for a lasso.
pub fn search<P: Relevance>(
    settings: &Settings,
    system: &System<P, PropertyMonitor>,
    progress: &Progress,
    stop: &(dyn Fn() -> bool + Sync),
) -> Outcome<Step> {
    let model = Timeless::new(system, settings.reduction);
    liveness::search(&model, settings.limits, progress, stop)
}

/// Runs the command; exit code 1 when there is a lasso.
///
/// # Errors
/// When the options are invalid, or the search could not visit all states and found no lasso (exit code 2).
pub fn run(
    cli: &Cli,
    algorithm: Algorithm,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let settings = settings(cli, algorithm)?;
    let property = algorithm
        .lasso_property()
        .expect("a property, as the settings say");
    if let Some(folder) = &cli.options.logs {
        report::folder(folder)?;
    }
    journal.record(Event::new(Kind::Ready).text(subject(&settings)));
    let names = Names::numbered(settings.processes);
    let begun = Instant::now();
    let stop = || shutdown.requested();
    let (outcome, counterexample) = with_process!(algorithm, P => {
        let system = system::<P>(&settings);
        let outcome = with_progress(shows_progress(cli), journal, |progress| {
            search(&settings, &system, progress, &stop)
        });
        let found = outcome.lasso.as_ref().map(|lasso| {
            let process = ProcessId::at(lasso.obligation as usize);
            let explained = system.explain_lasso(lasso, Marks { process, texts: MARKS });
            Counterexample::new(lasso, explained)
        });
        (outcome, found)
    });
    let report = Report {
        ready: reporting::ready(algorithm, ChannelOrder::Fifo),
        names: &names,
        over: Carrier::Memory,
        journal,
    };
    let found = Found {
        settings: &settings,
        property,
        outcome: &outcome,
    };
    journal.record(found.check(&names, counterexample.as_ref()));
    if let Some(counterexample) = &counterexample {
        let folder = report::folder_or_temporary(cli.options.logs.as_deref(), "lamport")?;
        let file = folder.join(format!("{}.jsonl", property.name().replace(' ', "-")));
        counterexample.report(&settings, property, &file, &report)?;
    }
    found.summary(begun, journal, counterexample.as_ref())
}

/// The subject of the search, in words.
fn subject(settings: &Settings) -> String {
    let of_network = match settings.subject {
        Subject::Processes { count, .. } if count != UNBOUNDED => settings.words(),
        _ => format!(
            "{} processes of {}, operations without end; reliable FIFO channels",
            settings.processes,
            settings.algorithm.word()
        ),
    };
    format!("{of_network}, a weakly fair scheduler")
}

/// A lasso, and its events.
#[derive(Debug)]
pub struct Counterexample {
    /// The process that waits.
    pub process: ProcessId,
    /// The steps of the path.
    pub path: usize,
    /// The steps of the loop.
    pub cycle: usize,
    /// The events, with a mark at both ends of the loop.
    pub events: Vec<PathEvent>,
    /// Whether each step begins with a clock past all others.
    pub is_advanced: bool,
}

impl Counterexample {
    /// The lasso with its events.
    pub fn new(lasso: &Lasso<Step>, events: LassoEvents) -> Self {
        Self {
            process: ProcessId::at(lasso.obligation as usize),
            path: lasso.path.len(),
            cycle: lasso.cycle.len(),
            events: events.events,
            is_advanced: events.is_advanced,
        }
    }

    /// Prints it, and writes it into a log.
    fn report(
        &self,
        settings: &Settings,
        property: Property,
        file: &Path,
        report: &Report<'_>,
    ) -> Result<(), Failure> {
        let print = |text: String| report.journal.record(line(text));
        let (path, cycle) = (plural(self.path as u64, "step"), self.cycle);
        let ends = match cycle {
            0 => "after which nothing is possible".to_owned(),
            _ => format!("and a loop of {cycle}"),
        };
        print(format!(
            "counterexample to {:?}, a lasso: a path of {path}, {ends}:",
            property.name()
        ));
        report.path(&self.events, usize::MAX);
        if cycle > 0 {
            print(format!(
                "and so on for ever, from step {} again",
                self.path + 2
            ));
        }
        self.write(settings, file)?;
        print(format!("event log: {}", visible_path(file)));
        let bug = settings.bug.map(|bug| format!(" --bug {}", bug.word()));
        print(format!(
            "replay in the simulator: lamport simulate {} --processes {}{} --replay {}",
            settings.algorithm.word(),
            settings.processes,
            bug.unwrap_or_default(),
            visible_path(file)
        ));
        Ok(())
    }

    /// Writes it as an event log.
    ///
    /// # Errors
    /// When the file cannot be written (exit code 2).
    pub fn write(&self, settings: &Settings, file: &Path) -> Result<(), Failure> {
        let end = self.events.last().map(PathEvent::at).unwrap_or_default();
        let ready = reporting::ready(settings.algorithm, settings.order);
        Log {
            clocks: &[],
            names: &Names::numbered(settings.processes),
            over: Carrier::Memory,
            run: &format!("check-{}", settings.algorithm.word()),
            ready: match self.cycle {
                0 => ready,
                _ => ready
                    .text(subject(settings))
                    .counts([(LASSO, 1 + u64::from(self.is_advanced))]),
            },
            ended: (self.cycle == 0).then_some(end),
            began: std::time::Duration::ZERO,
        }
        .write(
            file,
            ProcessId::all(settings.processes),
            self.events.iter().cloned(),
        )
    }
}

/// What a search found.
struct Found<'a> {
    settings: &'a Settings,
    property: Property,
    outcome: &'a Outcome<Step>,
}

impl Found<'_> {
    fn how_far(&self) -> String {
        let counts = self.outcome.counts;
        let states = plural(counts.distinct, "state");
        format!("the first {states}, to depth {}", counts.depth)
    }

    /// The verdict.
    fn check(&self, names: &Names, counterexample: Option<&Counterexample>) -> Event {
        let (verdict, text) = match (counterexample, self.outcome.end) {
            (Some(found), _) => {
                let name = names.of(found.process);
                let why = match found.cycle {
                    0 => "nothing is possible any more",
                    _ => "a weakly fair scheduler can repeat the loop below for ever",
                };
                let waits = match self.property {
                    Property::Agreement => "never agrees with the others on the best that lives",
                    _ => "waits for ever",
                };
                (event::Verdict::Fail, format!("{name} {waits}; {why}"))
            }
            (None, End::Complete) => {
                let text = "on every infinite path of a weakly fair scheduler";
                (event::Verdict::Ok, text.to_owned())
            }
            (None, _) => (
                event::Verdict::Open,
                format!("no lasso in {}; there are more", self.how_far()),
            ),
        };
        Event::check(self.property.name(), verdict, text)
    }

    /// The counts, and the exit code.
    fn summary(
        &self,
        begun: Instant,
        journal: &Journal,
        counterexample: Option<&Counterexample>,
    ) -> Result<Summary, Failure> {
        let Settings {
            algorithm,
            bug,
            limits,
            reduction,
            ..
        } = *self.settings;
        let Outcome {
            counts,
            end,
            components,
            fair,
            ..
        } = *self.outcome;
        let elapsed = begun.elapsed();
        let before = match end {
            End::Complete => "",
            End::AllViolated => "until a lasso was found: ",
            End::Interrupted => "interrupted after ",
            End::TooMany | End::NoMemory => "limit reached after ",
        };
        let reduced = match reduction {
            true => "; steps that commute with all others taken alone (--reduction off takes all)",
            false => "",
        };
        let text = format!(
            "{before}{} distinct states, {}, {} in which a process waits, {fair} of them fair; in {}{reduced}",
            counts.distinct,
            plural(counts.generated, "step"),
            plural(components, "strongly connected component"),
            micros(whole_micros(elapsed)),
        );
        let length = |of: fn(&Counterexample) -> usize| counterexample.map_or(0, of) as u64;
        let violated = u64::from(counterexample.is_some());
        let summary = Summary::done(text)
            .count("distinct", counts.distinct)
            .count("depth", counts.depth)
            .count("generated", counts.generated)
            .count("components", components)
            .count("fair", fair)
            .count("path", length(|found| found.path))
            .count("loop", length(|found| found.cycle))
            .count("complete", u64::from(end == End::Complete))
            .count("elapsed_us", whole_micros(elapsed))
            .count("violated", violated);
        if violated == 0 {
            let far = self.how_far();
            let unfinished = match (end, limit(limits, Some(end))) {
                (End::Interrupted, _) => {
                    let why = format!("interrupted: no lasso in {far}");
                    Some((format!("check {}", algorithm.word()), why))
                }
                (_, Some((what, why))) => {
                    let why = format!(
                        "{why}: no lasso in {far}; give a larger one, or fewer --processes"
                    );
                    Some((what, why))
                }
                (_, None) => None,
            };
            if let Some((what, why)) = unfinished {
                journal.record(Event::report(&summary));
                return Err(Failure::could_not_run(what, why));
            }
            if let Some(bug) = bug {
                let (bug, processes) = (bug.word(), self.settings.processes);
                journal.record(line(format!(
                    "no lasso by the bug {bug} with {processes} processes; more may show it, and check without --liveness a violation of safety"
                )));
            }
        }
        let exit = if violated == 0 { Exit::Done } else { Exit::No };
        journal.record(Event::report(&summary));
        Ok(summary.reported().exit(exit))
    }
}
