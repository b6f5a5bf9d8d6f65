//! The command `simulate`: simulates runs, prints them and their verdict, and searches for a minimal counterexample.

use std::{path::Path, time::Duration};

use common::{
    config::in_range,
    event::{Event, Level},
    exit::{Exit, Failure, Summary},
    journal::Journal,
    message::Carrier,
    process::{ids::Names, simulation::Run, verdict::Verdict},
    shutdown::Shutdown,
    text::{micros, plural, visible_path, whole_micros},
};

use super::{
    Settings,
    minimize::{minimize, simulated},
    replay,
    settings::settings,
};
use crate::{
    algorithms::Algorithm,
    config::{Cli, Show},
    reporting::{self, Report, line},
};

/// Runs the command; exit code 1 when a property is violated.
///
/// # Errors
/// When the options are invalid, the run exceeds its limits, or a signal ends it before it has found a violation (exit code 2).
pub fn run(
    cli: &Cli,
    algorithm: Algorithm,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    if let Some(log) = cli.replay()? {
        return replay::command(cli, algorithm, log, journal);
    }
    let settings = settings(cli, algorithm, &cli.fault_args()?)?;
    let seeds = cli.options.seeds.unwrap_or(1);
    let seeds = in_range("--seeds", seeds, 1, 1_000_000)?;
    let report = Report {
        algorithm,
        names: &Names::numbered(settings.processes),
        over: Carrier::Memory,
        journal,
    };
    let show = cli
        .options
        .show
        .unwrap_or(Show(if seeds == 1 { 30 } else { 0 }));
    if let Some(folder) = &cli.options.logs {
        if seeds > 1 {
            let what = format!("--logs {}", visible_path(folder));
            let why = "only with one seed, and --seeds gives several";
            return Err(Failure::could_not_run(what, why));
        }
        // Before any output.
        reporting::folder(folder)?;
    }
    let series = Series {
        report: &report,
        settings: &settings,
        seeds,
        show,
        logs: cli.options.logs.as_deref(),
    };
    series.run(shutdown)
}

/// A series of runs with consecutive seeds.
struct Series<'a> {
    report: &'a Report<'a>,
    settings: &'a Settings,
    seeds: u64,
    show: Show,
    logs: Option<&'a Path>,
}

impl Series<'_> {
    fn run(&self, shutdown: &Shutdown) -> Result<Summary, Failure> {
        let mut violating = 0;
        let (mut first, mut last) = (None, None);
        let mut done = 0;
        let mut events = 0;
        let mut end = Duration::ZERO;
        for number in 0..self.seeds {
            if shutdown.requested() {
                break;
            }
            let settings = Settings {
                seed: self.settings.seed.wrapping_add(number),
                ..self.settings.clone()
            };
            let (run, verdict) = simulated(self.report.algorithm, &settings);
            if run.cut_short {
                let why = "more than 5000000 events, or 1000000 frames in flight; reduce --count, --for or --rate";
                return Err(Failure::could_not_run("simulate", why));
            }
            done += 1;
            events += verdict.figures.events;
            end = run.end;
            let holds = verdict.holds();
            violating += u64::from(!holds);
            if self.show.0 > 0 {
                self.report.events(&run.events, self.show.0);
            }
            if number == 0 {
                self.logs(&settings, &run)?;
            }
            if first.is_none() && (!holds || number + 1 == self.seeds) {
                self.warnings(&run);
                first = Some((settings, verdict));
            } else if first.is_none() {
                last = Some((settings, verdict));
            }
        }
        let unfinished = done < self.seeds && violating == 0;
        let interrupted = || {
            let what = format!("simulate {}", self.report.algorithm.word());
            let why = format!(
                "interrupted: no violation in {done} of {} seeds",
                self.seeds
            );
            Failure::could_not_run(what, why)
        };
        let Some((settings, verdict)) = first.or(last) else {
            return Err(interrupted());
        };
        if self.seeds > 1 {
            let seeds = plural(done, "seed");
            let text = match violating {
                0 => format!("{seeds}, no violation; the last run:"),
                _ => format!(
                    "{seeds}, {violating} with a violation; the first is seed {}:",
                    settings.seed
                ),
            };
            self.record(
                end,
                Event::report(
                    &Summary::done(text)
                        .count("seeds", done)
                        .count("violated", violating),
                ),
            );
        }
        self.verdict(end, &verdict);
        if let (0, 1, Some(bug)) = (violating, self.seeds, settings.process) {
            let text = format!(
                "no violation by the bug {} with this seed; --seeds 1000 tries more",
                bug.word()
            );
            self.record(end, line(text));
        }
        if verdict.first_violation().is_some() && !shutdown.requested() {
            let stop = || shutdown.requested();
            match minimize(self.report.algorithm, &settings, &stop) {
                Some(minimal) => minimal.print(self.report, end),
                None if shutdown.requested() => {}
                None => self.record(end, line("no smaller run with this violation found")),
            }
        }
        let text = format!(
            "{}, seed {}: {}; in {} of simulated time",
            plural(settings.processes as u64, "process").replace("processs", "processes"),
            settings.seed,
            reporting::words(self.report.algorithm, &verdict.figures),
            micros(whole_micros(end))
        );
        if unfinished {
            self.record(end, line(text));
            return Err(interrupted());
        }
        let exit = if violating == 0 { Exit::Done } else { Exit::No };
        let summary = Summary::done(text)
            .exit(exit)
            .count("seeds", done)
            .count("violated", violating)
            .count("simulated_us", whole_micros(end));
        let summary = reporting::counted(&verdict.figures, summary).count("events", events);
        self.record(end, Event::report(&summary));
        Ok(Summary {
            text: String::new(),
            ..summary
        })
    }

    /// Records an event in simulated time, so that the same seed prints the same bytes.
    fn record(&self, at: Duration, event: Event) {
        self.report.record(at, event);
    }

    fn verdict(&self, end: Duration, verdict: &Verdict) {
        for check in &verdict.checks {
            self.record(end, check.event());
        }
    }

    fn warnings(&self, run: &Run) {
        for (at, process, warning) in &run.warnings {
            let words = warning.words(self.report.names);
            let text = format!("{} reports: {words}", self.report.names.of(*process));
            self.record(*at, Event::error(Level::Warn, text));
        }
    }

    fn logs(&self, settings: &Settings, run: &Run) -> Result<(), Failure> {
        let Some(folder) = self.logs else {
            return Ok(());
        };
        let name = format!("{}-seed-{}", self.report.algorithm.word(), settings.seed);
        let crashes: Vec<_> = settings.faults.crashes_for_good().collect();
        self.report.logs(folder, &name, &run.events, &crashes)
    }
}
