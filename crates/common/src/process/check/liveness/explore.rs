//! Finds all reachable states, level by level: several threads take the steps from the states of a level, and one numbers the
//! states that they lead to, so that the graph does not depend on the number of threads.

use std::hash::BuildHasherDefault;

use hashbrown::HashMap;

use super::{
    fair::Fair,
    graph::{Edge, Graph, Node},
};
use crate::{
    parallel,
    process::check::search::{Counts, End, Fingerprint, Identity, Limits, Progress, fingerprint},
};

/// How many states a thread expands at a time.
const CHUNK: usize = 128;

/// How many chunks are expanded before their successors are numbered.
const ROUND: usize = 128;

/// The graph of the states, and how many there are.
#[derive(Debug)]
pub struct Explored {
    /// The graph.
    pub graph: Graph,
    /// The counts; `generated` are the steps that were taken.
    pub counts: Counts,
    /// Why the search ended.
    pub end: End,
}

/// What follows from one state.
struct Expanded<S> {
    possible: u128,
    unfulfilled: u64,
    successors: Vec<Successor<S>>,
}

struct Successor<S> {
    fingerprint: Fingerprint,
    /// None if it was found before.
    state: Option<S>,
    choice: u16,
    constraint: Option<u8>,
}

type Found = HashMap<Fingerprint, Node, BuildHasherDefault<Identity>>;

/// Finds all reachable states, or as many as are enough. Two are the same if their fingerprints are.
pub(super) fn explore<M: Fair>(
    model: &M,
    limits: Limits,
    progress: &Progress,
    stop: &(dyn Fn() -> bool + Sync),
    is_enough: &mut dyn FnMut(&Graph) -> bool,
) -> Explored {
    let mut explored = Explored {
        graph: Graph::default(),
        counts: Counts::default(),
        end: End::Complete,
    };
    let mut found = Found::default();
    let mut level = Vec::new();
    for (choice, state) in (0..).zip(model.init_states()) {
        found.entry(fingerprint(&state)).or_insert_with(|| {
            level.push(state);
            explored.graph.find(None, choice)
        });
    }
    while !level.is_empty() {
        explored.counts.depth += 1;
        let mut next = Vec::new();
        let mut bytes = 0;
        for round in level.chunks(CHUNK * ROUND) {
            explored.counts.distinct = found.len() as u64;
            progress.show(&explored.counts);
            let chunks = round.chunks(CHUNK);
            let expanded = parallel::each("search", limits.workers, chunks, |states| {
                let expand = |state| expand(model, &found, state);
                states.iter().map(expand).collect::<Vec<_>>()
            });
            for expanded in expanded.into_iter().flatten() {
                let from = explored.graph.nodes().end;
                explored.counts.generated += expanded.successors.len() as u64;
                let successors = expanded.successors.into_iter();
                let edges: Vec<_> = successors
                    .map(|successor| {
                        let choice = successor.choice;
                        let node = *found.entry(successor.fingerprint).or_insert_with(|| {
                            if let Some(state) = successor.state {
                                bytes += model.bytes(&state);
                                next.push(state);
                            }
                            explored.graph.find(Some(from), choice)
                        });
                        Edge::new(node, choice, successor.constraint)
                    })
                    .collect();
                let Expanded {
                    possible,
                    unfulfilled,
                    ..
                } = expanded;
                explored.graph.expand(possible, unfulfilled, edges);
            }
            explored.counts.distinct = found.len() as u64;
            let reserved = explored.graph.bytes() + found.allocation_size() + 2 * bytes;
            let end = if stop() {
                End::Interrupted
            } else if explored.counts.distinct > limits.most {
                End::TooMany
            } else if reserved as u64 > limits.memory {
                End::NoMemory
            } else {
                continue;
            };
            explored.end = end;
            return explored;
        }
        if !next.is_empty() && is_enough(&explored.graph) {
            explored.end = End::AllViolated;
            return explored;
        }
        level = next;
    }
    explored
}

fn expand<M: Fair>(model: &M, found: &Found, state: &M::State) -> Expanded<M::State> {
    let mut steps = Vec::new();
    model.actions(state, &mut steps);
    let constraints: Vec<_> = steps.iter().map(|step| model.constraint(step)).collect();
    let some = constraints.iter().flatten();
    let possible = some.fold(0, |possible, constraint| possible | 1 << constraint);
    let take = |choice: usize| {
        let next = model.next_state(state, steps[choice].clone())?;
        let fingerprint = fingerprint(&next);
        Some(Successor {
            fingerprint,
            state: (!found.contains_key(&fingerprint)).then_some(next),
            choice: choice as u16,
            constraint: constraints[choice],
        })
    };
    // What is taken alone must not put off the other steps for ever: one of each cycle's states has all its steps, the last
    // one that is expanded, whose successor was found before.
    let alone = model.alone(state, &steps).and_then(take);
    let successors = match alone.filter(|alone| alone.state.is_some()) {
        Some(alone) => vec![alone],
        None => (0..steps.len()).filter_map(take).collect(),
    };
    Expanded {
        possible,
        unfulfilled: model.unfulfilled(state),
        successors,
    }
}
