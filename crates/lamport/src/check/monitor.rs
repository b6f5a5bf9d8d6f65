//! A monitor of an algorithm's properties. It is part of each state of the model: it sees each event, and keeps the part of the
//! history on which the properties depend.
//!
//! The code that decides is that of [`verdict`](crate::verdict), except for mutual exclusion: here two processes inside in one
//! state violate it, while the verdict on one run requires that one's exit happened before the other's entry. If it did not,
//! some interleaving has both inside, and the search finds it.

use common::process::{
    Meaning,
    check::{
        monitor::{Known, Monitor, Seen},
        relevance::{Use, Visit},
    },
    clock::Timestamp,
    ids::ProcessId,
    property::Property,
    verdict::{clocks, exercise::Exercise},
};
use smallvec::{SmallVec, smallvec};

use crate::{
    algorithms::Algorithm,
    verdict::{
        commitment::Commitment,
        election::{Leaders, best},
        order::{CausalOrder, Misdelivery, TotalOrder},
        snapshot::{Cuts, Wrong},
        stations::Stations,
        synchrony::Synchrony,
    },
};

/// The monitor of a path.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct PropertyMonitor {
    /// The properties that the last step violated, a bit for each.
    violated: u32,
    history: History,
}

/// The part of the history on which the properties of a kind of algorithm depend.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum History {
    /// No history: only clocks are checked.
    Clocks,
    /// Mutual exclusion: the processes that are inside and those with a pending request, a bit for each; the last granted
    /// request.
    Exclusion {
        inside: u16,
        pending: u16,
        last: Option<Timestamp>,
        /// Whether requests must be granted in the order of their timestamps.
        by_time: bool,
    },
    /// Mutual exclusion, by what happened before what: the same for all orders of events that are concurrent.
    CausalExclusion {
        pending: u16,
        /// The last granted request; its process is the one that entered last.
        last: Option<Timestamp>,
        /// What each process knows of the last entry.
        known: SmallVec<[Known; 8]>,
        /// Whether requests must be granted in the order of their timestamps.
        by_time: bool,
    },
    /// Totally ordered multicast.
    Total { multicasts: u16, order: TotalOrder },
    /// Causally ordered multicast.
    Causal(CausalOrder),
    /// Elections.
    Election(Leaders),
    /// Elections in a wireless network.
    Wireless(Leaders, Stations),
    /// Distributed commit.
    Commitment(Commitment),
    /// Distributed snapshots.
    Snapshot(Cuts),
    /// Clock synchronization.
    Synchrony(Box<Synchrony>),
}

impl PropertyMonitor {
    /// The monitor of the initial state of a search that visits only one of the orders of concurrent events.
    pub fn causal(algorithm: Algorithm, processes: usize) -> Self {
        let mut monitor = Self::new(algorithm, processes);
        if let History::Exclusion { by_time, .. } = monitor.history {
            monitor.history = History::CausalExclusion {
                pending: 0,
                last: None,
                known: smallvec![Known::Nothing; processes],
                by_time,
            };
        }
        monitor
    }

    /// The monitor of the initial state of a search for lassos: it keeps only which obligations are not fulfilled, and what comes
    /// back.
    pub fn live(algorithm: Algorithm, processes: usize) -> Self {
        let mut monitor = Self::new(algorithm, processes);
        if let History::Exclusion { by_time, .. } = &mut monitor.history {
            *by_time = false;
        }
        monitor
    }

