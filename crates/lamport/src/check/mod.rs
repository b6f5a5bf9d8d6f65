//! The command `check`, on the model checker [`common::process::check`]: explores every interleaving of an algorithm's
//! processes.
//!
//! | module | job |
//! | --- | --- |
//! | [`monitor`] | the properties of the algorithms |
//! | [`lamport_mutex`] | the TLA+ module LamportMutex, whose counts are published |
//! | [`processes`], [`reduction`] | the search of the processes' states, and where it is reduced |
//! | [`subject`] | what is checked, in words |
//! | [`liveness`] | liveness under weak fairness, in cycles too |
//! | [`replay`] | a counterexample to the module again |
//! | [`explore`], [`any`], [`bounds`] | the same models in stateright's explorer |
//! | [`compared`] | the same models for stateright's search |
//! | [`command`] | the command `check` |

pub mod any;
pub mod bounds;
pub mod command;
pub mod compared;
#[cfg(test)]
mod confirmed;
#[cfg(test)]
mod elections;
pub mod explore;
pub mod lamport_mutex;
#[cfg(test)]
mod lassos;
pub mod liveness;
pub mod monitor;
pub mod processes;
pub mod reduction;
pub mod replay;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod soundness;
pub mod subject;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod violations;

use std::{
    io::{self, IsTerminal},
    marker::PhantomData,
    sync::Arc,
};

use common::{
    config::{Options as _, in_range},
    exit::Failure,
    process::{
        Process,
        check::{
            args::{CheckArgs, FAULTS},
            search::Limits,
            system::{self, FaultBudget, System, TimerBounds},
        },
        reliable_link::ChannelOrder,
    },
};

use self::monitor::PropertyMonitor;
use crate::{
    algorithms::Algorithm,
    bug::Bug,
    config::{Cli, Options, Switch},
};

/// The settings of a check.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The number of processes.
    pub processes: usize,
    /// The injected bug.
    pub bug: Option<Bug>,
    /// The model, with its bounds.
    pub subject: Subject,
    /// In which order channels deliver.
    pub order: ChannelOrder,
    /// Whether states and steps that make no difference are left out, where that is sound.
    pub reduction: bool,
    /// The limits of the search.
    pub limits: Limits,
}

/// The model to check, with its bounds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Subject {
    /// The TLA+ module LamportMutex.
    Module {
        /// The largest clock; states beyond it are not expanded.
        max_clock: u8,
    },
    /// The library's processes.
    Processes {
        /// The number of operations of each process.
        count: u16,
        /// The faults that may occur.
        budget: FaultBudget,
    },
}

impl Settings {
    /// Validates the options.
    ///
    /// # Errors
    /// When one is out of range, or excludes another (exit code 2).
    pub fn new(cli: &Cli, algorithm: Algorithm) -> Result<Self, Failure> {
        let options = &cli.options;
        let refuse = |flag: &str, why: &str| Err(Failure::could_not_run(flag, why));
        let given = |flags: &[&str]| flags.iter().any(|flag| options.given.has(flag));
        // What stands on the command line goes before what the lab file says to all commands and algorithms.
        let max_clock = options.max_clock.filter(|_| {
            given(&["--max-clock"])
                || algorithm == Algorithm::Mutex
                    && !given(&["--count", "--channels"])
                    && !given(&FAULTS)
        });
        let most_processes = match max_clock {
            None => system::MOST_PROCESSES,
            Some(_) => lamport_mutex::MOST_PROCESSES,
        };
        let processes = cli.processes(most_processes)?;
        if options.may_suspect.is_some_and(|times| times > 0) && !algorithm.has_detector() {
            let why = format!("{} has no failure detector", algorithm.word());
            return refuse("--may-suspect", &why);
        }
        let check_args = check_args(options, algorithm);
        let budget = || check_args.budget(processes);
        let subject = match max_clock {
            None => {
                let default = algorithm.checked_operations();
                let count = in_range("--count", options.count.unwrap_or(default), 1, 1_000)?;
                let (count, budget) = (count as u16, budget()?);
                Subject::Processes { count, budget }
            }
            Some(_) if algorithm != Algorithm::Mutex => {
                return refuse(
                    "--max-clock",
                    "only with mutex: it bounds the TLA+ module LamportMutex; --count bounds the operations of the other algorithms",
                );
            }
            Some(_) if given(&["--count"]) => {
                return refuse(
                    "--max-clock",
                    "checks the TLA+ module LamportMutex, and --count the processes; give one of them",
                );
            }
            Some(_) if given(&FAULTS) && budget()? != FaultBudget::default() => {
                return refuse(
                    "--max-clock",
                    "the network of the TLA+ module LamportMutex has no faults; --count checks the processes, with faults",
                );
            }
            Some(_) if given(&["--channels"]) && cli.order() != ChannelOrder::Fifo => {
                return refuse(
                    "--max-clock",
                    "the channels of the TLA+ module LamportMutex are FIFO; --count checks the processes, with any channels",
                );
            }
            Some(max_clock) => {
                let max_clock = in_range("--max-clock", max_clock, 1, lamport_mutex::MOST_CLOCK)?;
                Subject::Module { max_clock }
            }
        };
        Ok(Self {
            algorithm,
            processes,
            bug: cli.bug(algorithm)?,
            subject,
            order: cli.order(),
            reduction: options.reduction.unwrap_or_default() == Switch::On,
            limits: check_args.limits()?,
        })
    }
}

