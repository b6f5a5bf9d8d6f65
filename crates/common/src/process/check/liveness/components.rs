//! Strongly connected components of a part of a graph (Tarjan 1972, "Depth-First Search and Linear Graph Algorithms"), with a
//! stack of its own in place of recursion.

use super::graph::{Graph, Node};

/// Not visited, or of no complete component.
const NEW: u32 = u32::MAX;

/// The strongly connected components of a graph's part, numbered.
#[derive(Debug)]
pub struct Components {
    /// The component of each state, or [`NEW`].
    of: Vec<u32>,
    /// The states, component by component, and where each component ends.
    members: Vec<Node>,
    ends: Vec<usize>,
}

impl Components {
    /// Those of the states that are kept.
    pub fn new(graph: &Graph, keep: impl Fn(Node) -> bool) -> Self {
        let nodes = graph.nodes();
        let mut search = Search {
            graph,
            order: vec![NEW; nodes.len()],
            low: vec![NEW; nodes.len()],
            next: 0,
            open: Vec::new(),
            components: Self {
                of: vec![NEW; nodes.len()],
                members: Vec::new(),
                ends: Vec::new(),
            },
        };
        for node in nodes {
            if keep(node) && search.order[node as usize] == NEW {
                search.visit(node, &keep);
            }
        }
        search.components
    }

    /// The states of each component.
    pub fn iter(&self) -> impl Iterator<Item = &[Node]> {
        let begins = [0].into_iter().chain(self.ends.iter().copied());
        let ranges = begins.zip(&self.ends);
        ranges.map(|(begin, end)| &self.members[begin..*end])
    }

    /// Whether two states are of one component.
    pub fn are_together(&self, one: Node, other: Node) -> bool {
        let of = |node: Node| self.of.get(node as usize).copied().unwrap_or(NEW);
        of(one) != NEW && of(one) == of(other)
    }
}

struct Search<'g> {
    graph: &'g Graph,
    /// In which order the states were visited.
    order: Vec<u32>,
    /// The earliest state on the stack of open ones that a state reaches.
    low: Vec<u32>,
    next: u32,
    /// The visited states whose component is not complete.
    open: Vec<Node>,
    components: Components,
}

impl Search<'_> {
    fn visit(&mut self, root: Node, keep: &impl Fn(Node) -> bool) {
        // States on the way to the present one, each with the number of its next step.
        let mut way: Vec<(Node, usize)> = Vec::new();
        self.enter(root, &mut way);
        while let Some((node, step)) = way.last_mut() {
            let (node, edge) = (*node as usize, self.graph.edges(*node).get(*step));
            *step += 1;
            match edge.map(|edge| edge.to) {
                Some(to) if to as usize >= self.order.len() || !keep(to) => {}
                Some(to) if self.order[to as usize] == NEW => self.enter(to, &mut way),
                Some(to) => {
                    if self.components.of[to as usize] == NEW {
                        self.low[node] = self.low[node].min(self.order[to as usize]);
                    }
                }
                None => {
                    way.pop();
                    if let Some((before, _)) = way.last() {
                        let before = *before as usize;
                        self.low[before] = self.low[before].min(self.low[node]);
                    }
                    if self.low[node] == self.order[node] {
                        self.close(node as Node);
                    }
                }
            }
        }
    }

    fn enter(&mut self, node: Node, way: &mut Vec<(Node, usize)>) {
        self.order[node as usize] = self.next;
        self.low[node as usize] = self.next;
        self.next += 1;
        self.open.push(node);
        way.push((node, 0));
    }

    /// The component whose first visited state this is is complete.
    fn close(&mut self, first: Node) {
        let components = &mut self.components;
        while let Some(node) = self.open.pop() {
            components.of[node as usize] = components.ends.len() as u32;
            components.members.push(node);
            if node == first {
                break;
            }
        }
        components.ends.push(components.members.len());
    }
}
