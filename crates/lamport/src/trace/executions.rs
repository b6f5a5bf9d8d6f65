//! Executions: the processes of one run, and those that communicate, are of one execution.

use super::{EventId, Trace, matching::Links};
use hashbrown::HashMap;

/// Which processes are of one execution.
#[derive(Debug)]
pub struct Executions(Sets);

impl Executions {
    /// Before the first event: the processes of one run are of one execution.
    pub fn new(trace: &Trace) -> Self {
        let mut sets = Sets((0..trace.processes.len() as u32).collect());
        let mut first: HashMap<&str, u32> = HashMap::new();
        for (number, process) in (0..).zip(&trace.processes) {
            let first = *first.entry(process.run.as_str()).or_insert(number);
            sets.join(first, number);
        }
        Self(sets)
    }

    /// The next event.
    pub fn see(&mut self, trace: &Trace, links: &Links, event: EventId) {
        for link in links.to(event) {
            let process = |event: EventId| trace.events[event].process;
            self.0.join(process(link.from), process(link.to));
        }
    }

    /// The execution of each process, by the number of its first process.
    pub fn of_processes(mut self) -> Vec<u32> {
        let processes = 0..self.0.0.len() as u32;
        processes.map(|process| self.0.first(process)).collect()
    }
}

/// Disjoint sets of processes: each element refers to an earlier one of its set, the first to itself.
#[derive(Debug)]
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
}

impl Pairs {
    /// The share of concurrent pairs, in percent; None without a pair.
    pub fn concurrent(&self) -> Option<u64> {
        let concurrent = self.all.saturating_sub(self.ordered);
        (concurrent * 100).checked_div(self.all)
    }
}

/// Counts the pairs.
#[derive(Debug)]
pub struct PairCounter {
    /// The events of the computation of each process.
    events: Vec<u64>,
    ordered: u64,
    /// Whether a process has logged vectors, whose entries are not the numbers of its events.
    has_vectors: bool,
}

impl PairCounter {
    /// Before the first event.
    pub fn new(trace: &Trace) -> Self {
        Self {
            events: vec![0; trace.processes.len()],
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
        self.events[me] += 1;
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

    /// The result, where these are the executions of the processes.
    pub fn result(self, executions: &[u32]) -> Pairs {
        let mut events: HashMap<u32, (u64, u64)> = HashMap::new();
        for (own, execution) in self.events.iter().zip(executions) {
            // The pairs with events of the processes before it.
            let (pairs, before) = events.entry(*execution).or_default();
            *pairs += own * *before;
            *before += own;
        }
        Pairs {
            all: events.values().map(|(pairs, _)| pairs).sum(),
            ordered: self.ordered,
        }
    }
}
