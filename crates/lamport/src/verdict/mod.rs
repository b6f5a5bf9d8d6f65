//! The verdict on a run of an algorithm: which checkers it has, and those of the properties that are only its own. The
//! simulator, real processes, the paths of the model checker and the reader of logs all use it.
//!
//! | module | job |
//! | --- | --- |
//! | [`common::process::verdict`] | the verdict, the clock condition, reliable FIFO channels |
//! | `exclusion` | mutual exclusion: safety, liveness, fairness |
//! | `election`, `stations` | elections: safety, liveness; the network of a wireless one |
//! | [`commitment`] | distributed commit |
//! | `snapshot` | distributed snapshots |
//! | `synchrony` | clock synchronization |
//! | `delivery`, [`order`] | ordered multicast: the whole run; event by event |

pub mod commitment;
mod delivery;
pub(crate) mod election;
mod exclusion;
pub mod order;
pub(crate) mod snapshot;
pub(crate) mod stations;
pub(crate) mod synchrony;
#[cfg(test)]
mod tests;

use common::process::{
    property::Property,
    verdict::{Verdict, channels::Channels, checker::Checker, clocks::Clocks, run::RunUnderTest},
};

use self::{
    commitment::CommitmentChecker, delivery::Delivery, election::Election, exclusion::Exclusion,
    snapshot::SnapshotChecker, synchrony::SynchronyChecker,
};
use crate::algorithms::Algorithm;

/// The verdict on every property of the algorithm.
pub fn of(algorithm: Algorithm, run: &RunUnderTest<'_>) -> Verdict {
    with(algorithm, run, true, true)
}

/// The same without the clock condition, which `trace` checks for all logs at once.
pub fn without_clocks(algorithm: Algorithm, run: &RunUnderTest<'_>) -> Verdict {
    with(algorithm, run, false, true)
}

/// The verdict on nodes that are themselves to cope with what the network does to their messages: without that on channels;
/// with the clock condition where the clocks are their own.
pub fn of_nodes(algorithm: Algorithm, run: &RunUnderTest<'_>, clocks: bool) -> Verdict {
    with(algorithm, run, clocks, false)
}

fn with(algorithm: Algorithm, run: &RunUnderTest<'_>, clocks: bool, channels: bool) -> Verdict {
    let processes = run.names.count();
    let mut checkers: Vec<Box<dyn Checker>> = Vec::new();
    if clocks {
        checkers.push(Box::new(Clocks::new(run.events.len(), processes)));
    }
    if channels {
        checkers.push(Box::new(Channels::new(processes)));
    }
    match algorithm {
        Algorithm::Events => {}
        Algorithm::Snapshot | Algorithm::VectorSnapshot => {
            checkers.push(Box::new(SnapshotChecker::new(processes)));
        }
        Algorithm::TwoPhase | Algorithm::ThreePhase => {
            checkers.push(Box::new(CommitmentChecker::new(processes)));
        }
        Algorithm::Cristian | Algorithm::Berkeley | Algorithm::Ntp => {
            checkers.push(Box::new(SynchronyChecker::new(algorithm, processes)));
        }
        Algorithm::Total => checkers.push(Box::new(Delivery::total(processes))),
        Algorithm::Causal => checkers.push(Box::new(Delivery::causal(processes))),
        Algorithm::Bully | Algorithm::Ring => checkers.push(Box::new(Election::new(processes))),
        Algorithm::Wireless => checkers.push(Box::new(Election::wireless(processes))),
        Algorithm::Mutex
        | Algorithm::RicartAgrawala
        | Algorithm::Central
        | Algorithm::TokenRing
        | Algorithm::Maekawa => {
            // A coordinator grants in the order in which requests arrive at it, and a token comes by in that of the ring.
            let by_time = algorithm.monitored().contains(&Property::TimestampOrder);
            checkers.push(Box::new(Exclusion::new(processes, by_time)));
        }
    }
    Verdict::of(run, checkers)
}
