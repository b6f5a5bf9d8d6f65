//! The explored states as a graph: what is left of them are the steps, which constraints of fairness are possible, and which
//! obligations are not fulfilled.

/// A state's number, in the order in which the states were found.
pub type Node = u32;

/// A step to another state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Edge {
    /// The state to which it leads.
    pub to: Node,
    /// Its index among all steps that are possible.
    pub choice: u16,
    /// The constraint of fairness that it takes, or [`NO_CONSTRAINT`].
    constraint: u8,
}

/// No constraint of fairness.
const NO_CONSTRAINT: u8 = u8::MAX;

impl Edge {
    /// A step.
    pub fn new(to: Node, choice: u16, constraint: Option<u8>) -> Self {
        let constraint = constraint.unwrap_or(NO_CONSTRAINT);
        Self {
            to,
            choice,
            constraint,
        }
    }

    /// The constraint of fairness that it takes as a set.
    pub fn takes(self) -> u128 {
        match self.constraint {
            NO_CONSTRAINT => 0,
            constraint => 1 << constraint,
        }
    }
}

/// The graph of the states whose steps were taken; those beyond a limit have none.
#[derive(Debug, Default)]
pub struct Graph {
    /// Where the edges of each expanded state end.
    ends: Vec<usize>,
    edges: Vec<Edge>,
    /// Of each expanded state, the constraints of fairness that are possible, a bit for each.
    possible: Vec<u128>,
    /// Of each expanded state, the obligations that are not fulfilled, a bit for each.
    unfulfilled: Vec<u64>,
    /// Of each found state, from which one it was found first and by which step; the initial states' own number, and their
    /// index among these.
    found: Vec<(Node, u16)>,
}

impl Graph {
    /// Adds a state that was found by a step from another one; an initial one gives its index among these.
    pub fn find(&mut self, from: Option<Node>, choice: u16) -> Node {
        let node = self.found.len() as Node;
        self.found.push((from.unwrap_or(node), choice));
        node
    }

    /// Adds the steps of the next state, in the order in which the states were found.
    pub fn expand(
        &mut self,
        possible: u128,
        unfulfilled: u64,
        edges: impl IntoIterator<Item = Edge>,
    ) {
        self.edges.extend(edges);
        self.ends.push(self.edges.len());
        self.possible.push(possible);
        self.unfulfilled.push(unfulfilled);
    }

    /// The expanded states.
    pub fn nodes(&self) -> std::ops::Range<Node> {
        0..self.ends.len() as Node
    }

    /// The steps from a state; none from one that is not expanded.
    pub fn edges(&self, node: Node) -> &[Edge] {
        let node = node as usize;
        let Some(end) = self.ends.get(node) else {
            return &[];
        };
        let begin = node.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.edges[begin..*end]
    }

    /// The constraints of fairness that are possible in an expanded state.
    pub fn possible(&self, node: Node) -> u128 {
        self.possible[node as usize]
    }

    /// The obligations that are not fulfilled in a state; none in one that is not expanded.
    pub fn unfulfilled(&self, node: Node) -> u64 {
        self.unfulfilled.get(node as usize).copied().unwrap_or(0)
    }

    /// The index of the initial state, and the steps from it by which a state was found first: as few as possible.
    pub fn path(&self, mut node: Node) -> (u16, Vec<u16>) {
        let mut choices = Vec::new();
        loop {
            let (from, choice) = self.found[node as usize];
            if from == node {
                choices.reverse();
                return (choice, choices);
            }
            choices.push(choice);
            node = from;
        }
    }

    /// The number of steps by which a state was found first.
    pub fn depth(&self, node: Node) -> usize {
        self.path(node).1.len()
    }

    /// The bytes that it has reserved.
    pub fn bytes(&self) -> usize {
        self.ends.capacity() * size_of::<usize>()
            + self.edges.capacity() * size_of::<Edge>()
            + self.possible.capacity() * size_of::<u128>()
            + self.unfulfilled.capacity() * size_of::<u64>()
            + self.found.capacity() * size_of::<(Node, u16)>()
    }
}
