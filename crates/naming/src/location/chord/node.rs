//! A node of the ring: its state.

use std::collections::BTreeMap;

use common::process::ids::ProcessId;

use super::{
    fingers::Fingers,
    messages::Record,
    neighbours::Neighbours,
    search::Search,
    settings::{LookUps, Peer, Rules},
    suspicion::Suspicion,
};
use crate::{
    location::{circle::Circle, entities::Entities, pending::Pending},
    name::Name,
};

/// Whether a process is in the ring.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Membership {
    /// It is not.
    Outside,
    /// It looks for its place by way of this process.
    Joining(ProcessId),
    /// It is.
    Member,
    /// It has left.
    Left,
    /// It cannot join: this process has the same identifier.
    Taken(ProcessId),
}

/// A node of the ring.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Chord {
    pub(super) neighbours: Neighbours,
    pub(super) fingers: Fingers,
    pub(super) membership: Membership,
    pub(super) circle: Circle,
    /// r, the length of a successor list.
    pub(super) length: usize,
    pub(super) rules: Rules,
    pub(super) look_ups: LookUps,
    pub(super) maintains: bool,
    pub(super) processes: usize,
    pub(super) contact: Option<ProcessId>,
    pub(super) entities: Entities,
    /// The records of the names whose successor this node is, and copies of those of the nodes before it.
    pub(super) records: BTreeMap<Name, Record>,
    /// The nodes that have copies of all records of this one.
    pub(super) copied_to: Vec<ProcessId>,
    /// Records that no node has taken yet.
    pub(super) unpublished: BTreeMap<Name, Record>,
    pub(super) next_finger: u8,
    pub(super) pending: Pending<Search>,
    pub(super) suspicion: Suspicion,
}

impl Chord {
    /// The circle of the identifiers.
    pub fn circle(&self) -> Circle {
        self.circle
    }

    /// Its ring pointers.
    pub fn neighbours(&self) -> &Neighbours {
        &self.neighbours
    }

    /// Its finger table.
    pub fn fingers(&self) -> &Fingers {
        &self.fingers
    }

    /// Whether it is in the ring.
    pub fn membership(&self) -> &Membership {
        &self.membership
    }

    /// The record of a name that it keeps.
    pub fn record(&self, name: &Name) -> Option<Record> {
        self.records.get(name).copied()
    }

    pub(super) fn me(&self) -> Peer {
        self.neighbours.me
    }

    /// Whether a message may name this process.
    pub(super) fn knows(&self, process: ProcessId) -> bool {
        process.index() < self.processes
    }

    pub(super) fn knows_all(&self, theirs: &Neighbours) -> bool {
        let all = theirs.predecessor.iter().chain(&theirs.successors);
        let mut all = all.map(|peer| peer.process);
        all.all(|process| self.knows(process))
    }

    pub(super) fn knows_place(&self, record: &Record) -> bool {
        record.at.is_none_or(|at| self.knows(at))
    }

    pub(super) fn is_member(&self) -> bool {
        self.membership == Membership::Member
    }
}