/// The faults that may occur, and the limits of the search, as they are given.
fn check_args(options: &Options, algorithm: Algorithm) -> CheckArgs {
    CheckArgs {
        may_lose: options.may_lose,
        may_duplicate: options.may_duplicate,
        may_reorder: options.may_reorder,
        // An election is about crashes.
        may_crash: options.may_crash.or(algorithm.elects().then_some(1)),
        may_suspect: options.may_suspect,
        states: options.states,
        memory: options.memory,
        workers: options.workers,
    }
}

/// Whether somebody sees the progress: on a terminal.
fn shows_progress(cli: &Cli) -> bool {
    let output = cli.options.output();
    !output.json && !output.quiet && io::stdout().is_terminal()
}

/// Evaluates the expression with the model of the settings.
macro_rules! with_model {
    ($settings:expr, $model:ident => $body:expr) => {{
        let settings: &$crate::check::Settings = $settings;
        match settings.subject {
            $crate::check::Subject::Module { max_clock } => {
                let $model = $crate::check::lamport_mutex::LamportMutex {
                    processes: settings.processes,
                    max_clock,
                    bug: settings.bug,
                };
                $body
            }
            $crate::check::Subject::Processes { count, budget } => {
                $crate::algorithms::with_process!(settings.algorithm, P => {
                    let $model = settings.system::<P>(count, budget);
                    $body
                })
            }
        }
    }};
}
pub(crate) use with_model;

impl Settings {
    /// The model of the processes.
    pub fn system<P: Process<Settings = Option<Bug>>>(
        &self,
        count: u16,
        budget: FaultBudget,
    ) -> System<P, PropertyMonitor> {
        System {
            monitor: PropertyMonitor::new(self.algorithm, self.processes),
            properties: self.algorithm.monitored(),
            processes: self.processes,
            bounds: self.algorithm.timer_bounds(self.processes, count),
            commands: Vec::new(),
            settings: self.bug,
            time: self.algorithm.model_time(self.processes),
            budget,
            is_reduced: false,
            // No process compares times, nor does a property.
            order: self.order,
            is_timeless: self.algorithm.is_timeless(),
            exercise: Arc::default(),
            process: PhantomData,
        }
    }

    /// The same model for a reduced search.
    pub fn reduced<P: Process>(
        &self,
        system: &System<P, PropertyMonitor>,
    ) -> System<P, PropertyMonitor> {
        System {
            monitor: PropertyMonitor::causal(self.algorithm, self.processes),
            is_reduced: true,
            // Without clocks there are not more states if periodic work goes on for ever.
            bounds: match system.bounds.counts_anew {
                true => TimerBounds {
                    rounds: u16::MAX,
                    ..system.bounds
                },
                false => system.bounds,
            },
            ..system.clone()
        }
    }
}
