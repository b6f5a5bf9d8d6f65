//! The numbers of all parts of states that the search has met, and what a thread remembers of them.

use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64},
};

use smallvec::SmallVec;

use super::{
    memo::Memo,
    shared::Shared,
    state::{Packed, Row},
    table::Table,
    work::{Changed, Move, Reacted, Taken},
};
use crate::process::{
    Stamped, To,
    check::{
        monitor::{Monitor, Seen},
        reduction::Saving,
        relevance::Relevance,
        search::Limits,
        system::{FaultBudget, GlobalState, InFlight, Node, System},
    },
    property::Property,
    reliable_link::ChannelOrder,
};

/// How many results of each kind a thread remembers at least and at most.
const REMEMBERED: (usize, usize) = (1 << 10, 1 << 18);

/// The bytes of what a thread remembers, a result of each kind.
const EACH: u64 = 4 * 32;

/// The messages that one step sends, in their order.
pub(super) type Sent<M> = Vec<(To, Stamped<M>)>;

/// The state space of processes.
pub struct PackedSystem<'s, P: Relevance, M> {
    pub(super) system: &'s System<P, M>,
    /// What a reduction saves.
    pub(super) saving: Saving,
    pub(super) properties: &'static [Property],
    pub(super) nodes: Table<Arc<Node<P>>>,
    /// For each sender, its messages in flight.
    pub(super) rows: Table<Row<P::Message>>,
    pub(super) monitors: Table<M>,
    pub(super) messages: Table<Stamped<P::Message>>,
    pub(super) sent: Table<Sent<P::Message>>,
    pub(super) seen: Table<SmallVec<[Seen; 4]>>,
    /// By a node, and what it reacts to.
    pub(super) reactions: Shared<Reacted>,
    /// How many results of each kind a thread remembers at most.
    pub(super) most: usize,
    /// The bytes of what all threads remember.
    pub(super) remembered: AtomicU64,
}

/// What a thread remembers.
pub struct Scratch<P: Relevance, M> {
    /// The state that was unpacked last.
    pub(super) unpacked: Option<(Packed, GlobalState<P, M>)>,
    /// By a row, and which of its messages is taken.
    pub(super) takes: Memo<Taken>,
    /// By a node, and what it reacts to.
    pub(super) reactions: Memo<Reacted>,
    /// By a row, what is sent, and the crashed processes.
    pub(super) sends: Memo<Changed>,
    /// By a monitor, and what it sees.
    pub(super) sights: Memo<Changed>,
    /// The steps that are being taken.
    pub(super) moves: Vec<Move>,
    /// How many of its bytes are counted.
    pub(super) counted: usize,
}

impl<'s, P: Relevance, M: Monitor> PackedSystem<'s, P, M> {
    /// The state space of this system, for a search with these limits.
    pub fn new(system: &'s System<P, M>, limits: &Limits) -> Self {
        // What the threads remember takes a quarter of the memory at most.
        let most = limits.memory / 4 / limits.workers.max(1) as u64 / EACH;
        let most = (most as usize).clamp(REMEMBERED.0, REMEMBERED.1);
        Self {
            system,
            saving: Saving::default(),
            properties: system.properties,
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

    /// Whether there are no faults, and only the first message of a channel is received next.
    pub(super) fn is_reliable(&self) -> bool {
        self.system.budget == FaultBudget::default() && self.system.order == ChannelOrder::Fifo
    }

    pub(super) fn n(&self) -> usize {
        self.system.processes
    }
}

impl<P: Relevance, M: Monitor> Scratch<P, M> {
    pub(super) fn bytes(&self) -> usize {
        self.takes.bytes() + self.reactions.bytes() + self.sends.bytes() + self.sights.bytes()
    }
}

impl<P: Relevance, M> fmt::Debug for PackedSystem<'_, P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PackedSystem")
    }
}

impl<P: Relevance, M> fmt::Debug for Scratch<P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scratch")
    }
}
