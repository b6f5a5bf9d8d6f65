//! The ring pointers of a node, its predecessor and its successor list, and the rules by which they change. Pure functions: the
//! process and the model of the ring both use them.

use std::{fmt, iter};

use common::process::ids::ProcessId;
use serde::{Deserialize, Serialize};

use super::settings::{Peer, Rules};
use crate::location::circle::{Circle, Id};

/// The ring pointers of a node.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Neighbours {
    /// The node itself.
    pub me: Peer,
    /// The node before it, if it knows one.
    pub predecessor: Option<Peer>,
    /// The nodes after it, the next one first. It is not in it itself: an empty list is that of a node alone.
    pub successors: Vec<Peer>,
}

impl Neighbours {
    /// A node alone.
    pub fn alone(me: Peer) -> Self {
        Self {
            me,
            predecessor: None,
            successors: Vec::new(),
        }
    }

    /// The node after this one, which is itself when it is alone.
    pub fn successor(&self) -> Peer {
        self.successors.first().copied().unwrap_or(self.me)
    }

    /// Whether the identifier belongs to this node: it is in (predecessor, me]. Not known without a predecessor.
    pub fn is_mine(&self, circle: Circle, id: Id) -> Option<bool> {
        let predecessor = self.predecessor?;
        Some(circle.up_to(predecessor.id, id, self.me.id))
    }

    /// Takes a node for the successor, with what that has for its own successors. The list ends where it comes round to the
    /// node itself, as it does where the ring is shorter than the list, and before what is not in the order of the ring.
    pub fn adopt(&mut self, circle: Circle, successor: Peer, list: &[Peer], length: usize) {
        let mut last = 0;
        let all = iter::once(successor).chain(list.iter().copied());
        let ahead = all.take_while(|peer| {
            let distance = circle.distance(self.me.id, peer.id);
            distance > std::mem::replace(&mut last, distance)
        });
        self.successors = ahead.take(length).collect();
    }

    /// Whether the node would be a better successor than the present one.
    pub fn is_better(&self, circle: Circle, candidate: Peer) -> bool {
        circle.between(self.me.id, candidate.id, self.successor().id)
    }

    /// A node says that it may be the predecessor; returns whether it is from now on.
    pub fn notified(&mut self, circle: Circle, candidate: Peer) -> bool {
        let is_nearer = self
            .predecessor
            .is_none_or(|known| circle.between(known.id, candidate.id, self.me.id));
        let is_new = is_nearer && candidate.process != self.me.process;
        if is_new {
            self.predecessor = Some(candidate);
        }
        is_new
    }

    /// A node has failed: it is no neighbour any more.
    pub fn lost(&mut self, failed: ProcessId) {
        self.successors.retain(|peer| peer.process != failed);
        if self.predecessor.is_some_and(|peer| peer.process == failed) {
            self.predecessor = None;
        }
    }

    /// What a node knows that joins between `before` and the first of the successors of that node.
    pub fn joined(
        me: Peer,
        before: Peer,
        successors: &[Peer],
        circle: Circle,
        rules: Rules,
        length: usize,
    ) -> Self {
        let mut neighbours = Self::alone(me);
        let first = successors.first().copied().unwrap_or(before);
        match rules {
            Rules::Corrected => {
                let rest = successors.get(1..).unwrap_or_default();
                neighbours.adopt(circle, first, rest, length);
                // Where the ring is shorter than the list, the last of the list is the node before.
                if neighbours.successors.len() < length && !neighbours.successors.contains(&before)
                {
                    neighbours.successors.push(before);
                }
                neighbours.predecessor = Some(before);
            }
            Rules::Published => neighbours.adopt(circle, first, &[], length),
        }
        neighbours
    }
}

/// The predecessor, and the successors: `9, 12 20`.
impl fmt::Display for Neighbours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.predecessor {
            Some(peer) => write!(f, "{},", peer.id)?,
            None => f.write_str("none,")?,
        }
        self.successors
            .iter()
            .try_for_each(|peer| write!(f, " {}", peer.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(id: Id) -> Peer {
        Peer {
            id,
            process: ProcessId(id as u32),
        }
    }

    fn peers<const N: usize>(ids: [Id; N]) -> [Peer; N] {
        ids.map(peer)
    }

    #[test]
    fn a_list_ends_before_the_node_itself() {
        let circle = Circle::new(5);
        let mut node = Neighbours::alone(peer(9));
        node.adopt(circle, peer(12), &peers([20, 28, 9, 12]), 4);
        assert_eq!(node.successors, peers([12, 20, 28]));
        node.adopt(circle, peer(12), &peers([28, 20, 25]), 4);
        assert_eq!(node.successors, peers([12, 28]), "20 is not behind 28");
        node.adopt(circle, peer(12), &peers([20, 25, 30]), 3);
        assert_eq!(node.successors, peers([12, 20, 25]));
        node.lost(ProcessId(12));
        assert_eq!(node.successor(), peer(20));
    }

    #[test]
    fn only_a_nearer_node_becomes_predecessor() {
        let circle = Circle::new(5);
        let mut node = Neighbours::alone(peer(9));
        assert_eq!(node.is_mine(circle, 3), None);
        assert!(!node.notified(circle, peer(9)));
        assert!(node.notified(circle, peer(28)) && node.notified(circle, peer(4)));
        assert!(!node.notified(circle, peer(28)) && !node.notified(circle, peer(11)));
        assert_eq!(
            (node.is_mine(circle, 5), node.is_mine(circle, 4)),
            (Some(true), Some(false))
        );
    }

    #[test]
    fn who_joins_by_the_corrected_rules_has_a_whole_list() {
        let circle = Circle::new(5);
        let list = peers([12, 20, 25]);
        let corrected = Neighbours::joined(peer(10), peer(9), &list, circle, Rules::Corrected, 3);
        assert_eq!(
            (corrected.predecessor, &corrected.successors[..]),
            (Some(peer(9)), &list[..])
        );
        let original = Neighbours::joined(peer(10), peer(9), &list, circle, Rules::Published, 3);
        assert_eq!(
            (original.predecessor, &original.successors[..]),
            (None, &list[..1])
        );
        // Two become three, and one becomes two.
        let three = Neighbours::joined(peer(10), peer(9), &list[..1], circle, Rules::Corrected, 3);
        assert_eq!(three.successors, peers([12, 9]));
        let two = Neighbours::joined(peer(10), peer(9), &[], circle, Rules::Corrected, 3);
        assert_eq!(two.successors, peers([9]));
    }
}
