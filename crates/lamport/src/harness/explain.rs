//! What led to a violation: its causal past, in the shortest run that shows it.

use std::time::{Duration, Instant};

use common::{
    process::{
        To,
        ids::Names,
        run_event::{MessageAction, RunEvent},
        workload::Workload,
    },
    text::plural,
};

use super::{
    findings::{Violation, checks},
    history::History,
    lab::Outcome,
    settings::Settings,
};
use crate::simulate::minimize::causal_past;

/// The most events that are shown.
const MOST: usize = 40;

/// So few events need no shorter run.
const FEW: usize = 8;

/// How long shorter runs are tried, and how long their nodes may make no progress in the end.
const TRIES: Duration = Duration::from_secs(5);
const SETTLE: Duration = Duration::from_millis(300);

/// What led to a violation.
#[derive(Debug)]
pub struct Explanation {
    /// What it is, and the command that runs it again.
    pub title: String,
    /// The names of nodes, clients and services.
    pub names: Names,
    /// The events, the last of which violates a property.
    pub events: Vec<RunEvent>,
}

/// Explains a violation by two events. `again` runs other settings.
pub(super) fn explain(
    settings: &Settings,
    history: &History,
    violation: &Violation,
    again: &dyn Fn(&Settings) -> Option<Outcome>,
) -> Option<Explanation> {
    let (events, ends) = violation.as_ref()?;
    let mut best = past(history, events, *ends);
    let mut names = history.names.clone();
    let mut command = None;
    let until = Instant::now() + TRIES;
    let fewest = settings.workload.fewest_nodes();
    let sizes = (fewest..=settings.nodes.min(fewest + 1))
        .flat_map(|nodes| (1..=3).map(move |count| (nodes, count)));
    let smaller = sizes.flat_map(|size| (0..2).map(move |number| (size, number)));
    for ((nodes, count), number) in smaller {
        if best.len() <= FEW || Instant::now() >= until {
            break;
        }
        let smaller = Settings {
            nodes,
            load: Workload::new(100.0, count),
            settle: Some(SETTLE),
            seed: settings.seed.wrapping_add(number),
            faults: settings.faults.without_times(),
            logs: None,
            plot: None,
            ..settings.clone()
        };
        let Some(outcome) = again(&smaller) else {
            continue;
        };
        if let (_, Some((events, ends))) = checks(&smaller, &outcome) {
            let shorter = past(&outcome.history, &events, ends);
            if shorter.len() < best.len() {
                best = shorter;
                names = outcome.history.names.clone();
                command = Some(smaller.command_line());
            }
        }
    }
    let count = plural(best.len() as u64, "event");
    let from = match best.len() {
        ..=MOST => String::new(),
        _ => format!(", the last {MOST}"),
    };
    let title = match command {
        Some(command) => format!("a shorter run that shows it, {count}{from}: {command}"),
        None => format!("what led to it, {count}{from}:"),
    };
    let skipped = best.len().saturating_sub(MOST);
    Some(Explanation {
        title,
        names,
        events: best.split_off(skipped),
    })
}

/// The causal past as the nodes have it: what a client sends to its node and gets from it stands with the node.
fn past(history: &History, events: &[RunEvent], ends: (usize, usize)) -> Vec<RunEvent> {
    let past = causal_past(events, ends).into_iter();
    let is_of_node = |event: &&RunEvent| {
        let with_starter = match event.what {
            MessageAction::Send {
                to: To::One(other), ..
            }
            | MessageAction::Receive { from: other, .. } => other == history.starter(),
            _ => false,
        };
        let is_client = !history.is_node(event.process) && !history.is_service(event.process);
        !is_client && !with_starter
    };
    past.filter(is_of_node).cloned().collect()
}
