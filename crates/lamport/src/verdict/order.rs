//! The orders of multicast (van Steen & Tanenbaum, "Ordered multicasting"), decided event by event. The same automata
//! decide for a whole run (see `delivery`) and go with every state of the model checker.

use smallvec::{SmallVec, smallvec};

use crate::{clock::Timestamp, ids::ProcessId};

/// Why a delivery is wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Misdelivery {
    /// Another process delivered another multicast at this place of its sequence.
    Differs(usize),
    /// The process has delivered it before.
    Duplicate,
    /// The process has not delivered this multicast of a process, counted from 0, from which it follows.
    Early(ProcessId, usize),
    /// No process multicast it.
    Unknown,
}

/// Total order: every process delivers the same sequence.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct TotalOrder {
    /// What the process that is ahead has delivered.
    sequence: SmallVec<[Timestamp; 4]>,
    /// How many each process has delivered.
    delivered: SmallVec<[u32; 4]>,
    /// Whether two sequences differ. From then on there is no common sequence that could hold a multicast twice.
    differ: bool,
}

impl TotalOrder {
    /// Of so many processes.
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
    /// When it differs from what another process delivered at this place, or was delivered before.
    pub fn deliver(&mut self, process: ProcessId, multicast: Timestamp) -> Result<(), Misdelivery> {
        let delivered = &mut self.delivered[process.index()];
        let place = *delivered as usize;
        *delivered += 1;
        match self.sequence.get(place) {
            Some(same) if *same == multicast => Ok(()),
            Some(_) => {
                self.differ = true;
                Err(Misdelivery::Differs(place))
            }
            None => {
                // A correct sequence is sorted: nothing is looked for.
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
}

/// Causal order (Birman, Schiper & Stephenson 1991): a multicast is delivered after all that its sender had delivered or
/// multicast before it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct CausalOrder {
    /// How many multicasts of each process, from its first on without a gap, each process has delivered, by receiver.
    delivered: Vec<Vec<u32>>,
    /// Those delivered beyond a gap: the receiver, the sender, and the how many-th of its multicasts it is. Sorted; empty
    /// as long as causal order holds.
    beyond: Vec<(ProcessId, ProcessId, u32)>,
    /// For each multicast, how many multicasts of each process its sender had delivered, itself included; by timestamp, as
    /// the order of concurrent ones decides nothing.
    multicasts: Vec<(Timestamp, Vec<u32>)>,
}

impl CausalOrder {
    /// Of so many processes.
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
        before[me] += 1;
        self.insert(stamp, before);
    }

    /// A multicast whose send is not logged: all that is known of it is that there were those before it.
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
    /// When it was delivered before, or follows from one that the process has not delivered.
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

    /// How many multicasts a process has delivered.
    pub fn delivered(&self, process: ProcessId) -> usize {
        let in_order = self.delivered[process.index()].iter();
        let beyond = self
            .beyond
            .iter()
            .filter(|(receiver, ..)| *receiver == process);
        in_order.map(|count| *count as usize).sum::<usize>() + beyond.count()
    }

    /// How many multicasts there are.
    pub fn multicasts(&self) -> usize {
        self.multicasts.len()
    }
}
