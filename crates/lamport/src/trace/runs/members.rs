//! The processes of a run of an algorithm.

use common::process::ids::{Names, ProcessId};
use hashbrown::HashMap;

use crate::trace::Trace;

/// The processes of a run, by their logs and by their names in messages and timestamps.
pub(super) struct Members {
    /// By the index of the process in the trace.
    pub(super) of_process: HashMap<u32, ProcessId>,
    by_name: HashMap<String, ProcessId>,
    pub(super) names: Vec<String>,
}

impl Members {
    pub(super) fn of(trace: &Trace, mut processes: Vec<u32>) -> Self {
        // In the order in which the processes of a run sort the names, see `Names::sorted`.
        let node = |process: &u32| trace.processes[*process as usize].node.as_str();
        processes.sort_by_key(|process| (node(process).len(), node(process)));
        let mut members = Self {
            of_process: HashMap::new(),
            by_name: HashMap::new(),
            names: Vec::new(),
        };
        for process in processes {
            let id = ProcessId::at(members.names.len());
            members.of_process.insert(process, id);
            let (node, name) = {
                let process = &trace.processes[process as usize];
                (process.node.clone(), process.name.clone())
            };
            // A process that was restarted has a name that differs from its node.
            members.by_name.entry(node).or_insert(id);
            members.names.push(name);
        }
        members
    }

    /// The processes with these names, in this order.
    pub(super) fn with_names(trace: &Trace, names: &Names) -> Self {
        let mut members = Self {
            of_process: HashMap::new(),
            by_name: HashMap::new(),
            names: Vec::new(),
        };
        for name in names.all() {
            members.named(name);
        }
        for (process, it) in (0..).zip(&trace.processes) {
            if let Some(id) = members.by_name.get(it.node.as_str()) {
                members.of_process.insert(process, *id);
            }
        }
        members
    }

    /// The process with this name. One without a log gets a number after all others.
    pub(super) fn named(&mut self, name: &str) -> ProcessId {
        if let Some(known) = self.by_name.get(name) {
            return *known;
        }
        let id = ProcessId::at(self.names.len());
        self.by_name.insert(name.to_owned(), id);
        self.names.push(name.to_owned());
        id
    }
}
