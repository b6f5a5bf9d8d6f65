//! The place of a process in the tree of an election.

use common::process::ids::{Names, ProcessId};

/// The parent of a process, unless it is the source, and its children.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Place {
    pub(super) parent: Option<ProcessId>,
    children: Vec<ProcessId>,
}

impl Place {
    /// Without children, so far.
    pub(super) fn under(parent: Option<ProcessId>) -> Self {
        let children = Vec::new();
        Self { parent, children }
    }

    /// Another child.
    pub(super) fn add(&mut self, child: ProcessId) {
        let place = self.children.partition_point(|other| *other < child);
        self.children.insert(place, child);
    }

    /// The place in words.
    pub(super) fn words(&self, term: u64, names: &Names) -> String {
        let parent = self.parent.map_or("none", |parent| names.of(parent));
        let children = listed(&self.children, names);
        format!("in the tree of term {term}: parent {parent}; children {children}")
    }
}

/// The names of these processes.
pub(super) fn listed(processes: &[ProcessId], names: &Names) -> String {
    match processes {
        [] => "none".to_owned(),
        all => {
            let all: Vec<_> = all.iter().map(|process| names.of(*process)).collect();
            all.join(", ")
        }
    }
}
