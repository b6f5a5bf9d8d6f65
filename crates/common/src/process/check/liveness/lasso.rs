//! A fair component, and a loop in it.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::{
    components::Components,
    fair::Fair,
    graph::{Edge, Graph, Node},
};

/// In how many states of a component a loop is begun, to find a short one.
const STARTS: usize = 64;

/// A path and a loop all round which an obligation is not fulfilled.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lasso<A> {
    /// The number of the obligation.
    pub obligation: u32,
    /// The steps to the loop: as few as lead to where it begins.
    pub path: Vec<A>,
    /// The steps of the loop; none if no step is possible any more.
    pub cycle: Vec<A>,
}

/// A lasso by the indices of its steps.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Route {
    obligation: u32,
    initial: u16,
    path: Vec<u16>,
    cycle: Vec<u16>,
}

impl Route {
    /// The same by its steps.
    pub(super) fn of<M: Fair>(self, model: &M) -> Lasso<M::Action> {
        let mut states = model.init_states();
        let mut state = states.swap_remove(self.initial.into());
        let mut take = |choice: u16| {
            let mut steps = Vec::new();
            model.actions(&state, &mut steps);
            let step = steps.swap_remove(choice.into());
            if let Some(next) = model.next_state(&state, step.clone()) {
                state = next;
            }
            step
        };
        Lasso {
            obligation: self.obligation,
            path: self.path.into_iter().map(&mut take).collect(),
            cycle: self.cycle.into_iter().map(&mut take).collect(),
        }
    }

    fn len(&self) -> usize {
        self.path.len() + self.cycle.len()
    }
}

/// What was found in a graph.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// How many components have an obligation that is not fulfilled in any of their states.
    pub(super) components: u64,
    /// How many of these are fair, states without a step included.
    pub(super) fair: u64,
    pub(super) lasso: Option<Route>,
}

/// Finds the components in which an obligation is never fulfilled, and a lasso into the fair one that is the nearest.
pub(super) fn find(graph: &Graph) -> Found {
    let mut found = Found::default();
    let all = graph.nodes();
    let obligations = all.fold(0, |all, node| all | graph.unfulfilled(node));
    for obligation in 0..u64::BITS {
        if obligations >> obligation & 1 == 0 {
            continue;
        }
        let keep = |node: Node| graph.unfulfilled(node) >> obligation & 1 == 1;
        let components = Components::new(graph, keep);
        let mut nearest: Option<&[Node]> = None;
        for states in components.iter() {
            let fair = fair(graph, &components, states);
            found.components += u64::from(fair.is_some());
            if fair == Some(true) {
                found.fair += 1;
                // States are numbered by their distance.
                if nearest.is_none_or(|nearest| states.iter().min() < nearest.iter().min()) {
                    nearest = Some(states);
                }
            }
        }
        let Some(states) = nearest else { continue };
        let mut starts = states.to_vec();
        starts.sort_unstable();
        for start in starts.into_iter().take(STARTS) {
            let (initial, path) = graph.path(start);
            let cycle = cycle(graph, &components, start);
            let route = Route {
                obligation,
                initial,
                path,
                cycle,
            };
            if found
                .lasso
                .as_ref()
                .is_none_or(|shortest| route.len() < shortest.len())
            {
                found.lasso = Some(route);
            }
        }
    }
    found
}

/// Whether a run can stay in the component for ever with a fair scheduler; None if it cannot stay there at all.
fn fair(graph: &Graph, components: &Components, states: &[Node]) -> Option<bool> {
    let (mut always, mut taken, mut can_stay) = (u128::MAX, 0, false);
    for node in states {
        let edges = graph.edges(*node);
        always &= graph.possible(*node);
        // Nothing is possible any more: so it stays.
        can_stay |= edges.is_empty();
        for edge in edges {
            if components.are_together(*node, edge.to) {
                can_stay = true;
                taken |= edge.takes();
            }
        }
    }
    can_stay.then_some(always & !taken == 0)
}

/// The steps of a loop from a state of a fair component, which is fair itself. It goes to the nearest state or step that
/// satisfies one more constraint, until all are satisfied, and back.
fn cycle(graph: &Graph, components: &Components, start: Node) -> Vec<u16> {
    let mut choices = Vec::new();
    if graph.edges(start).is_empty() {
        return choices;
    }
    // What is possible in all states of the loop and not taken in it.
    let mut always = graph.possible(start);
    let mut taken = 0;
    let mut node = start;
    loop {
        let unsatisfied = always & !taken;
        let is_wanted = |edge: &Edge| match unsatisfied {
            0 => edge.to == start,
            _ => (edge.takes() | !graph.possible(edge.to)) & unsatisfied != 0,
        };
        let Some(way) = nearest(graph, components, node, &is_wanted) else {
            // Where the component is fair there is a way.
            return choices;
        };
        for edge in way {
            choices.push(edge.choice);
            taken |= edge.takes();
            always &= graph.possible(edge.to);
            node = edge.to;
        }
        if node == start && always & !taken == 0 {
            return choices;
        }
    }
}

/// The fewest steps within the component, of which the last one is wanted.
fn nearest(
    graph: &Graph,
    components: &Components,
    from: Node,
    is_wanted: &dyn Fn(&Edge) -> bool,
) -> Option<Vec<Edge>> {
    let mut reached: HashMap<Node, (Node, Edge)> = HashMap::new();
    let mut waiting = VecDeque::from([from]);
    while let Some(node) = waiting.pop_front() {
        for edge in graph.edges(node) {
            if !components.are_together(node, edge.to) {
                continue;
            }
            if is_wanted(edge) {
                let mut way = vec![*edge];
                let mut node = node;
                while node != from {
                    let (before, edge) = reached[&node];
                    way.push(edge);
                    node = before;
                }
                way.reverse();
                return Some(way);
            }
            if edge.to != from && !reached.contains_key(&edge.to) {
                reached.insert(edge.to, (node, *edge));
                waiting.push_back(edge.to);
            }
        }
    }
    None
}
