//! A parallel breadth-first search of a state space.
//!
//! The threads of stateright's own search run ahead independently, so that the depth and the counterexamples that it finds
//! vary: on eight threads it reports 62 to 68 levels where there are 61. This search goes level by level. Any free thread
//! expands the next chunk of a level; each new state belongs by its fingerprint to one of a fixed number of shards, and one
//! thread at a time inserts into a shard. So no state needs a lock, and the result does not depend on the number of threads.
//!
//! | module | job |
//! | --- | --- |
//! | [`space`] | what is searched |
//! | [`outcome`] | the limits, the progress, the result |
//! | `rounds` | the search, round by round |
//! | `visited` | the visited states, and how each was reached |
//! | `watch` | the limits, looked at by all threads while a round goes on |
//! | `of_model` | the state space of a model |

mod of_model;
pub mod outcome;
mod rounds;
pub mod space;
mod visited;
mod watch;

pub(super) use self::visited::Identity;
use self::{of_model::OfModel, rounds::Search, watch::Watch};
pub use self::{
    of_model::fingerprint,
    outcome::{Counts, End, Limits, Outcome, Progress},
    space::{Fingerprint, Space, Successor},
};
use super::model::Model;

/// Searches all reachable states of the model within its boundary.
pub fn search<M>(
    model: &M,
    limits: Limits,
    progress: &Progress,
    stop: &(dyn Fn() -> bool + Sync),
) -> Outcome<M::Action>
where
    M: Model,
{
    search_space(&OfModel::new(model), limits, progress, stop)
}

/// Searches all reachable states of the space.
pub fn search_space<S: Space>(
    space: &S,
    limits: Limits,
    progress: &Progress,
    stop: &(dyn Fn() -> bool + Sync),
) -> Outcome<S::Step> {
    let watch = Watch::new(limits, progress, stop);
    let mut search = Search::new(space, &watch);
    let end = search.run();
    search.outcome(end)
}
