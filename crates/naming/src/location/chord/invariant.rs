//! What must hold of a ring at every time, however far its maintenance has come (Zave 2017, "Reasoning about Identifier Spaces: How to
//! Make Chord Correct"): otherwise no maintenance repairs it.

use std::{collections::HashMap, fmt, iter};

use super::{neighbours::Neighbours, settings::Peer};
use crate::location::circle::Circle;

/// How a ring is broken.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Broken {
    /// No node of this one's list is alive.
    NoSuccessor(Peer),
    /// There are several rings.
    Rings(usize),
    /// The successors do not go round the circle once.
    Disordered,
}

/// How the ring of these live members is broken, if it is: every member has a live successor, and the first live ones make one ring
/// that goes round the circle once. Members may still be outside that ring, on their way into it.
pub fn broken(circle: Circle, members: &[&Neighbours]) -> Option<Broken> {
    let is_live = |peer: &Peer| members.iter().any(|member| member.me == *peer);
    if members.len() <= 1 {
        return None;
    }
    let mut next = HashMap::new();
    for node in members {
        let live = node.successors.iter().find(|peer| is_live(peer));
        match live {
            Some(successor) => next.insert(node.me, *successor),
            None => return Some(Broken::NoSuccessor(node.me)),
        };
    }
    // From every member as many steps as there are members end in a ring; its smallest node stands for it.
    let mut rings: Vec<Vec<Peer>> = Vec::new();
    for node in members {
        let in_ring = (0..next.len()).fold(node.me, |peer, _| next[&peer]);
        if !rings.iter().any(|ring| ring.contains(&in_ring)) {
            let rest = iter::successors(Some(next[&in_ring]), |peer| Some(next[peer]));
            let rest = rest.take_while(|peer| *peer != in_ring);
            rings.push(iter::once(in_ring).chain(rest).collect());
        }
    }
    let [ring] = &rings[..] else {
        return Some(Broken::Rings(rings.len()));
    };
    let turn: u128 = ring
        .iter()
        .map(|peer| u128::from(circle.distance(peer.id, next[peer].id)))
        .sum();
    (ring.len() > 1 && turn != u128::from(circle.last()) + 1).then_some(Broken::Disordered)
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuccessor(node) => write!(f, "{} has no live successor", node.id),
            Self::Rings(count) => write!(f, "there are {count} rings"),
            Self::Disordered => f.write_str("the ring does not go round the circle once"),
        }
    }
}
