//! The command `simulate`: simulates runs, prints them and their verdict, and searches for a minimal counterexample.

use std::time::Duration;

use common::{
    config::in_range,
    exit::{Failure, Summary},
    journal::Journal,
    message::Carrier,
    plot,
    process::{
        ids::{Names, ProcessId},
        physical::{HardwareClock, nanos},
        report::{Report, line},
        simulation::{
            MIDNIGHT, Run,
            series::{Series, Simulated},
        },
        verdict::{Verdict, figures::Figures},
    },
    shutdown::Shutdown,
};

use super::{
    Settings,
    minimize::{minimize, simulated, with_clocks},
    replay,
    settings::settings,
};
use crate::{algorithms::Algorithm, clock_plot, config::Cli, reporting};

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
    let options = &cli.options;
    let plot = options.plot.as_deref();
    if let Some(path) = plot {
        if !algorithm.reads_clock() {
            let why = format!(
                "{} sets no clocks whose offsets could be drawn",
                algorithm.word()
            );
            return Err(Failure::could_not_run("--plot", why));
        }
        plot::check(path)?;
    }
    let seeds = in_range("--seeds", options.seeds.unwrap_or(1), 1, 1_000_000)?;
    let report = Report {
        ready: reporting::ready(algorithm, settings.order),
        names: &Names::numbered(settings.processes),
        over: Carrier::Memory,
        journal,
    };
    let logs = options.logs.as_deref();
    let series = Series::new(&report, (settings.seed, seeds), options.show, logs)?;
    let simulation = Simulation {
        algorithm,
        settings: &settings,
        seeds,
        report: &report,
        shutdown,
    };
    let summary = series.run(&simulation, shutdown)?;
    if let Some(path) = plot {
        let (run, _) = simulated(algorithm, &settings);
        clock_plot::draw(
            path,
            algorithm.word(),
            report.names,
            &run.events,
            &settings.faults,
        )?;
    }
    Ok(summary)
}

/// The runs of an algorithm.
struct Simulation<'a> {
    algorithm: Algorithm,
    settings: &'a Settings,
    seeds: u64,
    report: &'a Report<'a>,
    shutdown: &'a Shutdown,
}

impl Simulation<'_> {
    fn with(&self, seed: u64) -> Settings {
        Settings {
            seed,
            ..self.settings.clone()
        }
    }
}

impl Simulated for Simulation<'_> {
    fn word(&self) -> &'static str {
        self.algorithm.word()
    }

    fn processes(&self) -> usize {
        self.settings.processes
    }

    fn shorter(&self) -> &'static str {
        "--count, --for or --rate"
    }

    fn simulate(&self, seed: u64) -> (Run, Verdict) {
        simulated(self.algorithm, &self.with(seed))
    }

    fn crashes(&self) -> Vec<(ProcessId, Duration)> {
        self.settings.faults.crashes_for_good().collect()
    }

    fn clocks(&self, seed: u64) -> Vec<HardwareClock> {
        let settings = with_clocks(self.algorithm, &self.with(seed));
        let clocks = &settings.faults.clocks;
        let all = ProcessId::all(if clocks.is_empty() {
            0
        } else {
            settings.processes
        });
        all.map(|process| clocks.of(process, nanos(MIDNIGHT)))
            .collect()
    }

    fn words(&self, figures: &Figures) -> String {
        reporting::words(self.algorithm, figures)
    }

    fn counted(&self, figures: &Figures, summary: Summary) -> Summary {
        reporting::counted(figures, summary)
    }

    fn explain(&self, seed: u64, verdict: &Verdict, violating: u64, end: Duration) {
        if let (0, 1, Some(bug)) = (violating, self.seeds, self.settings.process) {
            let text = format!(
                "no violation by the bug {} with this seed; --seeds 1000 tries more",
                bug.word()
            );
            self.report.record(end, line(text));
        }
        if verdict.first_violation().is_some() && !self.shutdown.requested() {
            let stop = || self.shutdown.requested();
            match minimize(self.algorithm, &self.with(seed), &stop) {
                Some(minimal) => minimal.print(self.algorithm, self.report, end),
                None if self.shutdown.requested() => {}
                None => {
                    let text = line("no smaller run with this violation found");
                    self.report.record(end, text);
                }
            }
        }
    }
}
