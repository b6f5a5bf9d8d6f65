//! What a submission may use, and how much its processes use.

use std::collections::BTreeMap;

use common::sys::process_table::{self, Process, proportional};
use serde::{Deserialize, Serialize};

use crate::requirement::Limit;

/// What the processes of one submission may use at once.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Limits {
    /// Memory in bytes.
    pub memory: u64,
    /// Processes and threads.
    pub processes: u64,
    /// What it prints in one start, in bytes.
    pub output: u64,
    /// What it writes, in bytes.
    pub disk: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 512 << 20,
            processes: 256,
            output: 1 << 20,
            disk: 64 << 20,
        }
    }
}

impl Limits {
    /// The limit in words, of a submission that was ended at it.
    pub fn words(&self, limit: Limit) -> String {
        match limit {
            Limit::Memory => format!("its processes took more than {} MiB", self.memory >> 20),
            Limit::Processes => {
                format!("it had more than {} processes and threads", self.processes)
            }
            Limit::Disk => format!("it wrote more than {} MiB", self.disk >> 20),
            Limit::Output => format!("it printed more than {} KiB", self.output >> 10),
        }
    }

    /// The limit that this use is beyond.
    pub fn breached(&self, used: Use) -> Option<Limit> {
        match used {
            Use { tasks, .. } if tasks > self.processes => Some(Limit::Processes),
            Use { memory, .. } if memory > self.memory => Some(Limit::Memory),
            _ => None,
        }
    }
}

/// What processes use.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Use {
    /// Processes and threads.
    pub tasks: u64,
    /// Resident memory in bytes.
    pub memory: u64,
}

/// All processes that can be seen.
#[derive(Debug, Default)]
pub struct Processes {
    all: BTreeMap<u32, Process>,
    children: BTreeMap<u32, Vec<u32>>,
}

impl Processes {
    /// Reads them. One that ends meanwhile is left out.
    pub fn read() -> Self {
        let all = process_table::read();
        let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (number, process) in &all {
            children.entry(process.parent).or_default().push(*number);
        }
        Self { all, children }
    }

    /// The children of a process.
    pub fn children(&self, of: u32) -> &[u32] {
        self.children.get(&of).map_or(&[], Vec::as_slice)
    }

    /// The processes that descend from this one.
    pub fn descendants(&self, of: u32) -> Vec<u32> {
        let mut found = self.children(of).to_vec();
        let mut next = 0;
        while next < found.len() {
            found.extend(self.children(found[next]));
            next += 1;
        }
        found
    }

    /// What the descendants of a process use together. Memory that they share counts once for each; where that comes to
    /// more than `exact_above`, it counts once in all.
    pub fn used_below(&self, of: u32, exact_above: u64) -> Use {
        let below = self.descendants(of);
        let sum = |of: &dyn Fn(&u32) -> u64| below.iter().map(of).sum::<u64>();
        let mut used = Use {
            tasks: sum(&|number| self.all[number].tasks),
            memory: sum(&|number| self.all[number].resident),
        };
        if used.memory > exact_above {
            used.memory = sum(&|number| proportional(*number).unwrap_or(self.all[number].resident));
        }
        used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found_below_its_parent() {
        let processes = Processes::read();
        let own = std::process::id();
        let parent = processes.all[&own].parent;
        assert!(processes.descendants(parent).contains(&own));
        let memory = |exact_above| processes.used_below(parent, exact_above).memory;
        assert!(memory(u64::MAX) > 1 << 20 && memory(0) > 1 << 20);
    }

    #[test]
    fn the_first_limit_that_is_breached_is_named() {
        let limits = Limits::default();
        assert_eq!(
            limits.breached(Use {
                tasks: 256,
                memory: 1
            }),
            None
        );
        assert_eq!(
            limits.breached(Use {
                tasks: 257,
                memory: 1 << 40
            }),
            Some(Limit::Processes)
        );
        assert_eq!(
            limits.breached(Use {
                tasks: 1,
                memory: 1 << 40
            }),
            Some(Limit::Memory)
        );
    }
}