    /// Forgets what is known; what it was.
    #[cfg(test)]
    pub(super) fn take_known(&mut self) -> Vec<Known> {
        match &mut self.history {
            History::CausalExclusion { known, .. } => {
                known.iter_mut().map(std::mem::take).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether the last step violated any property.
    pub fn violates_any(&self) -> bool {
        self.violated != 0
    }

    /// The monitor of the initial state.
    pub fn new(algorithm: Algorithm, processes: usize) -> Self {
        let history = match algorithm {
            Algorithm::Events => History::Clocks,
            Algorithm::Mutex
            | Algorithm::RicartAgrawala
            | Algorithm::Central
            | Algorithm::TokenRing
            | Algorithm::Maekawa => History::Exclusion {
                inside: 0,
                pending: 0,
                last: None,
                by_time: algorithm.monitored().contains(&Property::TimestampOrder),
            },
            Algorithm::Total => History::Total {
                multicasts: 0,
                order: TotalOrder::new(processes),
            },
            Algorithm::Causal => History::Causal(CausalOrder::new(processes)),
            Algorithm::Bully | Algorithm::Ring => History::Election(Leaders::new(processes)),
            Algorithm::Wireless => {
                History::Wireless(Leaders::new(processes), Stations::new(processes))
            }
            Algorithm::TwoPhase | Algorithm::ThreePhase => {
                History::Commitment(Commitment::new(processes))
            }
            Algorithm::Snapshot | Algorithm::VectorSnapshot => {
                History::Snapshot(Cuts::new(processes))
            }
            Algorithm::Cristian | Algorithm::Berkeley | Algorithm::Ntp => {
                History::Synchrony(Box::new(Synchrony::new(algorithm, processes)))
            }
        };
        Self {
            violated: 0,
            history,
        }
    }
}

impl Monitor for PropertyMonitor {
    fn step(&mut self) {
        self.violated = 0;
    }

    fn violates(&self, property: Property) -> bool {
        self.violated & property.bit() != 0
    }

    /// A process that has crashed is in the critical section no more.
    fn crash(&mut self, process: ProcessId) {
        match &mut self.history {
            History::Exclusion { inside, .. } => *inside &= !(1 << process.index()),
            History::CausalExclusion {
                last: Some(last),
                known,
                ..
            } if last.process == process => known.fill(Known::Exited),
            _ => {}
        }
    }

    /// Whether the liveness properties hold if this state is final. Nothing is expected of processes that crashed.
    fn complete(&self, processes: usize, crashed: u16) -> bool {
        let mut alive =
            ProcessId::all(processes).filter(|process| crashed >> process.index() & 1 == 0);
        match &self.history {
            History::Clocks => true,
            History::Exclusion { pending, .. } | History::CausalExclusion { pending, .. } => {
                pending & !crashed == 0
            }
            History::Total { multicasts, order } => {
                alive.all(|process| order.delivered(process) == usize::from(*multicasts))
            }
            History::Causal(order) => {
                alive.all(|process| order.delivered(process) == order.multicasts())
            }
            History::Election(_) | History::Wireless(..) => self.unfulfilled(crashed) == 0,
            History::Commitment(commitment) => {
                alive.all(|process| commitment.open(process).is_none())
            }
            History::Snapshot(cuts) => alive.all(|process| cuts.pending(process).next().is_none()),
            History::Synchrony(clocks) => alive.all(|process| !clocks.waits(process)),
        }
    }

    /// An obligation to each process with a pending request; in an election, to each process that lives and has not agreed on
    /// the best.
    fn unfulfilled(&self, crashed: u16) -> u64 {
        let has_crashed = |process: ProcessId| crashed >> process.index() & 1 == 1;
        match &self.history {
            History::Exclusion { pending, .. } | History::CausalExclusion { pending, .. } => {
                (*pending).into()
            }
            History::Election(leaders) => {
                let best = best(leaders.processes(), has_crashed);
                leaders.disagreeing(&|_| best, &has_crashed)
            }
            History::Wireless(leaders, stations) => {
                let best = |process| Some(stations.best(process, &has_crashed));
                leaders.disagreeing(&best, &has_crashed)
            }
            History::Clocks
            | History::Total { .. }
            | History::Causal(_)
            | History::Commitment(_)
            | History::Snapshot(_)
            | History::Synchrony(_) => 0,
        }
    }

    fn see(&mut self, process: ProcessId, seen: &Seen) -> Exercise {
        let (before, time) = seen.clock;
        let meaning = seen.meaning.as_ref();
        let sent = seen.received.map(|received| received.sent);
        if let (Some(received), History::CausalExclusion { known, .. }) =
            (seen.received, &mut self.history)
        {
            let known = &mut known[process.index()];
            *known = received.known.max(*known);
        }
        let mut exercise = match sent {
            Some(_) => Exercise::RECEIVED,
            None => Exercise::default(),
        };
        if let Some(meaning) = meaning {
            exercise |= Exercise::of_meaning(process, meaning);
        }
        let known = sent.into_iter().chain([before]).max().unwrap_or(before);
        let mut violated = bit_if(!clocks::advances(known, time), Property::Clocks);
        let stamp = Timestamp { time, process };
        match (&mut self.history, meaning) {
            (
                History::Exclusion {
                    inside,
                    pending,
                    last,
                    by_time,
                },
                Some(meaning),
            ) => {
                let me = 1 << process.index();
                match meaning {
                    Meaning::Request => *pending |= me,
                    Meaning::Exit(_) => *inside &= !me,
                    Meaning::Enter(request) => {
                        let together = *inside & !me != 0;
                        let late = last.is_some_and(|last| last > *request);
                        if last.is_some() {
                            exercise |= Exercise::ENTRIES_COMPARED;
                        }
                        *inside |= me;
                        *pending &= !me;
                        *last = by_time.then_some(*request);
                        violated |= bit_if(together, Property::MutualExclusion);
                        violated |= bit_if(late, Property::TimestampOrder);
                    }
                    _ => {}
                }
            }
            (
                History::CausalExclusion {
                    pending,
                    last,
                    known,
                    by_time,
                },
                Some(meaning),
            ) => {
                let me = process.index();
                match (meaning, *last) {
                    (Meaning::Request, _) => *pending |= 1 << me,
                    (Meaning::Exit(_), Some(last)) if last.process == process => {
                        known[me] = Known::Exited;
                    }
                    (Meaning::Enter(request), before) => {
                        // Two entries that are not ordered are together in some order of events. All that are
                        // ordered have one order, in which timestamps are compared.
                        let others = before.filter(|last| last.process != process);
                        let together = others.is_some() && known[me] != Known::Exited;
                        let late = *by_time && before.is_some_and(|last| last > *request);
                        if *by_time && before.is_some() {
                            exercise |= Exercise::ENTRIES_COMPARED;
                        }
                        violated |= bit_if(together, Property::MutualExclusion);
                        violated |= bit_if(late, Property::TimestampOrder);
                        *pending &= !(1 << me);
                        let time = if *by_time { request.time } else { 0 };
                        *last = Some(Timestamp { time, process });
                        known.fill(Known::Nothing);
                    }
                    _ => {}
                }
            }
            (History::Total { multicasts, .. }, Some(Meaning::Multicast(_))) => {
                *multicasts += 1;
            }
            (History::Total { order, .. }, Some(Meaning::Deliver(multicast, _))) => {
                let delivered = order.deliver(process, *multicast);
                violated |= misdelivery(delivered, Property::SameSequence);
            }
            (History::Election(leaders), Some(meaning)) => {
                let is_second = leaders.step(process, meaning);
                violated |= bit_if(is_second, Property::OneLeader);
            }
            (History::Wireless(leaders, stations), Some(meaning)) => {
                stations.see(process, meaning);
                let is_second = leaders.step(process, meaning);
                violated |= bit_if(is_second, Property::OneLeader);
            }
            (History::Causal(order), Some(Meaning::Multicast(_))) => {
                order.multicast(stamp);
            }
            (History::Causal(order), Some(Meaning::Deliver(multicast, _))) => {
                if order.has_cause(*multicast) {
                    exercise |= Exercise::CAUSE_DELIVERED;
                }
                let delivered = order.deliver(process, *multicast);
                violated |= misdelivery(delivered, Property::CausalOrder);
            }
            (History::Commitment(commitment), Some(meaning)) => {
                let is_broken = commitment.step(process, meaning).is_err();
                violated |= bit_if(is_broken, Property::Atomicity);
            }
            (History::Snapshot(cuts), Some(meaning)) => {
                violated |= match cuts.step(process, meaning) {
                    Ok(()) => 0,
                    Err(Wrong::Inconsistent(_)) => Property::ConsistentCut.bit(),
                    Err(Wrong::NotConserved(..)) => Property::Conserved.bit(),
                };
            }
            (History::Synchrony(clocks), Some(Meaning::Clock(clock))) => {
                let found = clocks.step(process, clock);
                violated |= bit_if(found.error, Property::ClockError);
                violated |= bit_if(found.skew.is_some(), Property::ClockSkew);
                violated |= bit_if(found.outliers, Property::Outliers);
                violated |= bit_if(found.set_back, Property::ClockMonotonic);
            }
            _ => {}
        }
        self.violated |= violated;
        exercise
    }

    fn known(&self, process: ProcessId) -> Known {
        match &self.history {
            History::CausalExclusion { known, .. } => known[process.index()],
            _ => Known::Nothing,
        }
    }

    /// Visits the times in use; the timestamp of the last entry only if it is not the earliest anyway.
    fn times(&mut self, visit: Visit<'_>) {
        match &mut self.history {
            History::CausalExclusion {
                last: Some(last),
                by_time: true,
                ..
            } => visit(&mut last.time, Use::Bound),
            History::Total { order, .. } => order.times(&mut |time| visit(time, Use::Compared)),
            History::Causal(order) => {
                order.times(&mut |stamp| visit(&mut stamp.time, Use::Named(stamp.process)));
            }
            _ => {}
        }
    }

    /// Most times make no difference once the clock has advanced.
    fn relevant(mut seen: Seen) -> Option<Seen> {
        let (before, time) = seen.clock;
        let sent = seen.received.map_or(0, |received| received.sent);
        if !clocks::advances(before.max(sent), time) {
            return Some(seen);
        }
        let meaning = seen.meaning.as_mut()?;
        match meaning {
            Meaning::Local(_) | Meaning::Detect(_) => return None,
            // Its time is the multicast's.
            Meaning::Multicast(payload) => {
                payload.clear();
                seen.clock = (0, time);
            }
            Meaning::Deliver(_, output) => {
                output.clear();
                seen.clock = (0, 1);
            }
            _ => seen.clock = (0, 1),
        }
        seen.received = None;
        Some(seen)
    }
}

fn bit_if(violated: bool, property: Property) -> u32 {
    if violated { property.bit() } else { 0 }
}

/// The property that a delivery violates.
fn misdelivery(delivered: Result<(), Misdelivery>, order: Property) -> u32 {
    match delivered {
        Ok(()) => 0,
        Err(Misdelivery::Duplicate) => Property::DeliveredOnce.bit(),
        Err(_) => order.bit(),
    }
}
