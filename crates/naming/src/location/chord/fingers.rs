//! The finger table: for each power of two the first node at that distance or beyond.

use common::process::ids::ProcessId;

use super::settings::{Peer, Settings};
use crate::location::circle::{Circle, Id};

/// The finger table of a node. Neighbouring fingers are mostly the same node, above all those of small distances, so each node
/// is kept once with the first of its fingers. A finger that comes round to the node itself is not kept.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Fingers(Vec<(u8, Peer)>);

impl Fingers {
    /// The finger table of a member whose ring does not change: finger\[i\] = succ(p + 2^(i-1)).
    pub fn converged(me: Id, settings: &Settings) -> Self {
        let circle = settings.circle;
        let mut fingers = Self::default();
        let mut index = 0;
        while index < circle.bits() {
            let Some(finger) = settings.successor(circle.start(me, index)) else {
                break;
            };
            let distance = circle.distance(me, finger.id);
            if distance == 0 {
                break;
            }
            fingers.set(index, finger);
            // All fingers up to this node are the node.
            index = (Id::BITS - distance.leading_zeros()) as u8;
        }
        fingers
    }

    /// The finger with this index from 0, if it is known.
    pub fn get(&self, index: u8) -> Option<Peer> {
        let at = self.0.partition_point(|(first, _)| *first <= index);
        self.0.get(at.checked_sub(1)?).map(|(_, peer)| *peer)
    }

    /// The finger with this index is this node, and so are those above up to the next that is known.
    pub fn set(&mut self, index: u8, peer: Peer) {
        let at = self.0.partition_point(|(first, _)| *first < index);
        match self.0.get_mut(at) {
            Some((first, known)) if *first == index => *known = peer,
            _ => self.0.insert(at, (index, peer)),
        }
        self.0.dedup_by_key(|(_, peer)| peer.process);
    }

    /// A node has failed: its fingers are those of the one below.
    pub fn lost(&mut self, failed: ProcessId) {
        self.0.retain(|(_, peer)| peer.process != failed);
    }

    /// The finger nearest before the identifier that is not to be avoided (`closest_preceding_finger`).
    pub fn closest(
        &self,
        circle: Circle,
        me: Id,
        id: Id,
        avoided: impl Fn(Peer) -> bool,
    ) -> Option<Peer> {
        let all = self.0.iter().rev().map(|(_, peer)| *peer);
        let mut before = all.filter(|peer| circle.between(me, peer.id, id));
        before.find(|peer| !avoided(*peer))
    }

    /// The nodes in it.
    pub fn peers(&self) -> impl Iterator<Item = Peer> {
        self.0.iter().map(|(_, peer)| *peer)
    }
}
