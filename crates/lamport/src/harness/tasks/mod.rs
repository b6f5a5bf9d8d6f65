//! The workloads.

mod clocks;
mod commit;
mod counter;
mod echo;
mod election;
mod elements;
mod key_value;
mod multicast;
mod mutex;
mod snapshot;
mod time;
mod unique_ids;

use common::process::faults::Faults;

use super::{task::Task, workload::NodeWorkload};

/// The task of this workload for N nodes, over a network with these faults.
pub(super) fn of(workload: NodeWorkload, nodes: usize, faults: &Faults) -> Box<dyn Task> {
    match workload {
        NodeWorkload::Echo => Box::new(echo::Echo::default()),
        NodeWorkload::UniqueIds => Box::new(unique_ids::UniqueIds::default()),
        NodeWorkload::Broadcast => Box::new(elements::Elements::broadcast(nodes)),
        NodeWorkload::GSet => Box::new(elements::Elements::set(nodes)),
        NodeWorkload::GCounter => Box::new(counter::Counter::new(nodes, false)),
        NodeWorkload::PnCounter => Box::new(counter::Counter::new(nodes, true)),
        NodeWorkload::LinKv => Box::new(key_value::KeyValue::new(nodes)),
        NodeWorkload::Clocks => Box::new(clocks::Clocks::new(nodes)),
        NodeWorkload::Mutex => Box::new(mutex::Mutex::new(nodes)),
        NodeWorkload::Election => Box::new(election::Election::new(nodes)),
        NodeWorkload::Wireless => Box::new(election::Election::wireless(nodes)),
        NodeWorkload::Commit => Box::new(commit::Commit::new(nodes)),
        NodeWorkload::Snapshot => Box::new(snapshot::Snapshot::new(nodes)),
        NodeWorkload::Time => Box::new(time::Time::with_server(nodes)),
        NodeWorkload::Berkeley => Box::new(time::Time::by_rounds(nodes, faults)),
        NodeWorkload::Total | NodeWorkload::Causal => Box::new(multicast::Multicast::new(nodes)),
    }
}
