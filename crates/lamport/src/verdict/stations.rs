//! The network of a wireless election, as its processes say: who reaches whom, and which process is the best of those that are
//! connected; and the tree of an election.

use std::collections::BTreeMap;

use common::process::{
    Meaning,
    ids::{Names, ProcessId},
};
use smallvec::{SmallVec, smallvec};

/// What each process has said of itself: its capacity, and its neighbours.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Stations(SmallVec<[Option<Station>; 4]>);

/// The capacity of a process, and its neighbours.
type Station = (u32, SmallVec<[ProcessId; 4]>);

impl Stations {
    /// For this number of processes, which have said nothing.
    pub(crate) fn new(processes: usize) -> Self {
        Self(smallvec![None; processes])
    }

    /// The next event with a meaning.
    pub(crate) fn see(&mut self, process: ProcessId, meaning: &Meaning) {
        if let Meaning::Station(capacity, neighbours) = meaning {
            self.0[process.index()] = Some((*capacity, neighbours.iter().copied().collect()));
        }
    }

    /// Whether this process has said what it is.
    pub(super) fn knows(&self, process: ProcessId) -> bool {
        self.0[process.index()].is_some()
    }

    /// The best of those that a process reaches over processes that have not crashed, itself included: the one with the greatest
    /// capacity, and of several that with the greatest number.
    pub(crate) fn best(
        &self,
        process: ProcessId,
        has_crashed: &dyn Fn(ProcessId) -> bool,
    ) -> ProcessId {
        let mut reached: SmallVec<[ProcessId; 8]> = smallvec![process];
        let mut place = 0;
        let mut best = (0, process);
        while let Some(one) = reached.get(place).copied() {
            place += 1;
            let Some((capacity, neighbours)) = &self.0[one.index()] else {
                continue;
            };
            best = best.max((*capacity, one));
            for other in neighbours {
                let is_new = other.index() < self.0.len() && !reached.contains(other);
                if is_new && !has_crashed(*other) {
                    reached.push(*other);
                }
            }
        }
        best.1
    }
}

/// The trees of the elections: by term, the last parent of each process in it.
#[derive(Debug)]
pub(super) struct Trees {
    processes: usize,
    parents: BTreeMap<(u64, ProcessId), ProcessId>,
}

impl Trees {
    pub(super) fn new(processes: usize) -> Self {
        Self {
            processes,
            parents: BTreeMap::new(),
        }
    }

    /// The next event with a meaning.
    pub(super) fn see(&mut self, process: ProcessId, meaning: &Meaning) {
        if let Meaning::Parent(parent) = meaning {
            self.parents.insert((parent.time, process), parent.process);
        }
    }

    /// The tree of a term as text, each process with its children in brackets: `p3 (p1 (p2) p4)`. None if it has no branch.
    pub(super) fn text(&self, term: u64, names: &Names) -> Option<String> {
        let parent = |process: ProcessId| self.parents.get(&(term, process)).copied();
        let mut all = ProcessId::all(self.processes);
        let root = all.find(|process| {
            let mut children = ProcessId::all(self.processes);
            parent(*process).is_none() && children.any(|it| parent(it) == Some(*process))
        })?;
        Some(self.branch(root, &parent, names))
    }

    fn branch(
        &self,
        process: ProcessId,
        parent: &dyn Fn(ProcessId) -> Option<ProcessId>,
        names: &Names,
    ) -> String {
        let children = ProcessId::all(self.processes).filter(|it| parent(*it) == Some(process));
        let children: Vec<_> = children.map(|it| self.branch(it, parent, names)).collect();
        match children.as_slice() {
            [] => names.of(process).to_owned(),
            all => format!("{} ({})", names.of(process), all.join(" ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use common::process::clock::Timestamp;

    use super::*;

    #[test]
    fn the_best_is_that_of_the_processes_that_are_connected() {
        let all = [0, 1, 2, 3].map(ProcessId);
        let mut stations = Stations::new(4);
        // p2 – p1 – p3 – p4.
        for (process, capacity, neighbours) in [
            (0, 4, vec![all[1], all[2]]),
            (1, 6, vec![all[0]]),
            (2, 6, vec![all[0], all[3]]),
            (3, 1, vec![all[2]]),
        ] {
            let meaning = Meaning::Station(capacity, neighbours);
            stations.see(all[process], &meaning);
        }
        let best = |crashed: &[ProcessId]| {
            let has_crashed = |process| crashed.contains(&process);
            all.map(|process| stations.best(process, &has_crashed))
        };
        assert_eq!(
            best(&[]),
            [all[2]; 4],
            "equal capacities: the greater number"
        );
        assert_eq!(best(&[all[0]]), [all[2], all[1], all[2], all[2]]);
        // Of one that has crashed nobody asks.
        assert_eq!(best(&[all[2]]), [all[1], all[1], all[2], all[3]]);
    }

    #[test]
    fn a_tree_is_that_of_its_term() {
        let mut trees = Trees::new(4);
        for (process, time, parent) in [(1, 3, 2), (0, 6, 2), (1, 6, 0), (3, 6, 2)] {
            let process = ProcessId(process);
            let parent = Timestamp {
                time,
                process: ProcessId(parent),
            };
            trees.see(process, &Meaning::Parent(parent));
        }
        let names = Names::numbered(4);
        assert_eq!(trees.text(6, &names).as_deref(), Some("p3 (p1 (p2) p4)"));
        assert_eq!(trees.text(3, &names).as_deref(), Some("p3 (p2)"));
        assert_eq!(trees.text(4, &names), None);
    }
}
