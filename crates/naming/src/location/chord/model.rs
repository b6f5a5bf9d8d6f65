//! A model of ring maintenance, in which every order of its steps is tried: the rules of [`Neighbours`] with memory that all nodes
//! share in place of messages, as Zave 2017 models them in Alloy. It finds out whether a sequence of joins, failures and
//! stabilisation breaks the ring.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    iter,
};

use common::process::ids::ProcessId;

use super::{
    invariant::{Broken, broken},
    neighbours::Neighbours,
    settings::{Peer, Rules},
};
use crate::location::circle::{Circle, Id};

/// What is tried.
#[derive(Clone, Debug)]
pub struct Model {
    /// The circle.
    pub circle: Circle,
    /// The nodes.
    pub nodes: Vec<Id>,
    /// The number of those, from the first on, that make a ring at the start; the others may join.
    pub members: usize,
    /// r, the length of the successor lists.
    pub length: usize,
    /// How many nodes may fail.
    pub failures: usize,
    /// The rules.
    pub rules: Rules,
}

/// The end of the search.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outcome {
    /// How many states there are, or were seen until the violation.
    pub states: usize,
    /// The steps of a shortest way to a ring that is broken, and how it is; None when there is none.
    pub violation: Option<(Vec<Step>, Broken)>,
}

