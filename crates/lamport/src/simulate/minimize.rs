//! A minimal counterexample: a simulated run that violates a property, short enough to follow by hand.

use std::{collections::HashSet, time::Duration};

use common::{
    config::Period,
    process::{
        faults::{Crash, Faults},
        ids::{Names, ProcessId},
        reliable_link::ChannelOrder,
        report::{Report, line},
        run_event::{MessageAction, RunEvent},
        simulation::{self, Detector, Run},
        verdict::{Verdict, run::RunUnderTest},
    },
    text::plural,
};

use super::Settings;
use crate::{
    algorithms::{Algorithm, with_process},
    verdict,
};

/// How many seeds are simulated for each size of run.
const SEEDS: u64 = 1_000;

/// The most operations of each process in such a run.
const MOST_OPERATIONS: u64 = 3;

/// A run that violates a property.
#[derive(Debug)]
pub struct Counterexample {
    /// The settings of the simulation.
    pub settings: Settings,
    /// The run.
    pub run: Run,
    /// Its verdict.
    pub verdict: Verdict,
}

/// The same settings with the clocks that the processes have in the run with this seed.
pub fn with_clocks(algorithm: Algorithm, settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    let clocks = algorithm.clocks(settings.processes, settings.seed);
    settings.faults.clocks = clocks.or(&settings.faults.clocks);
    settings
}

/// Simulates a run and checks it.
pub fn simulated(algorithm: Algorithm, settings: &Settings) -> (Run, Verdict) {
    let run = match algorithm.reads_clock() {
        true => {
            let settings = with_clocks(algorithm, settings);
            with_process!(algorithm, P => simulation::run::<P>(&settings))
        }
        false => with_process!(algorithm, P => simulation::run::<P>(settings)),
    };
    let names = Names::numbered(settings.processes);
    let crashed: Vec<_> = settings.faults.crashed().collect();
    let verdict = verdict::of(
        algorithm,
        &RunUnderTest::new(&names, &run.events)
            .crashed(&crashed)
            .order(settings.order),
    );
    (run, verdict)
}

/// Searches for a minimal run that violates a property by two of its events: with the fewest processes and operations for
/// which one is found, the run that reaches the violation after the fewest events. Partitions and crashes are left out,
/// because their times do not fit a short run.
pub fn minimize(
    algorithm: Algorithm,
    settings: &Settings,
    stop: &dyn Fn() -> bool,
) -> Option<Counterexample> {
    let least = if algorithm == Algorithm::Central {
        3
    } else {
        2
    };
    let sizes = (least..=settings.processes.min(4))
        .flat_map(|processes| (1..=MOST_OPERATIONS).map(move |count| (processes, count)));
    for (processes, count) in sizes {
        let mut best: Option<(usize, Counterexample)> = None;
        for seed in 1..=SEEDS {
            if stop() {
                return None;
            }
            let mut settings = Settings {
                processes,
                seed,
                faults: short(algorithm, settings, processes),
                ..settings.clone()
            };
            settings.workload.count = count;
            settings.workload = algorithm.simulated(settings.workload, processes);
            let (run, verdict) = simulated(algorithm, &settings);
            if let Some((_, length)) = verdict.first_violation()
                && best.as_ref().is_none_or(|best| length < best.0)
            {
                let counterexample = Counterexample {
                    settings,
                    run,
                    verdict,
                };
                best = Some((length, counterexample));
            }
        }
        if let Some((_, best)) = best {
            return Some(best);
        }
    }
    None
}

/// When the leader crashes in a short run of an election.
const CRASH: Duration = Duration::from_millis(20);

/// The faults of a short run: those of the long one without their times, but for the crash of a leader.
fn short(algorithm: Algorithm, settings: &Settings, processes: usize) -> Faults {
    let mut faults = settings.faults.without_times();
    if algorithm.elects() && !settings.faults.crashes.is_empty() {
        faults.crashes.push(Crash {
            process: ProcessId::at(processes - 1),
            from: CRASH,
            until: Duration::MAX,
        });
    }
    faults
}

/// The causal past of two events, and the two events.
pub fn causal_past(events: &[RunEvent], (one, other): (usize, usize)) -> Vec<&RunEvent> {
    let mut included: HashSet<ProcessId> = HashSet::new();
    let mut awaited = HashSet::new();
    let mut past = Vec::new();
    for (place, event) in events[..=other].iter().enumerate().rev() {
        let me = event.process;
        let sends = match event.what {
            MessageAction::Send { number, .. } => awaited.contains(&(me, number)),
            _ => false,
        };
        // All earlier events of an included process are in the causal past too.
        if place == one || place == other || sends {
            included.insert(me);
        }
        if included.contains(&me) {
            if let MessageAction::Receive { from, number, .. } = event.what {
                awaited.insert((from, number));
            }
            past.push(event);
        }
    }
    past.reverse();
    past
}

impl Counterexample {
    /// Prints it: the command that simulates it, its events, and the violations.
    pub fn print(&self, algorithm: Algorithm, report: &Report<'_>, at: Duration) {
        let command = self.command(algorithm);
        let schedule = self.schedule();
        let events = plural(schedule.len() as u64, "event");
        let title = format!("minimal counterexample, {events}: {command}");
        report.record(at, line(title));
        for event in schedule {
            report.event(event);
        }
        let violated = self.verdict.checks.iter();
        for check in violated.filter(|check| check.is_violated()) {
            report.record(at, check.event());
        }
    }

    /// The causal past of the two events that violate the property, and the two events.
    pub fn schedule(&self) -> Vec<&RunEvent> {
        let violation = self.verdict.first_violation();
        violation.map_or_else(Vec::new, |ends| causal_past(&self.run.events, ends))
    }

    /// The command that simulates the run again.
    pub fn command(&self, algorithm: Algorithm) -> String {
        let Settings {
            processes,
            seed,
            workload,
            process: bug,
            faults,
            detector,
            order,
            ..
        } = &self.settings;
        let mut command = format!(
            "lamport simulate {} --processes {processes} --count {} --seed {seed}",
            algorithm.word(),
            workload.count
        );
        if workload.rate != 100.0 {
            command += &format!(" --rate {}", workload.rate);
        }
        for (flag, share) in [
            ("loss", faults.loss),
            ("duplicate", faults.duplicate),
            ("reorder", faults.reorder),
        ] {
            if share != Default::default() {
                command += &format!(" --{flag} {share}");
            }
        }
        if faults.delay.to_string() != "1ms..10ms" {
            command += &format!(" --delay {}", faults.delay);
        }
        let names = Names::numbered(*processes);
        command += &faults.clocks.command_line(&names);
        for (process, at) in faults.crashes_for_good() {
            command += &format!(" --crash {}@{}", names.of(process), Period(at));
        }
        if *detector == Detector::Heartbeats {
            command += " --detector heartbeats";
        }
        if *order == ChannelOrder::Unordered {
            command += " --channels unordered";
        }
        if let Some(bug) = bug {
            command += &format!(" --bug {}", bug.word());
        }
        command
    }
}
