//! The orders of multicast (van Steen & Tanenbaum, "Ordered multicasting"), as automata that check each event. They check a
//! whole run (see `delivery`), and they are part of each state of the model checker.

use common::process::{clock::Timestamp, ids::ProcessId};
use smallvec::{SmallVec, smallvec};

/// Why a delivery violates the order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Misdelivery {
    /// Another process delivered another multicast at this position in its sequence.
    Differs(usize),
    /// The process had delivered it before.
    Duplicate,
    /// It happened after this multicast of this process, counted from 0, which the receiver has not delivered.
    Early(ProcessId, usize),
    /// No process multicast it.
    Unknown,
}

/// Total order: every process delivers the same sequence.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct TotalOrder {
    /// The longest sequence that a process has delivered.
    sequence: SmallVec<[Timestamp; 4]>,
    /// How many multicasts each process has delivered.
    delivered: SmallVec<[u32; 4]>,
    /// Whether two sequences differ. Then there is no common sequence that could contain a duplicate.
    differ: bool,
}

impl TotalOrder {
    /// For this number of processes.
    pub fn new(processes: usize) -> Self {
        Self {
            sequence: SmallVec::new(),
            delivered: smallvec![0; processes],
            differ: false,
        }
    }

    /// A process delivers a multicast.
    ///
    /// # Errors
    /// When another process delivered another multicast at this position, or the multicast was delivered before.
    pub fn deliver(&mut self, process: ProcessId, multicast: Timestamp) -> Result<(), Misdelivery> {
        let delivered = &mut self.delivered[process.index()];
        let position = *delivered as usize;
        *delivered += 1;
        match self.sequence.get(position) {
            Some(same) if *same == multicast => Ok(()),
            Some(_) => {
                self.differ = true;
                Err(Misdelivery::Differs(position))
            }
            None => {
                // A correct sequence is sorted, and needs no search.
                let sorted = self.sequence.last().is_none_or(|last| *last < multicast);
                let duplicate = !self.differ && !sorted && self.sequence.contains(&multicast);
                self.sequence.push(multicast);
                if duplicate {
                    return Err(Misdelivery::Duplicate);
                }
                Ok(())
            }
        }
    }

    /// How many multicasts a process has delivered.
    pub fn delivered(&self, process: ProcessId) -> usize {
        self.delivered[process.index()] as usize
    }

    /// Forgets the timestamps of what all processes have delivered, and visits the others' times.
    pub fn times(&mut self, visit: &mut dyn FnMut(&mut u64)) {
        let by_all = self.delivered.iter().min().copied().unwrap_or(0) as usize;
        for (place, multicast) in self.sequence.iter_mut().enumerate() {
            if place < by_all {
                (multicast.time, multicast.process) = (0, ProcessId(0));
            } else {
                visit(&mut multicast.time);
            }
        }
    }
}

/// Causal order (Birman, Schiper & Stephenson 1991): a multicast is delivered after all multicasts that its sender had
/// delivered or sent before it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct CausalOrder {
    /// How many multicasts of each process, from the first one on without a gap, each process has delivered; by receiver.
    delivered: Vec<Vec<u32>>,
    /// The multicasts delivered after a gap: the receiver, the sender, and the multicast's number. Sorted; empty while causal
    /// order holds.
    beyond: Vec<(ProcessId, ProcessId, u32)>,
    /// For each multicast, how many multicasts of each process its sender had delivered, including it. Sorted by timestamp, so
    /// that states that differ in the order of concurrent multicasts are equal.
    multicasts: Vec<(Timestamp, Vec<u32>)>,
}

impl CausalOrder {
    /// For this number of processes.
    pub fn new(processes: usize) -> Self {
        Self {
            delivered: vec![vec![0; processes]; processes],
            beyond: Vec::new(),
            multicasts: Vec::new(),
        }
    }

    /// A process multicasts.
    pub fn multicast(&mut self, stamp: Timestamp) {
        let me = stamp.process.index();
        let mut before = self.delivered[me].clone();
        // It need not have delivered its own last one.
        let mut earlier = self.multicasts.iter().rev();
        let last = earlier.find(|(other, _)| other.process == stamp.process);
        before[me] = before[me].max(last.map_or(0, |(_, before)| before[me])) + 1;
        self.insert(stamp, before);
    }

