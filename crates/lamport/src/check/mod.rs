//! The command `check`: every interleaving of an algorithm's processes, by model checking.
//!
//! | module | job |
//! | --- | --- |
//! | [`system`] | the processes of the library, in every order of what can happen to them |
//! | [`watch`] | what they promise |
//! | [`lamport_mutex`] | the TLA+ module LamportMutex, whose counts are published |
//! | [`search`] | goes through all states of either |
//! | [`telling`], [`report`] | a path to what is wrong as events, and what is told of it all |
//! | [`explore`], [`any`] | the same models in stateright's explorer |

pub mod any;
pub mod command;
pub mod explore;
pub mod lamport_mutex;
pub mod report;
pub mod search;
pub mod system;
pub mod telling;
#[cfg(test)]
mod tests;
pub mod watch;

use std::marker::PhantomData;

use common::{config::in_range, exit::Failure};

use self::{
    search::Limits,
    system::{May, System},
};
use crate::{
    algorithms::{Algorithm, Bug},
    config::{Cli, none_given},
};

/// How many distinct states are found at the most where nothing is said: what fits into one to two gigabytes, at about 330
/// bytes for a state of processes and 90 for one of the module.
const MOST_STATES: (u64, u64) = (3_000_000, 20_000_000);

/// What is checked.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// What the processes run.
    pub algorithm: Algorithm,
    /// How many there are.
    pub processes: usize,
    /// The mistake that is put in.
    pub bug: Option<Bug>,
    /// What bounds the states.
    pub what: What,
    /// How far it may go.
    pub limits: Limits,
}

/// What is checked, and what bounds its states.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum What {
    /// The TLA+ module LamportMutex.
    Module {
        /// No clock is followed beyond this.
        max_clock: u8,
    },
    /// The library's processes.
    Processes {
        /// Each begins so many things.
        count: u16,
        /// What may go wrong.
        may: May,
    },
}

impl Settings {
    /// What the program is told.
    ///
    /// # Errors
    /// When something is out of range, or does not go together (exit code 2).
    pub fn new(cli: &Cli, algorithm: Algorithm) -> Result<Self, Failure> {
        let options = &cli.options;
        let refuse = |flag: &str, why: &str| Err(Failure::could_not_run(flag, why));
        let why = "of simulate, run and node, where chance decides; here everything that may happen is tried: --may-lose 1, --may-double 1, --may-overtake 1, --may-crash 1";
        none_given(
            &[
                ("--loss", options.loss.is_some()),
                ("--duplicate", options.duplicate.is_some()),
                ("--reorder", options.reorder.is_some()),
                ("--crash", options.crash.is_some()),
                ("--delay", options.delay.is_some()),
                ("--partition", options.partition.is_some()),
                ("--faults", options.faults.is_some()),
            ],
            why,
        )?;
        let may = |flag: &str, times: Option<u8>| in_range(flag, times.unwrap_or(0), 0, 100);
        let may = May {
            lose: may("--may-lose", options.may_lose)?,
            double: may("--may-double", options.may_double)?,
            overtake: may("--may-overtake", options.may_overtake)?,
            crash: may("--may-crash", options.may_crash)?,
        };
        let (what, most_processes) = match options.max_clock {
            None => {
                let count = in_range("--count", options.count.unwrap_or(1), 1, 1_000)?;
                let count = count as u16;
                (What::Processes { count, may }, system::MOST_PROCESSES)
            }
            Some(_) if algorithm != Algorithm::Mutex => {
                return refuse(
                    "--max-clock",
                    "of mutex alone: it checks the TLA+ module LamportMutex; --count bounds what the processes of the others begin",
                );
            }
            Some(_) if options.count.is_some() => {
                return refuse(
                    "--max-clock",
                    "checks the TLA+ module LamportMutex, and --count the processes as they run; give one of them",
                );
            }
            Some(_) if may != May::default() => {
                return refuse(
                    "--max-clock",
                    "the TLA+ module LamportMutex has a network that loses, doubles and reorders nothing; --count checks the processes, to which --may-… happens",
                );
            }
            Some(max_clock) => {
                let max_clock = in_range("--max-clock", max_clock, 1, lamport_mutex::MOST_CLOCK)?;
                (What::Module { max_clock }, lamport_mutex::MOST_PROCESSES)
            }
        };
        let workers = options.workers.unwrap_or_else(search::processors);
        let usual = match what {
            What::Processes { .. } => MOST_STATES.0,
            What::Module { .. } => MOST_STATES.1,
        };
        let most = options.states.unwrap_or(usual);
        Ok(Self {
            algorithm,
            processes: cli.processes(most_processes)?,
            bug: cli.bug(algorithm)?,
            what,
            limits: Limits {
                workers: in_range("--workers", workers, 1, 1_024)?,
                most: in_range("--states", most, 1, 1 << 40)?,
            },
        })
    }
}

/// Calls the expression with the model that the settings mean.
macro_rules! with_model {
    ($settings:expr, $model:ident => $body:expr) => {{
        let settings: &$crate::check::Settings = $settings;
        match settings.what {
            $crate::check::What::Module { max_clock } => {
                let $model = $crate::check::lamport_mutex::LamportMutex {
                    processes: settings.processes,
                    max_clock,
                    bug: settings.bug,
                };
                $body
            }
            $crate::check::What::Processes { count, may } => {
                $crate::algorithms::with_process!(settings.algorithm, P => {
                    let $model = settings.system::<P>(count, may);
                    $body
                })
            }
        }
    }};
}
pub(crate) use with_model;

impl Settings {
    /// The system of these processes.
    pub fn system<P>(&self, count: u16, may: May) -> System<P> {
        System {
            algorithm: self.algorithm,
            processes: self.processes,
            count,
            bug: self.bug,
            may,
            process: PhantomData,
        }
    }
}
