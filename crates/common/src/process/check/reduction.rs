//! The reduction of the processes' state space: which states are visited only once, and which steps are taken alone.
//!
//! It is sound where channels are reliable and FIFO, there are neither commands nor waits for replies, and timestamps are
//! compared as the algorithms' papers say:
//!
//! 1. **Only the order of timestamps makes a difference.** Lamport's total order of the events of a run is an order in which
//!    they can happen. So each run acts as one whose timestamps are the numbers of its steps: the one that takes the
//!    steps in that order. The reduced search visits those: a process's clock is advanced before each step beyond all
//!    times in use, as by further local events, and the times in use are renumbered after it.
//! 2. **What makes no difference any more is forgotten** ([`Relevance`]).
//! 3. **A step that commutes with all others is taken alone**: the receipt of a message of which the algorithm says that it
//!    makes the same difference, whatever else happens first ([`Relevance::commutes`]). The other steps stay possible
//!    after it, and no path returns to an earlier state, so nothing is put off for ever.
//!
//! Mutual exclusion is a property of the states, which are not all visited: the reduced search checks instead that the one's
//! exit happened before the other's entry, as the verdict on a run does. Two entries that are not ordered so are
//! together in some order of the same events. A violation is searched for again without the reduction, which gives a
//! shortest path.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use smallvec::SmallVec;

use super::{
    model::Model,
    monitor::Monitor,
    relevance::{LATER, Relevance, Use},
    system::{GlobalState, InFlight, Node, Step, System},
};
use crate::process::{clock::LamportClock, ids::ProcessId};

/// How many steps were possible in the states of a reduced search, and how many of these were taken.
#[derive(Debug, Default)]
pub struct Saving {
    possible: AtomicU64,
    taken: AtomicU64,
}

impl Saving {
    /// Possible and taken steps.
    pub fn steps(&self) -> (u64, u64) {
        let [possible, taken] = [&self.possible, &self.taken].map(|of| of.load(Ordering::Relaxed));
        (possible, taken)
    }
}

impl<P: Relevance, M: Monitor> System<P, M> {
    /// The steps that are taken from a state.
    pub(super) fn reduced_steps(
        &self,
        state: &GlobalState<P, M>,
        saving: &Saving,
        steps: &mut Vec<Step>,
    ) {
        self.actions(state, steps);
        let possible = steps.len() as u64;
        if let Some(alone) = steps.iter().position(|step| self.commutes(state, step)) {
            steps.swap(0, alone);
            steps.truncate(1);
        }
        saving.possible.fetch_add(possible, Ordering::Relaxed);
        saving
            .taken
            .fetch_add(steps.len() as u64, Ordering::Relaxed);
    }

    /// Whether a step commutes with everything that can happen before it.
    pub fn commutes(&self, state: &GlobalState<P, M>, step: &Step) -> bool {
        let Step::Receive { from, to, .. } = *step else {
            return false;
        };
        let first =
            |in_flight: &&InFlight<P::Message>| (in_flight.from, in_flight.to) == (from, to);
        let message = state.network.iter().find(first);
        let may_start =
            |process: ProcessId| state.nodes[process.index()].started() < self.bounds.operations;
        message.is_some_and(|in_flight| {
            // What a process learns of the last entry it tells with what it sends afterwards. The less is known, the more
            // entries are unordered: to receive a message that tells nothing new first shows every violation.
            if in_flight.known > state.monitor.known(to) {
                return false;
            }
            let receiver = &state.nodes[to.index()].clocked.process;
            receiver.commutes(from, &in_flight.message, &may_start)
        })
    }

    /// The state to which a step leads, with only what makes a difference.
    pub fn reduced_next(&self, state: &GlobalState<P, M>, step: Step) -> GlobalState<P, M> {
        let mut next = state.clone();
        self.take(&mut next, step, |_, _| ());
        next.forget(state);
        next
    }
}

impl<P: Relevance, M: Monitor> GlobalState<P, M> {
    /// What of this state makes a difference from now on, without the values of clocks.
    #[must_use]
    pub fn without_clocks(&self) -> Self {
        let nodes = self.nodes.iter().map(|node| Arc::new((**node).clone()));
        let mut state = Self {
            nodes: nodes.collect(),
            ..self.clone()
        };
        state.forget(self);
        state
    }

