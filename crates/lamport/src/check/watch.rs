//! What the algorithms promise, as a state of its own that goes with every state of the processes: it sees each event
//! and remembers of what happened only what decides about the promises.
//!
//! The promises are those that [`verdict`](crate::verdict) holds a whole run against, but for what is the network's here (the
//! channels) and what follows (equal accounts); and nobody expects that a process that is gone is still let in.

use smallvec::{SmallVec, smallvec};

use crate::{
    algorithms::Algorithm,
    clock::Timestamp,
    process::{Deed, ProcessId},
};

/// What can be broken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rule {
    /// A process's clock moves at every event, and past the time of a message that is received.
    Clock,
    /// At most one process is in the critical section.
    Exclusion,
    /// Whoever asks for it gets it.
    Granted,
    /// In the order of the requests' timestamps.
    InOrder,
    /// Everybody delivers the same multicasts in the same order.
    SameSequence,
    /// No multicast is delivered before what it follows from.
    CausalOrder,
    /// Everybody delivers every multicast.
    Delivered,
}

impl Rule {
    /// The name of the promise, the same as in a verdict.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clock => "clock condition",
            Self::Exclusion => "mutual exclusion",
            Self::Granted => "every request granted",
            Self::InOrder => "in timestamp order",
            Self::SameSequence => "same sequence",
            Self::CausalOrder => "causal order",
            Self::Delivered => "everything delivered",
        }
    }

    /// What the algorithm promises.
    pub fn of(algorithm: Algorithm) -> &'static [Self] {
        match algorithm {
            Algorithm::Events => &[Self::Clock],
            Algorithm::Mutex | Algorithm::RicartAgrawala => {
                &[Self::Clock, Self::Exclusion, Self::Granted, Self::InOrder]
            }
            Algorithm::Central => &[Self::Clock, Self::Exclusion, Self::Granted],
            Algorithm::Total => &[Self::Clock, Self::SameSequence, Self::Delivered],
            Algorithm::Causal => &[Self::Clock, Self::CausalOrder, Self::Delivered],
        }
    }
}

/// What is known of the past.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Watch {
    /// The rules that the last step broke, a bit for each.
    broken: u8,
    past: Past,
}

/// What decides about the promises of one kind of algorithm.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Past {
    /// Nothing.
    Clocks,
    /// Of mutual exclusion, a bit for each process: who is inside, who has asked; and which request was granted last.
    Exclusion {
        inside: u16,
        open: u16,
        last: Option<Timestamp>,
        /// Whether that matters.
        by_time: bool,
    },
    /// Of totally ordered multicast: what was delivered by whoever is ahead, and how many each has delivered.
    Total {
        multicasts: u16,
        sequence: SmallVec<[Timestamp; 4]>,
        done: SmallVec<[u16; 4]>,
    },
    /// Of causally ordered multicast: how many multicasts of each process each process has delivered, a row for each;
    /// and of each multicast, how many of each process its sender had delivered, itself included.
    Causal {
        delivered: Vec<Vec<u16>>,
        multicasts: Vec<(Timestamp, Vec<u16>)>,
    },
}

impl Watch {
    /// Nothing has happened yet.
    pub fn new(algorithm: Algorithm, processes: usize) -> Self {
        let past = match algorithm {
            Algorithm::Events => Past::Clocks,
            Algorithm::Mutex | Algorithm::RicartAgrawala | Algorithm::Central => Past::Exclusion {
                inside: 0,
                open: 0,
                last: None,
                by_time: Rule::of(algorithm).contains(&Rule::InOrder),
            },
            Algorithm::Total => Past::Total {
                multicasts: 0,
                sequence: SmallVec::new(),
                done: smallvec![0; processes],
            },
            Algorithm::Causal => Past::Causal {
                delivered: vec![vec![0; processes]; processes],
                multicasts: Vec::new(),
            },
        };
        Self { broken: 0, past }
    }

    /// The next step begins.
    pub fn step(&mut self) {
        self.broken = 0;
    }

    /// Whether the last step broke this rule.
    pub fn broke(&self, rule: Rule) -> bool {
        self.broken >> rule as u8 & 1 == 1
    }

    fn breaks(&mut self, rule: Rule) {
        self.broken |= 1 << rule as u8;
    }

    /// Whether nothing is missing, should nothing more happen; of those who are gone nobody expects anything.
    pub fn complete(&self, gone: u16) -> bool {
        let here = |process: &usize| gone >> process & 1 == 0;
        match &self.past {
            Past::Clocks => true,
            Past::Exclusion { open, .. } => open & !gone == 0,
            Past::Total {
                multicasts, done, ..
            } => (0..done.len())
                .filter(here)
                .all(|process| done[process] == *multicasts),
            Past::Causal {
                delivered,
                multicasts,
            } => (0..delivered.len()).filter(here).all(|process| {
                let delivered: u16 = delivered[process].iter().sum();
                usize::from(delivered) == multicasts.len()
            }),
        }
    }

    /// An event of a process whose clock showed `before` and shows `time` now; a message that it receives was sent at
    /// the time `sent`.
    pub fn see(
        &mut self,
        process: ProcessId,
        (before, time): (u64, u64),
        sent: Option<u64>,
        deed: Option<&Deed>,
    ) {
        if time <= before || sent.is_some_and(|sent| time <= sent) {
            self.breaks(Rule::Clock);
        }
        let stamp = Timestamp { time, process };
        let me = process.index();
        match (&mut self.past, deed) {
            (Past::Exclusion { open, .. }, Some(Deed::Request)) => *open |= 1 << me,
            (
                Past::Exclusion {
                    inside,
                    open,
                    last,
                    by_time,
                },
                Some(Deed::Enter(request)),
            ) => {
                let alone = *inside & !(1 << me) == 0;
                *inside |= 1 << me;
                *open &= !(1 << me);
                let overtaken = last.is_some_and(|last| last > *request);
                *last = by_time.then_some(*request);
                if !alone {
                    self.breaks(Rule::Exclusion);
                }
                if overtaken {
                    self.breaks(Rule::InOrder);
                }
            }
            (Past::Exclusion { inside, .. }, Some(Deed::Leave(_))) => *inside &= !(1 << me),
            (Past::Total { multicasts, .. }, Some(Deed::Multicast(_))) => *multicasts += 1,
            (Past::Total { sequence, done, .. }, Some(Deed::Deliver(multicast, _))) => {
                let next = usize::from(done[me]);
                done[me] += 1;
                match sequence.get(next) {
                    None => sequence.push(*multicast),
                    Some(same) if same == multicast => {}
                    Some(_) => self.breaks(Rule::SameSequence),
                }
            }
            (
                Past::Causal {
                    delivered,
                    multicasts,
                },
                Some(Deed::Multicast(_)),
            ) => {
                let mut before = delivered[me].clone();
                before[me] += 1;
                // Sorted: the order of concurrent ones decides nothing.
                let place = multicasts.partition_point(|(other, _)| *other < stamp);
                multicasts.insert(place, (stamp, before));
            }
            (
                Past::Causal {
                    delivered,
                    multicasts,
                },
                Some(Deed::Deliver(multicast, _)),
            ) => {
                let from = multicast.process.index();
                let known = multicasts.iter().find(|(stamp, _)| stamp == multicast);
                let early = known.is_none_or(|(_, before)| {
                    let mut before = before.iter().zip(&delivered[me]).enumerate();
                    before.any(|(process, (had, have))| had - u16::from(process == from) > *have)
                });
                delivered[me][from] += 1;
                if early {
                    self.breaks(Rule::CausalOrder);
                }
            }
            _ => {}
        }
    }
}