/// One step of a node.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Step {
    /// A node joins behind another one.
    Join(Peer, Peer),
    /// A node fails.
    Fail(Peer),
    /// A node finds that its successor has failed, and takes the next of its list.
    DropSuccessor(Peer, Peer),
    /// A node finds that its predecessor has failed.
    DropPredecessor(Peer, Peer),
    /// A node asks its successor for its list and predecessor.
    Stabilise(Peer, Peer),
    /// A node asks the predecessor of its successor, which may be a better one.
    Reconsider(Peer, Peer),
    /// A node notifies its successor.
    Notify(Peer, Peer),
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Node {
    Outside,
    /// With what it does next, once it has asked its successor.
    Member(Neighbours, Next),
    Failed,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Next {
    Stabilise,
    Reconsider(Peer),
    Notify,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct State {
    nodes: Vec<Node>,
    failures: usize,
}

impl Model {
    /// Tries every order of steps, the shortest ways first, up to this many states.
    ///
    /// # Panics
    /// When there are more.
    pub fn search(&self, most: usize) -> Outcome {
        let start = self.start();
        let mut seen: Seen = HashMap::from([(fingerprint(&start), None)]);
        let mut waiting = VecDeque::from([start]);
        while let Some(state) = waiting.pop_front() {
            let at = fingerprint(&state);
            if let Some(broken) = state.broken(self.circle) {
                let violation = Some((way(&seen, at), broken));
                let states = seen.len();
                return Outcome { states, violation };
            }
            for (step, next) in self.steps(&state) {
                assert!(seen.len() < most, "more than {most} states");
                if let Entry::Vacant(entry) = seen.entry(fingerprint(&next)) {
                    entry.insert(Some((at, step)));
                    waiting.push_back(next);
                }
            }
        }
        Outcome {
            states: seen.len(),
            violation: None,
        }
    }

    fn peer(&self, index: usize) -> Peer {
        Peer {
            id: self.nodes[index],
            process: ProcessId::at(index),
        }
    }

    /// A ring as maintenance would make it.
    fn start(&self) -> State {
        let node = |index: usize| {
            if index >= self.members {
                return Node::Outside;
            }
            let me = self.peer(index);
            let mut others: Vec<Peer> = (0..self.members).map(|other| self.peer(other)).collect();
            others.retain(|other| *other != me);
            others.sort_by_key(|other| self.circle.distance(me.id, other.id));
            let mut neighbours = Neighbours::alone(me);
            neighbours.predecessor = others.last().copied();
            others.truncate(self.length);
            neighbours.successors = others;
            Node::Member(neighbours, Next::Stabilise)
        };
        State {
            nodes: (0..self.nodes.len()).map(node).collect(),
            failures: 0,
        }
    }

    fn steps(&self, state: &State) -> Vec<(Step, State)> {
        let mut steps = Vec::new();
        for index in 0..self.nodes.len() {
            let me = self.peer(index);
            match &state.nodes[index] {
                Node::Outside => self.joins(state, me, &mut steps),
                Node::Failed => {}
                Node::Member(neighbours, next) => {
                    if state.failures < self.failures {
                        let mut failed = state.clone();
                        failed.nodes[index] = Node::Failed;
                        failed.failures += 1;
                        steps.push((Step::Fail(me), failed));
                    }
                    self.maintains(state, neighbours, *next, &mut steps);
                }
            }
        }
        steps
    }

    /// A node joins where its place is, if the successor there is alive.
    fn joins(&self, state: &State, me: Peer, steps: &mut Vec<(Step, State)>) {
        for node in &state.nodes {
            let Node::Member(before, _) = node else {
                continue;
            };
            let successor = before.successor();
            let is_between = self.circle.up_to(before.me.id, me.id, successor.id);
            if is_between && state.member(successor).is_some() {
                let list = &before.successors;
                let joined =
                    Neighbours::joined(me, before.me, list, self.circle, self.rules, self.length);
                let mut next = state.clone();
                next.nodes[me.process.index()] = Node::Member(joined, Next::Stabilise);
                steps.push((Step::Join(me, before.me), next));
            }
        }
    }

    fn maintains(
        &self,
        state: &State,
        node: &Neighbours,
        next: Next,
        steps: &mut Vec<(Step, State)>,
    ) {
        let (me, circle, length) = (node.me, self.circle, self.length);
        let mut becomes = |step: Step, neighbours: Neighbours, next: Next| {
            let mut state = state.clone();
            state.nodes[me.process.index()] = Node::Member(neighbours, next);
            steps.push((step, state));
        };
        if let Some(predecessor) = node.predecessor
            && state.member(predecessor).is_none()
        {
            let mut node = node.clone();
            node.predecessor = None;
            becomes(Step::DropPredecessor(me, predecessor), node, next);
        }
        let successor = node.successor();
        if successor == me {
            // Alone, until another one notifies it.
            if let Some(predecessor) = node.predecessor {
                let mut node = node.clone();
                node.adopt(circle, predecessor, &[], length);
                becomes(Step::Stabilise(me, me), node, Next::Notify);
            }
            return;
        }
        let Some(theirs) = state.member(successor) else {
            let mut node = node.clone();
            node.successors.remove(0);
            becomes(Step::DropSuccessor(me, successor), node, Next::Stabilise);
            return;
        };
        match next {
            Next::Stabilise => {
                let mut node = node.clone();
                node.adopt(circle, successor, &theirs.successors, length);
                let candidate = theirs
                    .predecessor
                    .filter(|peer| node.is_better(circle, *peer));
                let next = match (candidate, self.rules) {
                    (None, _) => Next::Notify,
                    (Some(candidate), Rules::Corrected) => Next::Reconsider(candidate),
                    (Some(candidate), Rules::Published) => {
                        let list = std::mem::take(&mut node.successors);
                        node.adopt(circle, candidate, &list, length);
                        Next::Notify
                    }
                };
                becomes(Step::Stabilise(me, successor), node, next);
            }
            Next::Reconsider(candidate) => {
                let mut node = node.clone();
                if let Some(theirs) = state.member(candidate)
                    && node.is_better(circle, candidate)
                {
                    node.adopt(circle, candidate, &theirs.successors, length);
                }
                becomes(Step::Reconsider(me, candidate), node, Next::Notify);
            }
            Next::Notify => {
                let mut theirs = theirs.clone();
                theirs.notified(circle, me);
                let mut state = state.clone();
                if let Node::Member(node, _) = &mut state.nodes[successor.process.index()] {
                    *node = theirs;
                }
                state.nodes[me.process.index()] = Node::Member(node.clone(), Next::Stabilise);
                steps.push((Step::Notify(me, successor), state));
            }
        }
    }
}

impl Node {
    fn neighbours(&self) -> Option<&Neighbours> {
        match self {
            Self::Member(neighbours, _) => Some(neighbours),
            Self::Outside | Self::Failed => None,
        }
    }
}

impl State {
    fn broken(&self, circle: Circle) -> Option<Broken> {
        let members: Vec<_> = self.nodes.iter().filter_map(Node::neighbours).collect();
        broken(circle, &members)
    }

    /// The node, if it is a member that has not failed.
    fn member(&self, peer: Peer) -> Option<&Neighbours> {
        self.nodes[peer.process.index()].neighbours()
    }
}

/// The states that were seen, by their fingerprints, each with a state before it and the step from there.
type Seen = HashMap<u64, Option<(u64, Step)>>;

/// Two of a million states have the same one with a probability below 10^-7.
fn fingerprint(state: &State) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

/// The steps to this state.
fn way(seen: &Seen, state: u64) -> Vec<Step> {
    let before = iter::successors(seen[&state], |(state, _)| seen[state]);
    let mut steps: Vec<Step> = before.map(|(_, step)| step).collect();
    steps.reverse();
    steps
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Join(node, before) => write!(f, "{} joins behind {}", node.id, before.id),
            Self::Fail(node) => write!(f, "{} fails", node.id),
            Self::DropSuccessor(node, failed) => {
                write!(
                    f,
                    "{} drops its successor {}, which has failed",
                    node.id, failed.id
                )
            }
            Self::DropPredecessor(node, failed) => {
                write!(
                    f,
                    "{} drops its predecessor {}, which has failed",
                    node.id, failed.id
                )
            }
            Self::Stabilise(node, successor) => {
                write!(
                    f,
                    "{} stabilises with its successor {}",
                    node.id, successor.id
                )
            }
            Self::Reconsider(node, candidate) => {
                write!(
                    f,
                    "{} asks {}, which may be a better successor",
                    node.id, candidate.id
                )
            }
            Self::Notify(node, successor) => {
                write!(f, "{} notifies its successor {}", node.id, successor.id)
            }
        }
    }
}
