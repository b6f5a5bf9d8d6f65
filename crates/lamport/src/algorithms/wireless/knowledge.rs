//! What a process of a wireless network knows: its neighbours, the terms, and who has acknowledged.

use common::process::{detector::Suspected, ids::ProcessId};

use super::{Wireless, message::Candidate, network::Network, place::Place, state::Election};
use crate::bug::Bug;

impl Wireless {
    /// A process of the network that knows its neighbours.
    pub(super) fn idle_at(me: ProcessId, processes: usize, bug: Option<Bug>) -> Self {
        let network = Network::of(processes);
        Self {
            me,
            processes,
            bug,
            capacity: network.capacity(me),
            neighbours: network.neighbours(me),
            suspected: Suspected::default(),
            term: 0,
            leader: None,
            place: Place::default(),
            election: None,
        }
    }

    /// The first of its own terms that is later than all that it knows of.
    pub(super) fn next_term(&self) -> u64 {
        let (own, all) = (self.me.index() as u64 + 1, self.processes as u64);
        let rounds = (self.term + all).saturating_sub(own) / all;
        own + rounds * all
    }

    /// An election in which it waits for these neighbours.
    pub(super) fn waits_for(&self, mut awaited: Vec<ProcessId>) -> Election {
        if self.bug == Some(Bug::NoAcknowledgement) && self.place.parent.is_some() {
            awaited.clear();
        }
        let best = (self.capacity, self.me);
        Election { awaited, best }
    }

    /// Knows of this term. Whether its leader, who is announced, is not known yet.
    pub(super) fn learns(&mut self, term: u64) -> bool {
        if term > self.term {
            (self.term, self.leader, self.place) = (term, None, Place::default());
        }
        term == self.term && self.leader.is_none()
    }

    /// A neighbour has acknowledged, with the best of its subtree if it is a child. Whether it was awaited.
    pub(super) fn has_acknowledged(&mut self, from: ProcessId, best: Option<Candidate>) -> bool {
        let election = self.election.as_mut();
        let is_awaited = election.is_some_and(|election| election.take(from, best));
        if is_awaited && best.is_some() {
            self.place.add(from);
        }
        is_awaited
    }
}
