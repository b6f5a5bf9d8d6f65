//! A monitor of an algorithm's properties. It is part of each state of the model: it sees each event, and keeps the part of the
//! history on which the properties depend.
//!
//! The code that decides is that of [`verdict`](crate::verdict), except for mutual exclusion: here two processes inside in one
//! state violate it, while the verdict on one run requires that one's exit happened before the other's entry. If it did not,
//! some interleaving has both inside, and the search finds it.

use crate::{
    algorithms::Algorithm,
    clock::Timestamp,
    ids::ProcessId,
    process::Meaning,
    property::Property,
    verdict::{
        Exercise, clocks,
        order::{CausalOrder, Misdelivery, TotalOrder},
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
    /// Totally ordered multicast.
    Total { multicasts: u16, order: TotalOrder },
    /// Causally ordered multicast.
    Causal(CausalOrder),
}

impl PropertyMonitor {
    /// The monitor of the initial state.
    pub fn new(algorithm: Algorithm, processes: usize) -> Self {
        let history = match algorithm {
            Algorithm::Events => History::Clocks,
            Algorithm::Mutex | Algorithm::RicartAgrawala | Algorithm::Central => {
                History::Exclusion {
                    inside: 0,
                    pending: 0,
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

    /// Begins the next step.
    pub fn step(&mut self) {
        self.violated = 0;
    }

    /// Whether the last step violated this property.
    pub fn violates(&self, property: Property) -> bool {
        self.violated & property.bit() != 0
    }

    /// Whether the liveness properties hold if this state is final. Nothing is expected of processes that crashed.
    pub fn complete(&self, processes: usize, crashed: u16) -> bool {
        let mut alive =
            ProcessId::all(processes).filter(|process| crashed >> process.index() & 1 == 0);
        match &self.history {
            History::Clocks => true,
            History::Exclusion { pending, .. } => pending & !crashed == 0,
            History::Total { multicasts, order } => {
                alive.all(|process| order.delivered(process) == usize::from(*multicasts))
            }
            History::Causal(order) => {
                alive.all(|process| order.delivered(process) == order.multicasts())
            }
        }
    }

    /// An event of a process, whose clock was `before` and is `time` now; `sent` is the time of the message that it receives.
    /// Returns what the event exercises.
    pub fn see(
        &mut self,
        process: ProcessId,
        (before, time): (u64, u64),
        sent: Option<u64>,
        meaning: Option<&Meaning>,
    ) -> Exercise {
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
                if order.has_cause(*multicast) {
                    exercise |= Exercise::CAUSE_DELIVERED;
                }
                let delivered = order.deliver(process, *multicast);
                violated |= misdelivery(delivered, Property::CausalOrder);
            }
            _ => {}
        }
        self.violated |= violated;
        exercise
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
