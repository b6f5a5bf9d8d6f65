//! Simulated runs as a command: runs with consecutive seeds, their events, their verdict and their logs.

use std::{path::Path, time::Duration};

use super::{MOST_EVENTS, MOST_FRAMES, Run};
use crate::{
    event::{Event, Level},
    exit::{Exit, Failure, Summary},
    process::{
        ids::ProcessId,
        physical::HardwareClock,
        report::{self, Report, Show, line},
        verdict::{Verdict, figures::Figures},
    },
    shutdown::Shutdown,
    text::{micros, plural, visible_path, whole_micros},
};

/// How many events of a single run are printed unless it is said.
const SHOWN: Show = Show(30);

/// What is simulated, with what only its program can say about it.
pub trait Simulated {
    /// The algorithm: `mutex`.
    fn word(&self) -> &'static str;

    /// The number of processes.
    fn processes(&self) -> usize;

    /// The flags by which a run becomes shorter.
    fn shorter(&self) -> &'static str;

    /// A run with this seed, and the verdict on it.
    fn simulate(&self, seed: u64) -> (Run, Verdict);

    /// The processes that crash and do not recover, and when.
    fn crashes(&self) -> Vec<(ProcessId, Duration)>;

    /// The hardware clocks of the processes in the run with this seed, by which they write their logs; none if all are right.
    fn clocks(&self, _seed: u64) -> Vec<HardwareClock> {
        Vec::new()
    }

    /// The counts of a run in words.
    fn words(&self, figures: &Figures) -> String;

    /// Adds the counts of a run to those of a summary.
    fn counted(&self, figures: &Figures, summary: Summary) -> Summary;

    /// What is said below the verdict on the run with this seed; `violating` is the number of runs with a violation.
    fn explain(&self, _seed: u64, _verdict: &Verdict, _violating: u64, _end: Duration) {}
}

/// A series of runs with consecutive seeds.
#[derive(Debug)]
pub struct Series<'a> {
    report: &'a Report<'a>,
    seed: u64,
    seeds: u64,
    show: Show,
    logs: Option<&'a Path>,
}

impl<'a> Series<'a> {
    /// This many runs from this seed on; the logs of a single one are written into a folder.
    ///
    /// # Errors
    /// When the folder cannot be created, or is given with several seeds (exit code 2).
    pub fn new(
        report: &'a Report<'a>,
        (seed, seeds): (u64, u64),
        show: Option<Show>,
        logs: Option<&'a Path>,
    ) -> Result<Self, Failure> {
        if let Some(folder) = logs {
            if seeds > 1 {
                let what = format!("--logs {}", visible_path(folder));
                let why = "only with one seed, and --seeds gives several";
                return Err(Failure::could_not_run(what, why));
            }
            // Before any output.
            report::folder(folder)?;
        }
        let usual = if seeds == 1 { SHOWN } else { Show(0) };
        Ok(Self {
            report,
            seed,
            seeds,
            show: show.unwrap_or(usual),
            logs,
        })
    }

    /// Simulates, prints and checks the runs; exit code 1 when a property is violated.
    ///
    /// # Errors
    /// When a run exceeds its limits, a log cannot be written, or a signal ends the series before it has found a violation
    /// (exit code 2).
    pub fn run(&self, simulated: &dyn Simulated, shutdown: &Shutdown) -> Result<Summary, Failure> {
        let mut violating = 0;
        let (mut first, mut last) = (None, None);
        let mut done = 0;
        let mut events = 0;
        let mut end = Duration::ZERO;
        for number in 0..self.seeds {
            if shutdown.requested() {
                break;
            }
            let seed = self.seed.wrapping_add(number);
            let (run, verdict) = simulated.simulate(seed);
            if run.cut_short {
                let why = format!(
                    "more than {MOST_EVENTS} events, or {MOST_FRAMES} frames in flight; reduce {}",
                    simulated.shorter()
                );
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
            if let (0, Some(folder)) = (number, self.logs) {
                let name = format!("{}-seed-{seed}", simulated.word());
                let clocks = simulated.clocks(seed);
                let crashes = simulated.crashes();
                self.report
                    .logs(folder, &name, &run.events, (&crashes, &clocks))?;
            }
            if first.is_none() && (!holds || number + 1 == self.seeds) {
                self.warnings(&run);
                first = Some((seed, verdict));
            } else if first.is_none() {
                last = Some((seed, verdict));
            }
        }
        let unfinished = done < self.seeds && violating == 0;
        let interrupted = || {
            let what = format!("simulate {}", simulated.word());
            let why = format!(
                "interrupted: no violation in {done} of {} seeds",
                self.seeds
            );
            Failure::could_not_run(what, why)
        };
        let Some((seed, verdict)) = first.or(last) else {
            return Err(interrupted());
        };
        if self.seeds > 1 {
            let seeds = plural(done, "seed");
            let text = match violating {
                0 => format!("{seeds}, no violation; the last run:"),
                _ => {
                    format!("{seeds}, {violating} with a violation; the first is seed {seed}:")
                }
            };
            let summary = Summary::done(text)
                .count("seeds", done)
                .count("violated", violating);
            self.report.record(end, Event::report(&summary));
        }
        for check in &verdict.checks {
            self.report.record(end, check.event());
        }
        simulated.explain(seed, &verdict, violating, end);
        let text = format!(
            "{}, seed {seed}: {}; in {} of simulated time",
            plural(simulated.processes() as u64, "process"),
            simulated.words(&verdict.figures),
            micros(whole_micros(end))
        );
        if unfinished {
            self.report.record(end, line(text));
            return Err(interrupted());
        }
        let exit = if violating == 0 { Exit::Done } else { Exit::No };
        let summary = Summary::done(text)
            .exit(exit)
            .count("seeds", done)
            .count("violated", violating)
            .count("simulated_us", whole_micros(end));
        let summary = simulated
            .counted(&verdict.figures, summary)
            .count("events", events);
        self.report.record(end, Event::report(&summary));
        Ok(summary.reported())
    }

    /// What the processes report, and the commands that they refuse.
    fn warnings(&self, run: &Run) {
        let names = self.report.names;
        for (at, process, warning) in &run.warnings {
            let text = format!("{} reports: {}", names.of(*process), warning.words(names));
            self.report.record(*at, Event::error(Level::Warn, text));
        }
        for (at, process, refusal) in &run.refusals {
            let text = format!("{} refuses a command: {refusal}", names.of(*process));
            self.report.record(*at, Event::error(Level::Warn, text));
        }
    }
}