    /// Forgets what makes no difference, and renumbers the times in use. A node that the step from the state before did not
    /// change has forgotten it already, and stays shared if none of its times has another number.
    fn forget(&mut self, before: &Self) {
        let shared = self.nodes.iter().zip(&before.nodes);
        let mut copies: SmallVec<[Option<Node<P>>; 4]> = shared
            .map(|(node, before)| Arc::ptr_eq(node, before).then(|| (**node).clone()))
            .collect();
        for (node, copy) in self.nodes.iter_mut().zip(&copies) {
            if copy.is_none() {
                let node = Arc::make_mut(node);
                node.clocked.clock = LamportClock::new();
                node.clocked.process.forget();
            }
        }
        for in_flight in &mut self.network {
            let receiver = &self.nodes[in_flight.to.index()].clocked.process;
            receiver.forget_in_flight(in_flight.from, &mut in_flight.message);
        }
        let mut numbers = Numbers::default();
        for (node, copy) in self.nodes.iter_mut().zip(&mut copies) {
            let node = copy.as_mut().unwrap_or_else(|| Arc::make_mut(node));
            let add = &mut |time: &mut u64, used| numbers.add(*time, used);
            node.clocked.process.times(add);
        }
        self.other_times(&mut |time, used| numbers.add(*time, used));
        numbers.sort();
        for (node, copy) in self.nodes.iter_mut().zip(copies) {
            match copy {
                None => {
                    let node = Arc::make_mut(node);
                    node.renumber(&numbers);
                    node.forget();
                }
                Some(mut copy) => {
                    if copy.renumber(&numbers) {
                        copy.forget();
                        *node = Arc::new(copy);
                    }
                }
            }
        }
        self.other_times(&mut |time, used| *time = numbers.number(*time, used));
    }

    /// Visits the times that are not a node's.
    fn other_times(&mut self, visit: &mut dyn FnMut(&mut u64, Use)) {
        for in_flight in &mut self.network {
            P::times_in_flight(in_flight.from, &mut in_flight.message, visit);
        }
        self.monitor.times(visit);
    }
}

impl<P: Relevance> Node<P> {
    /// Forgets what makes no difference.
    fn forget(&mut self) {
        self.clocked.process.forget();
        self.changed();
    }

    /// Gives the times in use their new numbers; whether any has another one.
    fn renumber(&mut self, numbers: &Numbers) -> bool {
        let mut is_changed = false;
        self.clocked.process.times(&mut |time, used| {
            let number = numbers.number(*time, used);
            is_changed |= number != *time;
            *time = number;
        });
        is_changed
    }
}

/// The times in use, and their new numbers.
#[derive(Default)]
struct Numbers {
    compared: Vec<u64>,
    named: Vec<(ProcessId, u64)>,
}

impl Numbers {
    fn add(&mut self, time: u64, used: Use) {
        match used {
            _ if time == 0 || time == LATER => {}
            Use::Compared => self.compared.push(time),
            Use::Bound => {}
            Use::Named(process) => self.named.push((process, time)),
        }
    }

    fn sort(&mut self) {
        self.compared.sort_unstable();
        self.compared.dedup();
        self.named.sort_unstable();
        self.named.dedup();
    }

    /// The compared times have even numbers; what only bounds them is a number between.
    fn number(&self, time: u64, used: Use) -> u64 {
        let place = self.compared.partition_point(|other| *other < time) as u64;
        let is_compared = self.compared.get(place as usize) == Some(&time);
        match used {
            _ if time == 0 || time == LATER => time,
            Use::Compared => 2 * place + 2,
            Use::Bound if is_compared => 2 * place + 2,
            Use::Bound if place == 0 => 0,
            Use::Bound => 2 * place + 1,
            Use::Named(process) => {
                let first = self.named.partition_point(|(other, _)| *other < process);
                let this = self.named.partition_point(|other| *other < (process, time));
                (this - first) as u64 + 1
            }
        }
    }
}
