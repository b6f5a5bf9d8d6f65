//! Nodes of anybody, in any language, under the network of the lab: `run WORKLOAD --node COMMAND`.
//!
//! The lab starts the command N times and is the network between the nodes, which write and read one message a line. It is
//! their clients too. docs/reference/nodes.md describes the protocol and the workloads.
//!
//! | module | job |
//! | --- | --- |
//! | [`message`] | the protocol: messages and errors |
//! | [`workload`], [`settings`] | the workloads by name; the settings of a run |
//! | `lab`, `clients`, `network`, `services` | the nodes while they run; their clients, their network, and what they may ask |
//! | `child` | one node as a process |
//! | `clocks` | their hardware clocks |
//! | `task`, `tasks` | what a workload asks, and what it makes of the answers |
//! | `history`, `statistics` | what happened, as events and as figures |
//! | `findings`, `explain` | the verdict, and what led to a violation |
//! | `report`, `plot` | the output, the logs and the figures; the latencies over time |

mod child;
mod clients;
mod clocks;
mod explain;
mod findings;
mod history;
mod lab;
pub mod message;
mod network;
mod plot;
mod report;
mod services;
pub mod settings;
mod statistics;
mod task;
mod tasks;
pub mod workload;

use std::{
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use common::{
    exit::{Failure, Summary, why},
    journal::Journal,
    process::{ids::new_session, report::folder as create, verdict::check::Check},
    shutdown::Shutdown,
};
use crossbeam::channel::bounded;

use self::lab::{Lab, Outcome, Surroundings};
pub use self::{explain::Explanation, settings::Settings};

/// How many outputs of nodes may wait.
const OUTPUTS: usize = 1024;

/// What a run of nodes came to.
#[derive(Debug)]
pub struct Examined {
    /// The result for each property.
    pub checks: Vec<Check>,
    /// What led to the first violation, where two events violate a property.
    pub explanation: Option<Explanation>,
    /// The exit code and the figures.
    pub summary: Summary,
}

/// Runs the nodes and checks what they did; exit code 1 when a property is violated, or a node breaks the protocol.
///
/// # Errors
/// When the nodes cannot be run (exit code 2).
pub fn run(
    settings: &Settings,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    Ok(examine(settings, journal, shutdown)?.summary)
}

/// The same, with the checks and the explanation.
///
/// # Errors
/// When the nodes cannot be run (exit code 2).
pub fn examine(
    settings: &Settings,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Examined, Failure> {
    if let Some(folder) = &settings.logs {
        create(folder)?;
    }
    if let Some(path) = &settings.plot {
        common::plot::check(path)?;
    }
    let outcome = execute(settings, Some(journal), shutdown)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let began = now
        .unwrap_or_default()
        .saturating_sub(outcome.ended.elapsed() + outcome.end);
    let (checks, violation) = findings::checks(settings, &outcome);
    let again = |settings: &Settings| execute(settings, None, shutdown).ok();
    let explanation = explain::explain(settings, &outcome.history, &violation, &again);
    let found = (checks.as_slice(), explanation.as_ref());
    let summary = report::report(settings, &outcome, found, began, journal)?;
    Ok(Examined {
        checks,
        explanation,
        summary,
    })
}

/// Runs the nodes; without a journal nothing is said of it.
fn execute(
    settings: &Settings,
    journal: Option<&Journal>,
    shutdown: &Shutdown,
) -> Result<Outcome, Failure> {
    let failed = |error| Failure::could_not_run("start", why(&error));
    let closing = &Shutdown::new().map_err(failed)?;
    let mark = &format!("{}-{:08x}", std::process::id(), new_session());
    thread::scope(|scope| {
        let (sender, outputs) = bounded(OUTPUTS);
        let around = Surroundings {
            journal,
            outputs: &sender,
            closing,
            mark,
            folder: settings.logs.as_deref(),
        };
        let outcome = Lab::new(settings, around, scope).run(&outputs, shutdown);
        closing.request();
        outcome
    })
}
