//! Liveness under weak fairness: searches a state space for a lasso, a path and a loop, all round which an obligation is not
//! fulfilled although the scheduler is fair.
//!
//! **Weak fairness** (justice; Lynch 1996, "Distributed Algorithms"; TLA's WF): what can happen in all states of the loop
//! happens in it. An infinite run of a finite state space stays in the end within one strongly connected component, so an
//! obligation is broken exactly if, among the states in which it is not fulfilled, there is a component in which each constraint
//! of fairness is taken by a step or impossible in a state (Lichtenstein & Pnueli 1985), or a state without a step.
//!
//! | module | job |
//! | --- | --- |
//! | [`fair`] | a model with fairness and obligations |
//! | [`timeless`] | processes as such a model: their states without the values of clocks |
//! | [`graph`], [`explore`] | the explored states with their steps, and the search that finds them |
//! | [`components`] | strongly connected components |
//! | [`lasso`] | which component is fair, and a short loop in it |
//! | [`explain`] | a lasso as events |

pub mod components;
pub mod explain;
pub mod explore;
pub mod fair;
pub mod graph;
pub mod lasso;
#[cfg(all(test, feature = "simulation"))]
mod tests;
pub mod timeless;

pub use self::lasso::Lasso;
use self::{explore::Explored, fair::Fair, graph::Graph};
use super::search::{Counts, End, Limits, Progress};

/// The result of a search for lassos.
#[derive(Debug)]
pub struct Outcome<A> {
    /// The counts of states.
    pub counts: Counts,
    /// Why the search of the states ended.
    pub end: End,
    /// The strongly connected components with an obligation that is not fulfilled in any of their states, fair or not.
    pub components: u64,
    /// How many of these are fair, states without a step included.
    pub fair: u64,
    /// A path to one of these, and a loop in it.
    pub lasso: Option<Lasso<A>>,
}

/// After how many states a lasso is looked for among them; from then on each time when they have doubled.
const FIRST_LOOK: usize = 4096;

/// Searches for a lasso among all reachable states, or among as many as have one. One that it finds among those that a limit leaves is one all the same.
pub fn search<M: Fair>(
    model: &M,
    limits: Limits,
    progress: &Progress,
    stop: &(dyn Fn() -> bool + Sync),
) -> Outcome<M::Action> {
    let mut next_look = FIRST_LOOK;
    let mut is_enough = |graph: &Graph| {
        let states = graph.nodes().len();
        if states < next_look {
            return false;
        }
        next_look = 2 * states;
        lasso::find(graph).lasso.is_some()
    };
    let Explored { graph, counts, end } =
        explore::explore(model, limits, progress, stop, &mut is_enough);
    let found = lasso::find(&graph);
    Outcome {
        counts,
        end,
        components: found.components,
        fair: found.fair,
        lasso: found.lasso.map(|route| route.of(model)),
    }
}
