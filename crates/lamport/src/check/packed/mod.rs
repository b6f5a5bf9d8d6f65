//! The processes' state space in few bytes: a state is the numbers of what it consists of, and each thread remembers what
//! follows from which numbers, so that most steps are a few look-ups.
//!
//! | module | job |
//! | --- | --- |
//! | `state` | a state, and its parts |
//! | `table` | numbers the parts |
//! | `unpack` | the numbers of the parts |
//! | `parts` | packs and unpacks a state, and computes what follows from its parts |
//! | `steps` | the steps from a state, many of them side by side |
//! | `memo` | what a thread remembers |
//! | `shared` | what one thread computes for all |

mod memo;
mod parts;
mod shared;
mod state;
mod steps;
mod table;
mod unpack;

use std::{
    fmt, mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use smallvec::SmallVec;
use stateright::Model;

use self::{
    memo::Memo,
    parts::{Changed, Reacted, Taken},
    shared::Shared,
    state::{Packed, Row, due, is_empty},
    steps::Move,
    table::Table,
};
use super::{
    monitor::{PropertyMonitor, Seen},
    reduction::Saving,
    search::{Fingerprint, Limits, Space, Successor},
    system::{FaultBudget, GlobalState, InFlight, Node, Step, System},
};
use crate::{
    process::{Stamped, To},
    property::Property,
    relevance::Relevance,
};

/// How many results of each kind a thread remembers at least and at most.
const REMEMBERED: (usize, usize) = (1 << 10, 1 << 18);

/// The bytes of what a thread remembers, a result of each kind.
const EACH: u64 = 4 * 32;

/// The messages that one step sends, in their order.
type Sent<M> = Vec<(To, Stamped<M>)>;

/// The state space of processes.
pub struct PackedSystem<'s, P: Relevance> {
    system: &'s System<P>,
    /// What a reduction saves.
    saving: Saving,
    properties: &'static [Property],
    nodes: Table<Arc<Node<P>>>,
    /// For each sender, its messages in flight.
    rows: Table<Row<P::Message>>,
    monitors: Table<PropertyMonitor>,
    messages: Table<Stamped<P::Message>>,
    sent: Table<Sent<P::Message>>,
    seen: Table<SmallVec<[Seen; 4]>>,
    /// By a node, and what it reacts to.
    reactions: Shared<Reacted>,
    /// How many results of each kind a thread remembers at most.
    most: usize,
    /// The bytes of what all threads remember.
    remembered: AtomicU64,
}

/// What a thread remembers.
pub struct Scratch<P: Relevance> {
    /// The state that was unpacked last.
    unpacked: Option<(Packed, GlobalState<P>)>,
    /// By a row, and which of its messages is taken.
    takes: Memo<Taken>,
    /// By a node, and what it reacts to.
    reactions: Memo<Reacted>,
    /// By a row, what is sent, and the crashed processes.
    sends: Memo<Changed>,
    /// By a monitor, and what it sees.
    sights: Memo<Changed>,
    /// The steps that are being taken.
    moves: Vec<Move>,
    /// How many of its bytes are counted.
    counted: usize,
}

impl<'s, P: Relevance> PackedSystem<'s, P> {
    /// The state space of this system, for a search with these limits.
    pub fn new(system: &'s System<P>, limits: &Limits) -> Self {
        // What the threads remember takes a quarter of the memory at most.
        let most = limits.memory / 4 / limits.workers.max(1) as u64 / EACH;
        let most = (most as usize).clamp(REMEMBERED.0, REMEMBERED.1);
        Self {
            system,
            saving: Saving::default(),
            properties: Property::monitored(system.algorithm),
            nodes: Table::new(|_| size_of::<Node<P>>() + 256),
            rows: Table::new(|row| row.len() * size_of::<InFlight<P::Message>>() + 64),
            monitors: Table::new(|_| 512),
            messages: Table::new(|_| 64),
            sent: Table::new(|sent| sent.len() * (size_of::<P::Message>() + 64)),
            seen: Table::new(|_| 64),
            reactions: Shared::new(),
            most: 1 << most.ilog2(),
            remembered: AtomicU64::new(0),
        }
    }

    /// What the reduction saved.
    pub fn saving(&self) -> &Saving {
        &self.saving
    }

    /// Whether there are no faults.
    fn is_reliable(&self) -> bool {
        self.system.budget == FaultBudget::default()
    }

    fn n(&self) -> usize {
        self.system.processes
    }
}

