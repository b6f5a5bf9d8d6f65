//! The command `simulate`: simulates runs, prints them and their verdict.

use std::time::Duration;

use common::{
    event::{Event, Kind},
    exit::{Failure, Summary},
    journal::Journal,
    message::Carrier,
    process::{
        ids::{Names, ProcessId},
        reliable_link::ChannelOrder,
        report::Report,
        simulation::{
            self, Detector, Run,
            series::{Series, Simulated},
        },
        verdict::{Verdict, figures::Figures, run::RunUnderTest},
    },
    shutdown::Shutdown,
    text::plural,
};

use super::{Settings, workload::commands};
use crate::location::{
    schemes::with_scheme,
    verdict::{self, Promise, RunFaults},
};

/// How long after the end of a fault look-ups may still suffer from it, in timeouts.
const RECOVERY: u32 = 5;

/// Runs the command; exit code 1 when a property is violated.
///
/// # Errors
/// When a run exceeds its limits, a log cannot be written, or a signal ends the command (exit code 2).
pub fn run(
    settings: &Settings,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let report = Report {
        ready: Event::new(Kind::Ready).algorithm(settings.scheme.word()),
        names: &Names::numbered(settings.group.processes),
        over: Carrier::Memory,
        journal,
    };
    let seeds = (settings.seed, settings.seeds);
    let series = Series::new(&report, seeds, settings.show, settings.logs.as_deref())?;
    series.run(settings, shutdown)
}

impl Simulated for Settings {
    fn word(&self) -> &'static str {
        self.scheme.word()
    }

    fn processes(&self) -> usize {
        self.group.processes
    }

    fn shorter(&self) -> &'static str {
        "--lookups or --processes"
    }

    fn simulate(&self, seed: u64) -> (Run, Verdict) {
        let (commands, lasting) = commands(self, seed);
        let run = with_scheme!(self.scheme, &self.group, P, process => {
            let settings = simulation::Settings {
                processes: self.group.processes,
                seed,
                workload: self.timers,
                lasting,
                detector: Detector::Perfect,
                faults: self.faults.clone(),
                process,
                unreliable: false,
                order: ChannelOrder::Fifo,
                commands,
            };
            simulation::run::<P>(&settings)
        });
        let names = Names::numbered(self.group.processes);
        let crashed: Vec<_> = self.faults.crashed().collect();
        let under_test = RunUnderTest::new(&names, &run.events).crashed(&crashed);
        let promise = Promise::new(self.scheme, self.group);
        let faults = RunFaults::of(&self.faults, RECOVERY * self.timers.timeout);
        let verdict = verdict::of(promise, faults, &under_test);
        (run, verdict)
    }

    fn crashes(&self) -> Vec<(ProcessId, Duration)> {
        self.faults.crashes_for_good().collect()
    }

    fn words(&self, figures: &Figures) -> String {
        let look_ups = plural(figures.look_ups, "look-up");
        format!("{}, {look_ups}", figures.words())
    }

    fn counted(&self, figures: &Figures, summary: Summary) -> Summary {
        figures
            .counted(summary)
            .count("look_ups", figures.look_ups)
            .count("found", figures.found)
    }
}