    /// A multicast whose send is not logged: it is assumed to be the sender's next one.
    pub fn assume(&mut self, stamp: Timestamp, receiver: ProcessId) {
        let from = stamp.process.index();
        let mut before = vec![0; self.delivered.len()];
        before[from] = self.delivered[receiver.index()][from] + 1;
        self.insert(stamp, before);
    }

    fn insert(&mut self, stamp: Timestamp, before: Vec<u32>) {
        let place = self.multicasts.partition_point(|(other, _)| *other < stamp);
        self.multicasts.insert(place, (stamp, before));
    }

    /// A process delivers a multicast.
    ///
    /// # Errors
    /// When it was delivered before, or the process has not delivered one that happened before it.
    pub fn deliver(&mut self, process: ProcessId, multicast: Timestamp) -> Result<(), Misdelivery> {
        let found = self
            .multicasts
            .binary_search_by_key(&multicast, |(stamp, _)| *stamp);
        let Ok(found) = found else {
            return Err(Misdelivery::Unknown);
        };
        let before = &self.multicasts[found].1;
        let delivered = &mut self.delivered[process.index()];
        let from = multicast.process;
        let number = before[from.index()];
        let this = (process, from, number);
        if number <= delivered[from.index()] || self.beyond.binary_search(&this).is_ok() {
            return Err(Misdelivery::Duplicate);
        }
        let mut had_and_has = before.iter().zip(&*delivered).enumerate();
        let missing = had_and_has.find(|(other, (had, has))| {
            let had = **had - u32::from(*other == from.index());
            had > **has
        });
        let missing = missing.map(|(other, (_, has))| (ProcessId::at(other), *has as usize));
        let next = &mut delivered[from.index()];
        if number > *next + 1 {
            let place = self.beyond.partition_point(|other| *other < this);
            self.beyond.insert(place, this);
        } else {
            *next += 1;
            while let Ok(place) = self.beyond.binary_search(&(process, from, *next + 1)) {
                self.beyond.remove(place);
                *next += 1;
            }
        }
        match missing {
            Some((other, number)) => Err(Misdelivery::Early(other, number)),
            None => Ok(()),
        }
    }

    /// Whether another multicast happened before this one.
    pub fn has_cause(&self, multicast: Timestamp) -> bool {
        let found = self
            .multicasts
            .binary_search_by_key(&multicast, |(stamp, _)| *stamp);
        found.is_ok_and(|found| self.multicasts[found].1.iter().sum::<u32>() > 1)
    }

    /// How many multicasts a process has delivered.
    pub fn delivered(&self, process: ProcessId) -> usize {
        let in_order = self.delivered[process.index()].iter();
        let beyond = self
            .beyond
            .iter()
            .filter(|(receiver, ..)| *receiver == process);
        in_order.map(|count| *count as usize).sum::<usize>() + beyond.count()
    }

    /// Visits the timestamps of the multicasts, which may change as long as those of each process keep their order.
    pub fn times(&mut self, visit: &mut dyn FnMut(&mut Timestamp)) {
        for (stamp, _) in &mut self.multicasts {
            visit(stamp);
        }
        self.multicasts.sort_by_key(|(stamp, _)| *stamp);
    }

    /// How many multicasts there are.
    pub fn multicasts(&self) -> usize {
        self.multicasts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_need_not_deliver_its_multicasts_before_it_sends_the_next() {
        let (p1, p2) = (ProcessId(0), ProcessId(1));
        let stamp = |time| Timestamp { time, process: p1 };
        let mut order = CausalOrder::new(2);
        order.multicast(stamp(1));
        order.multicast(stamp(2));
        for process in [p1, p2] {
            assert_eq!(order.deliver(process, stamp(1)), Ok(()));
            assert_eq!(order.deliver(process, stamp(2)), Ok(()));
        }
        assert_eq!(order.deliver(p2, stamp(2)), Err(Misdelivery::Duplicate));
        let mut order = CausalOrder::new(2);
        order.multicast(stamp(1));
        order.multicast(stamp(2));
        assert_eq!(order.deliver(p2, stamp(2)), Err(Misdelivery::Early(p1, 0)));
    }
}
