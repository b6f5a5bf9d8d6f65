//! Who reaches whom in a wireless network, and the capacity of each process, such as what is left of its battery.

use std::sync::OnceLock;

use common::process::{Meaning, ids::ProcessId};

/// The capacities of the figure of van Steen & Tanenbaum, "Elections in wireless environments"; the eleventh process has the first
/// one again.
const CAPACITIES: [u32; 10] = [4, 6, 3, 2, 1, 2, 4, 8, 5, 4];

/// What the command line says of the network, for all processes that this program makes and for the commands that it prints. It is set
/// once, before the first of them, as the settings of a process have no place for it.
static GIVEN: OnceLock<Given> = OnceLock::new();

/// What the command line says of the network.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Given {
    /// The pairs of processes that reach each other; None is a grid.
    pub links: Option<Vec<(ProcessId, ProcessId)>>,
    /// The capacity of each process.
    pub capacities: Option<Vec<u32>>,
    /// The flags that say so, for a command that does the same again: ` --links p1-p2`.
    pub flags: String,
}

impl Given {
    /// Makes it the network of all processes that are made from now on. The first one stays.
    pub fn set(self) {
        // A program has one command line.
        let _ = GIVEN.set(self);
    }
}

/// The flags that give the present network; empty without any.
pub fn flags() -> &'static str {
    GIVEN.get().map_or("", |given| &given.flags)
}

/// A network of N processes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Network {
    capacities: Vec<u32>,
    /// The pairs of processes that reach each other.
    links: Vec<(ProcessId, ProcessId)>,
}

impl Network {
    /// The network that the command line gives, or a grid.
    pub fn of(processes: usize) -> Self {
        let given = GIVEN.get();
        let links = given.and_then(|given| given.links.clone());
        let is_there = |link: &(ProcessId, ProcessId)| link.0.max(link.1).index() < processes;
        let links = links.map(|links| links.into_iter().filter(is_there).collect());
        let capacities = given.and_then(|given| given.capacities.clone());
        let usual = (0..processes).map(|place| CAPACITIES[place % CAPACITIES.len()]);
        Self {
            capacities: capacities.unwrap_or_else(|| usual.collect()),
            links: links.unwrap_or_else(|| grid(processes)),
        }
    }

    /// The capacity of a process.
    pub fn capacity(&self, process: ProcessId) -> u32 {
        let capacity = self.capacities.get(process.index());
        capacity.copied().unwrap_or_default()
    }

    /// What a process says of itself.
    pub fn station(&self, process: ProcessId) -> Meaning {
        Meaning::Station(self.capacity(process), self.neighbours(process))
    }

    /// The processes that a process reaches, in their order.
    pub fn neighbours(&self, process: ProcessId) -> Vec<ProcessId> {
        let other = |link: &(ProcessId, ProcessId)| match link {
            (one, other) if *one == process => Some(*other),
            (one, other) if *other == process => Some(*one),
            _ => None,
        };
        let mut all: Vec<_> = self.links.iter().filter_map(other).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// The processes stand in rows, in a grid with at most as many rows as columns: each reaches those beside it, above it and below it.
fn grid(processes: usize) -> Vec<(ProcessId, ProcessId)> {
    let mut widths = 1..=processes;
    let width = widths.find(|width| width * width >= processes);
    let width = width.unwrap_or(1);
    let mut links = Vec::new();
    for place in 0..processes {
        let right = ((place + 1) % width > 0).then_some(place + 1);
        let others = [right, Some(place + width)].into_iter().flatten();
        let others = others.filter(|other| *other < processes);
        links.extend(others.map(|other| (ProcessId::at(place), ProcessId::at(other))));
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_grid_each_process_reaches_those_that_reach_it_and_all_are_connected() {
        for processes in 1..=16 {
            let network = Network::of(processes);
            let mut reached = vec![ProcessId(0)];
            for place in 0..processes {
                let Some(one) = reached.get(place).copied() else {
                    panic!("{processes}: {reached:?}");
                };
                for other in network.neighbours(one) {
                    let back = network.neighbours(other).contains(&one);
                    assert!(other != one && back, "{processes}: {one:?}");
                    if !reached.contains(&other) {
                        reached.push(other);
                    }
                }
            }
        }
        let five = Network::of(5);
        let of_p2 = five.neighbours(ProcessId(1));
        assert_eq!(of_p2, [ProcessId(0), ProcessId(2), ProcessId(4)]);
        assert_eq!(five.capacity(ProcessId(1)), 6);
    }
}
