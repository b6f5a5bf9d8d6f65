//! The properties of an algorithm as a state of its own, which goes with every state of the processes: it sees each event,
//! and keeps of the past what decides about the properties.
//!
//! What decides is the same code as in [`verdict`](crate::verdict). Only mutual exclusion is another here: two processes
//! inside in one state violate it, while the verdict on one run asks whether the exit of one happened before the entry of the
//! other. If it did not, some interleaving has both inside, and the search finds it.

use crate::{
    algorithms::Algorithm,
    clock::Timestamp,
    ids::ProcessId,
    process::Meaning,
    property::Property,
    verdict::{
        clocks,
        order::{CausalOrder, Misdelivery, TotalOrder},
    },
};

/// What is known of the past.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct PropertyMonitor {
    /// The properties that the last step violated, a bit for each.
    violated: u32,
    history: History,
}

/// What decides about the properties of one kind of algorithm.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum History {
    /// Nothing.
    Clocks,
    /// Of mutual exclusion, a bit for each process: which is inside, which has a request open; and which request was granted
    /// last.
    Exclusion {
        inside: u16,
        open: u16,
        last: Option<Timestamp>,
        /// Whether that matters.
        by_time: bool,
    },
    /// Of totally ordered multicast.
    Total { multicasts: u16, order: TotalOrder },
    /// Of causally ordered multicast.
    Causal(CausalOrder),
}

impl PropertyMonitor {
    /// Nothing has happened yet.
    pub fn new(algorithm: Algorithm, processes: usize) -> Self {
        let history = match algorithm {
            Algorithm::Events => History::Clocks,
            Algorithm::Mutex | Algorithm::RicartAgrawala | Algorithm::Central => {
                History::Exclusion {
                    inside: 0,
                    open: 0,
                    last: None,
                    by_time: Property::monitored(algorithm).contains(&Property::TimestampOrder),
                }
            }
            Algorithm::Total => History::Total {
                multicasts: 0,
                order: TotalOrder::new(processes),
            },
            Algorithm::Causal => History::Causal(CausalOrder::new(processes)),
        };
        Self {
            violated: 0,
            history,
        }
    }

    /// The next step begins.
    pub fn step(&mut self) {
        self.violated = 0;
    }

    /// Whether the last step violated this property.
    pub fn violates(&self, property: Property) -> bool {
        self.violated & property.bit() != 0
    }

    /// Whether nothing is missing, should nothing more happen; nothing is expected of processes that crashed.
    pub fn complete(&self, processes: usize, crashed: u16) -> bool {
        let mut alive =
            ProcessId::all(processes).filter(|process| crashed >> process.index() & 1 == 0);
        match &self.history {
            History::Clocks => true,
            History::Exclusion { open, .. } => open & !crashed == 0,
            History::Total { multicasts, order } => {
                alive.all(|process| order.delivered(process) == usize::from(*multicasts))
            }
            History::Causal(order) => {
                alive.all(|process| order.delivered(process) == order.multicasts())
            }
        }
    }

    /// An event of a process whose clock showed `before` and shows `time` now; a message that it receives was sent at
    /// the time `sent`.
    pub fn see(
        &mut self,
        process: ProcessId,
        (before, time): (u64, u64),
        sent: Option<u64>,
        meaning: Option<&Meaning>,
    ) {
        let known = sent.into_iter().chain([before]).max().unwrap_or(before);
        let mut violated = bit_if(!clocks::advances(known, time), Property::Clocks);
        let stamp = Timestamp { time, process };
        match (&mut self.history, meaning) {
            (
                History::Exclusion {
                    inside,
                    open,
                    last,
                    by_time,
                },
                Some(meaning),
            ) => {
                let me = 1 << process.index();
                match meaning {
                    Meaning::Request => *open |= me,
                    Meaning::Exit(_) => *inside &= !me,
                    Meaning::Enter(request) => {
                        let together = *inside & !me != 0;
                        let late = last.is_some_and(|last| last > *request);
                        *inside |= me;
                        *open &= !me;
                        *last = by_time.then_some(*request);
                        violated |= bit_if(together, Property::MutualExclusion);
                        violated |= bit_if(late, Property::TimestampOrder);
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
            (History::Causal(order), Some(Meaning::Multicast(_))) => {
                order.multicast(stamp);
            }
            (History::Causal(order), Some(Meaning::Deliver(multicast, _))) => {
                let delivered = order.deliver(process, *multicast);
                violated |= misdelivery(delivered, Property::CausalOrder);
            }
            _ => {}
        }
        self.violated |= violated;
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
