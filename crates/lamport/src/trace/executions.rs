//! Executions: the processes of one run, and those that communicate, are of one execution.

use super::{Trace, matching::Links};
use hashbrown::HashMap;

/// The execution of each process, by the number of its first process.
pub fn executions(trace: &Trace, links: &Links) -> Vec<u32> {
    let mut sets = Sets((0..trace.processes.len() as u32).collect());
    let mut first: HashMap<&str, u32> = HashMap::new();
    for (number, process) in (0..).zip(&trace.processes) {
        let first = *first.entry(process.run.as_str()).or_insert(number);
        sets.join(first, number);
    }
    for link in links.all() {
        let process = |event: usize| trace.events[event].process;
        sets.join(process(link.from), process(link.to));
    }
    (0..trace.processes.len() as u32)
        .map(|process| sets.first(process))
        .collect()
}

/// Disjoint sets of processes: each element refers to an earlier one of its set, the first to itself.
struct Sets(Vec<u32>);

impl Sets {
    fn first(&mut self, mut process: u32) -> u32 {
        while self.0[process as usize] != process {
            let next = self.0[process as usize];
            self.0[process as usize] = self.0[next as usize];
            process = next;
        }
        process
    }

    fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.first(one), self.first(other));
        self.0[one.max(other) as usize] = one.min(other);
    }
}

/// Pairs of events of different processes in one execution, and how many of them are ordered by happened-before.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Pairs {
    /// All pairs.
    pub all: u64,
    /// The ordered ones.
    pub ordered: u64,
    /// Whether a process has logged vectors, whose entries are not the numbers of its events.
    has_vectors: bool,
}

impl Pairs {
    /// Counts all pairs; [`Self::see`] adds the ordered ones.
    pub fn of(trace: &Trace, executions: &[u32]) -> Self {
        let mut events: HashMap<u32, (u64, u64)> = HashMap::new();
        for (process, execution) in trace.processes.iter().zip(executions) {
            let own = &trace.events[process.events.clone()];
            let own = own
                .iter()
                .filter(|event| event.kind.is_computation())
                .count() as u64;
            // The pairs with events of the processes before it.
            let (pairs, before) = events.entry(*execution).or_default();
            *pairs += own * *before;
            *before += own;
        }
        Self {
            all: events.values().map(|(pairs, _)| pairs).sum(),
            ordered: 0,
            has_vectors: trace.processes.iter().any(|process| process.vectors),
        }
    }

    /// The next event, with its vector timestamp.
    pub fn see(&mut self, trace: &Trace, event: usize, vector: &[u32]) {
        if !trace.events[event].kind.is_computation() {
            return;
        }
        let me = trace.events[event].process as usize;
        if !self.has_vectors {
            let all: u64 = vector.iter().map(|known| u64::from(*known)).sum();
            self.ordered += all - u64::from(vector[me]);
            return;
        }
        let others = vector
            .iter()
            .enumerate()
            .filter(|(process, _)| *process != me);
        self.ordered += others
            .map(|(process, known)| trace.known_events(process, *known))
            .sum::<u64>();
    }

    /// The share of concurrent pairs, in percent; None without a pair.
    pub fn concurrent(&self) -> Option<u64> {
        let concurrent = self.all.saturating_sub(self.ordered);
        (concurrent * 100).checked_div(self.all)
    }
}
