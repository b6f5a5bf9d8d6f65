//! The command `simulate`: simulates, shows, judges, and looks for the shortest run that is wrong.

use std::{path::Path, time::Duration};

use common::{
    config::in_range,
    event::{Event, Level},
    exit::{Exit, Failure, Summary},
    journal::Journal,
    message::Carrier,
    shutdown::Shutdown,
    text::{micros, plural, visible_path, whole_micros},
};

use super::{Run, Settings, replay};
use crate::{
    algorithms::Algorithm,
    config::{Cli, Show},
    process::Names,
    reporting::{self, Report, line},
    shortest::{shortest, simulated},
    verdict::Verdict,
};

/// Does what it is asked to; exit code 1 when a promise was broken.
///
/// # Errors
/// When it cannot run as told (exit code 2).
pub fn run(
    cli: &Cli,
    algorithm: Algorithm,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let settings = cli.simulation(algorithm, &cli.wanted()?)?;
    if let Some(log) = &cli.options.replay {
        return replay::command(cli, algorithm, &settings, log, journal);
    }
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
            let why = "of one seed only, and --seeds are several";
            return Err(Failure::could_not_run(what, why));
        }
        // Before anything is shown.
        reporting::folder(folder)?;
    }
    let several = Several {
        report: &report,
        settings: &settings,
        seeds,
        show,
        logs: cli.options.logs.as_deref(),
    };
    several.run(shutdown)
}

/// Runs with one seed after the other.
struct Several<'a> {
    report: &'a Report<'a>,
    settings: &'a Settings,
    seeds: u64,
    show: Show,
    logs: Option<&'a Path>,
}

impl Several<'_> {
    fn run(&self, shutdown: &Shutdown) -> Result<Summary, Failure> {
        let mut broken = 0;
        let mut first = None;
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
                let why = "more than five million events, or a million frames at once; ask for less of --count, --for or --rate";
                return Err(Failure::could_not_run("simulate", why));
            }
            done += 1;
            events += verdict.figures.events;
            end = run.end;
            let holds = verdict.holds();
            broken += u64::from(!holds);
            if self.show.0 > 0 {
                self.report.events(&run.happenings, self.show.0);
            }
            if number == 0 {
                self.logs(&settings, &run)?;
            }
            if first.is_none() && (!holds || number + 1 == self.seeds) {
                self.troubles(&run);
                first = Some((settings, verdict));
            }
        }
        let Some((settings, verdict)) = first else {
            return Ok(Summary::done("interrupted"));
        };
        if self.seeds > 1 {
            let seeds = plural(done, "seed");
            let text = match broken {
                0 => format!("{seeds}, and every run as promised; the last:"),
                _ => format!(
                    "{seeds}, {broken} broken; the first is seed {}:",
                    settings.seed
                ),
            };
            self.tell(
                end,
                Event::report(
                    &Summary::done(text)
                        .count("seeds", done)
                        .count("broken", broken),
                ),
            );
        }
        self.verdict(end, &verdict);
        if let (0, 1, Some(bug)) = (broken, self.seeds, settings.bug) {
            let text = format!(
                "this seed does not show {}; --seeds 1000 tries more",
                bug.word()
            );
            self.tell(end, line(text));
        }
        if verdict.first_break().is_some() && !shutdown.requested() {
            let stop = || shutdown.requested();
            match shortest(self.report.algorithm, &settings, &stop) {
                Some(shortest) => self.report.schedule(&shortest, end),
                None if shutdown.requested() => {}
                None => self.tell(end, line("no shorter run shows it")),
            }
        }
        let text = format!(
            "{}, seed {}: {}; in {} of simulated time",
            plural(settings.processes as u64, "process").replace("processs", "processes"),
            settings.seed,
            verdict.figures.words(self.report.algorithm),
            micros(whole_micros(end))
        );
        let exit = if broken == 0 { Exit::Done } else { Exit::No };
        let summary = Summary::done(text)
            .exit(exit)
            .count("seeds", done)
            .count("broken", broken)
            .count("simulated_us", whole_micros(end));
        let summary = verdict.figures.counted(summary).count("events", events);
        self.tell(end, Event::report(&summary));
        Ok(Summary {
            text: String::new(),
            ..summary
        })
    }

    /// In simulated time, so that the same seed says the same to the byte.
    fn tell(&self, at: Duration, event: Event) {
        self.report.tell(at, event);
    }

    fn verdict(&self, end: Duration, verdict: &Verdict) {
        for check in &verdict.checks {
            self.tell(end, check.event());
        }
    }

    fn troubles(&self, run: &Run) {
        for (at, process, trouble) in &run.troubles {
            let words = trouble.words(self.report.names);
            let text = format!("{} finds: {words}", self.report.names.of(*process));
            self.tell(*at, Event::error(Level::Warn, text));
        }
    }

    fn logs(&self, settings: &Settings, run: &Run) -> Result<(), Failure> {
        let Some(folder) = self.logs else {
            return Ok(());
        };
        let name = format!("{}-seed-{}", self.report.algorithm.word(), settings.seed);
        self.report.logs(folder, &name, &run.happenings)
    }
}
