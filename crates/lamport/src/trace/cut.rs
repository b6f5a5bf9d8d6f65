//! Cuts of a computation: a past of every process, up to one of its events. A cut is **consistent** if it has the send of each
//! message whose receive it has, so that it is a global state in which the computation could have been (Chandy & Lamport 1985;
//! Mattern 1989).
//!
//! Nodes that take snapshots have channels of their own, over a network that loses and reorders frames: their messages are the
//! transfers, and not the frames beneath.

use std::collections::{HashMap, hash_map::Entry};

use super::{
    Claim, EventId,
    computation::Computation,
    matching::Link,
    words::{Fields, short_name},
};
use crate::harness::workload::NodeWorkload;

/// The most letters of the name of an initiator.
const LONGEST: usize = 24;

/// A cut through some processes of a trace.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Cut {
    /// For each process, by its number in the trace, the last event of its past; None if it has none. The numbers of a process's
    /// events grow in their order.
    pub frontier: HashMap<u32, Option<EventId>>,
}

impl Cut {
    /// Whether an event of this process is in the past; None if the cut does not go through the process.
    pub fn has(&self, process: u32, event: EventId) -> Option<bool> {
        let last = self.frontier.get(&process)?;
        Some(last.is_some_and(|last| event <= last))
    }

    /// The first message that is received in the past and sent after it, in causal order of the receives: the cut is consistent
    /// exactly if there is none.
    fn violation(&self, beneath: &Beneath<'_>) -> Option<Link> {
        let computation = beneath.computation;
        let events = &computation.trace.events;
        let has = |id: EventId| self.has(events[id].process, id);
        let links = computation.links.all().iter();
        let links = links.filter(|link| !beneath.has(link));
        let from_future =
            links.filter(|link| has(link.to) == Some(true) && has(link.from) == Some(false));
        from_future
            .min_by_key(|link| computation.order.rank[link.to])
            .copied()
    }
}

/// The messages that are beneath the channels of an application, and cross no cut of it.
#[derive(Debug)]
pub struct Beneath<'c> {
    computation: &'c Computation,
    /// By process: whether it is a node with channels of its own.
    nodes: Vec<bool>,
}

impl<'c> Beneath<'c> {
    /// Those of a computation.
    pub fn of(computation: &'c Computation) -> Self {
        let word = NodeWorkload::Snapshot.log_word();
        let processes = computation.trace.processes.iter();
        let nodes = processes.map(|it| it.algorithm.as_ref() == Some(&word));
        Self {
            computation,
            nodes: nodes.collect(),
        }
    }

    /// Whether there are any.
    pub fn are_there(&self) -> bool {
        self.nodes.contains(&true)
    }

    /// Whether a message is one of them: no event of the bank.
    pub fn has(&self, link: &Link) -> bool {
        let events = &self.computation.trace.events;
        let is_of_node = |id: EventId| self.nodes[events[id].process as usize];
        let is_beside = is_of_node(link.from) || is_of_node(link.to);
        is_beside && events[link.from].claim != Claim::Property
    }
}

/// The cut that a snapshot has recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The snapshot: `1 of p1`.
    pub snapshot: String,
    /// The events by which processes recorded their states.
    pub records: Vec<EventId>,
    /// The processes of the run that have not, so far as their logs go: all their events are in the past.
    pub others: Vec<u32>,
    /// The cut behind these events.
    pub cut: Cut,
    /// The message that makes it inconsistent.
    pub violation: Option<Link>,
}

impl Recorded {
    /// The verdict in words.
    pub fn words(&self, computation: &Computation) -> String {
        let snapshot = &self.snapshot;
        match self.violation {
            None => format!("the cut of snapshot {snapshot}: consistent"),
            Some(link) => {
                let name = |id: EventId| &computation.trace.process_of(id).name;
                let (from, to) = (name(link.from), name(link.to));
                format!(
                    "the cut of snapshot {snapshot}: inconsistent, as the message from {from} to {to} is received before it and sent after it"
                )
            }
        }
    }
}

/// The cuts of all snapshots, in the order in which they were begun.
pub fn recorded(computation: &Computation) -> Vec<Recorded> {
    let trace = &computation.trace;
    let mut cuts: Vec<Recorded> = Vec::new();
    let mut executions = Vec::new();
    let mut places: HashMap<(u32, String), usize> = HashMap::new();
    for id in &computation.order.sequence {
        let event = &trace.events[*id];
        if event.claim != Claim::Property || !trace.text(event.text).contains("\"record\"") {
            continue;
        }
        let fields = Fields::of(trace, *id);
        if fields.get("meaning") != Some("record") {
            continue;
        }
        let snapshot = fields.get("timestamp").unwrap_or_default();
        let Some((number, initiator)) = snapshot.split_once(',') else {
            continue;
        };
        let execution = computation.executions[event.process as usize];
        let place = *places
            .entry((execution, snapshot.to_owned()))
            .or_insert_with(|| {
                executions.push(execution);
                cuts.push(Recorded {
                    snapshot: format!("{number} of {}", short_name(initiator, LONGEST)),
                    records: Vec::new(),
                    others: Vec::new(),
                    cut: Cut::default(),
                    violation: None,
                });
                cuts.len() - 1
            });
        let cut = &mut cuts[place];
        // A second record of one process does not move the cut.
        if let Entry::Vacant(frontier) = cut.cut.frontier.entry(event.process) {
            frontier.insert(Some(*id));
            cut.records.push(*id);
        }
    }
    let beneath = Beneath::of(computation);
    for (cut, execution) in cuts.iter_mut().zip(executions) {
        for (process, logged) in (0..).zip(&trace.processes) {
            let events = &trace.events[logged.events.clone()];
            let takes_part = computation.executions[process as usize] == execution
                && events.iter().any(|event| event.claim == Claim::Property);
            if takes_part && let Entry::Vacant(frontier) = cut.cut.frontier.entry(process) {
                frontier.insert(logged.events.end.checked_sub(1));
                cut.others.push(process);
            }
        }
        cut.violation = cut.cut.violation(&beneath);
    }
    cuts
}
