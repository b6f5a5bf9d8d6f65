//! The shortest simulated run that shows a mistake: what a person can follow by hand.

use std::collections::HashSet;

use crate::{
    algorithms::{Algorithm, with_process},
    happening::{Happening, What},
    process::{Names, ProcessId},
    simulate::{self, Run, Settings},
    verdict::{Case, Verdict},
};

/// How many seeds are tried for each size of run.
const SEEDS: u64 = 1_000;

/// The most things that each process begins in such a run.
const MOST: u64 = 3;

/// A run that breaks a promise.
#[derive(Debug)]
pub struct Broken {
    /// What was simulated.
    pub settings: Settings,
    /// What happened.
    pub run: Run,
    /// What was found.
    pub verdict: Verdict,
}

/// Simulates a run and judges it.
pub fn simulated(algorithm: Algorithm, settings: &Settings) -> (Run, Verdict) {
    let run = with_process!(algorithm, P => simulate::run::<P>(settings));
    let names = Names::numbered(settings.processes);
    let gone: Vec<_> = settings.faults.gone().collect();
    let verdict = Verdict::of(&Case {
        algorithm,
        names: &names,
        happenings: &run.happenings,
        gone: &gone,
    });
    (run, verdict)
}

/// The shortest run that breaks a promise by two of its events: of the fewest processes and things begun that have one,
/// the one that comes to it after the fewest events; and how many were tried. Partitions and crashes are left out, as
/// they have times of their own.
pub fn shortest(
    algorithm: Algorithm,
    settings: &Settings,
    stop: &dyn Fn() -> bool,
) -> Option<Broken> {
    let least = if algorithm == Algorithm::Central {
        3
    } else {
        2
    };
    let sizes = (least..=settings.processes.min(4))
        .flat_map(|processes| (1..=MOST).map(move |count| (processes, count)));
    for (processes, count) in sizes {
        let mut best: Option<(usize, Broken)> = None;
        for seed in 1..=SEEDS {
            if stop() {
                return None;
            }
            let mut settings = Settings {
                processes,
                seed,
                faults: settings.faults.without_times(),
                ..settings.clone()
            };
            settings.workload.count = count;
            let (run, verdict) = simulated(algorithm, &settings);
            if let Some((_, breaks)) = verdict.first_break()
                && best.as_ref().is_none_or(|best| breaks < best.0)
            {
                let broken = Broken {
                    settings,
                    run,
                    verdict,
                };
                best = Some((breaks, broken));
            }
        }
        if let Some((_, best)) = best {
            return Some(best);
        }
    }
    None
}

impl Broken {
    /// The events that lead to the break: those that one of the two follows from, and these.
    pub fn schedule(&self) -> Vec<&Happening> {
        let Some((one, other)) = self.verdict.first_break() else {
            return Vec::new();
        };
        let mut included: HashSet<ProcessId> = HashSet::new();
        let mut awaited = HashSet::new();
        let mut schedule = Vec::new();
        for (place, happening) in self.run.happenings[..=other].iter().enumerate().rev() {
            let me = happening.process;
            let sends = match happening.what {
                What::Send { number, .. } => awaited.contains(&(me, number)),
                _ => false,
            };
            // Whatever a process did before something that counts, counts.
            if place == one || place == other || sends {
                included.insert(me);
            }
            if included.contains(&me) {
                if let What::Receive { from, number, .. } = happening.what {
                    awaited.insert((from, number));
                }
                schedule.push(happening);
            }
        }
        schedule.reverse();
        schedule
    }

    /// The command that does it again.
    pub fn command(&self, algorithm: Algorithm) -> String {
        let Settings {
            processes,
            seed,
            workload,
            bug,
            faults,
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
        if let Some(bug) = bug {
            command += &format!(" --bug {}", bug.word());
        }
        command
    }
}