impl<P: Relevance> Scratch<P> {
    fn bytes(&self) -> usize {
        self.takes.bytes() + self.reactions.bytes() + self.sends.bytes() + self.sights.bytes()
    }
}

impl<P: Relevance> fmt::Debug for PackedSystem<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PackedSystem")
    }
}

impl<P: Relevance> fmt::Debug for Scratch<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scratch")
    }
}

impl<P> Space for PackedSystem<'_, P>
where
    P: Relevance + Sync,
    P::Message: Sync,
{
    type State = Packed;
    type Step = Step;
    type Scratch = Scratch<P>;

    fn scratch(&self) -> Scratch<P> {
        Scratch {
            unpacked: None,
            takes: Memo::new(self.most),
            reactions: Memo::new(self.most),
            sends: Memo::new(self.most),
            sights: Memo::new(self.most),
            moves: Vec::new(),
            counted: 0,
        }
    }

    fn initial(&self) -> Vec<Packed> {
        let states = self.system.init_states().into_iter();
        states.map(|state| self.pack(state, None)).collect()
    }

    fn steps(&self, packed: &Packed, scratch: &mut Scratch<P>, steps: &mut Vec<Step>) {
        if self.system.is_reduced {
            let state = self.unpacked(packed, scratch);
            self.system.reduced_steps(state, &self.saving, steps);
        } else {
            self.each_step(packed, |step| steps.push(step));
        }
    }

    fn next(&self, packed: &Packed, step: &Step, scratch: &mut Scratch<P>) -> Option<Packed> {
        if self.system.is_reduced {
            let state = self.unpacked(packed, scratch);
            let next = self.system.reduced_next(state, *step);
            return Some(self.pack(next, Some(packed)));
        }
        let mut next = [Successor {
            from: 0,
            choice: 0,
            state: *packed,
        }];
        self.take_all(&mut [Move::new(*step)], &mut next, scratch);
        Some(next[0].state)
    }

    fn successors(
        &self,
        states: &[(Fingerprint, Packed)],
        scratch: &mut Scratch<P>,
        found: &mut Vec<Successor<Packed>>,
    ) -> bool {
        if self.system.is_reduced {
            return false;
        }
        let mut moves = mem::take(&mut scratch.moves);
        for (from, (_, state)) in (0..).zip(states) {
            let mut choice = 0;
            self.each_step(state, |step| {
                moves.push(Move::new(step));
                found.push(Successor {
                    from,
                    choice,
                    state: *state,
                });
                choice += 1;
            });
        }
        self.take_all(&mut moves, found, scratch);
        moves.clear();
        scratch.moves = moves;
        let bytes = scratch.bytes();
        let grown = bytes - mem::replace(&mut scratch.counted, bytes);
        if grown > 0 {
            self.remembered.fetch_add(grown as u64, Ordering::Relaxed);
        }
        true
    }

    fn fingerprint(&self, packed: &Packed) -> Fingerprint {
        Fingerprint::new(packed.hash).unwrap_or(Fingerprint::MIN)
    }

    fn is_within(&self, _: &Packed) -> bool {
        true
    }

    fn properties(&self) -> usize {
        self.properties.len()
    }

    fn violated(&self, packed: &Packed) -> u32 {
        let violated = unpack::violated(packed.monitor);
        let (_, crashed) = packed.budget_and_crashed();
        let can_run = |index: usize| crashed >> index & 1 == 0 && due(packed.nodes[index]);
        let goes_on = |index: usize| !is_empty(packed.rows[index]) || can_run(index);
        if (0..self.n()).any(goes_on) {
            return violated;
        }
        let monitor = self.monitors.value(unpack::monitor(packed.monitor));
        if monitor.complete(self.n(), crashed) {
            return violated;
        }
        let properties = self.properties.iter().enumerate();
        let liveness = properties.filter(|(_, property)| property.is_liveness());
        liveness.fold(violated, |violated, (number, _)| violated | 1 << number)
    }

    fn bytes(&self) -> u64 {
        self.nodes.bytes()
            + self.rows.bytes()
            + self.monitors.bytes()
            + self.messages.bytes()
            + self.sent.bytes()
            + self.seen.bytes()
            + self.reactions.bytes()
            + self.remembered.load(Ordering::Relaxed)
    }

    fn is_full(&self) -> bool {
        self.nodes.is_full()
            || self.rows.is_full()
            || self.monitors.is_full()
            || self.messages.is_full()
            || self.sent.is_full()
            || self.seen.is_full()
    }
}
