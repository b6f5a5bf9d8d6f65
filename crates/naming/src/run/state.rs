//! What a process tells its supervisor of itself: one line.

use std::fmt;

use common::process::node::Node;

use crate::location::{RingPlace, Scheme};

/// What a process says of itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct State {
    /// How many events it has had.
    pub(super) events: u64,
    /// Whether it takes part: in a ring, once it has joined.
    pub(super) is_member: bool,
    /// How many of its look-ups, and of the places that others have to store, wait for an answer.
    pub(super) open: usize,
    /// Whether all processes that respond have acknowledged its messages.
    pub(super) is_quiet: bool,
    /// In a ring, the node before it.
    pub(super) predecessor: Option<String>,
    /// In a ring, the nodes after it.
    pub(super) successors: Vec<String>,
}

impl State {
    pub(super) fn of<P: Scheme>(node: &Node<'_, P>) -> Self {
        let (process, names) = (node.process(), node.names());
        let name = |process| names.of(process).to_owned();
        let RingPlace {
            is_member,
            predecessor,
            successors,
        } = process.ring_place();
        Self {
            events: node.events(),
            is_member,
            open: process.unanswered(),
            is_quiet: node.is_quiet(),
            predecessor: predecessor.map(name),
            successors: successors.into_iter().map(name).collect(),
        }
    }

    /// Reads the line that is printed.
    pub(super) fn read(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let [
            events,
            membership,
            open,
            quiet,
            predecessor,
            successors @ ..,
        ] = &words[..]
        else {
            return None;
        };
        Some(Self {
            events: events.parse().ok()?,
            is_member: *membership == "member",
            open: open.parse().ok()?,
            is_quiet: *quiet == "quiet",
            predecessor: (*predecessor != "-").then(|| (*predecessor).to_owned()),
            successors: successors.iter().map(ToString::to_string).collect(),
        })
    }
}

/// `12 member 0 quiet p3 p1 p2`: events, membership, what is open, predecessor, successors.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let membership = if self.is_member { "member" } else { "outside" };
        let quiet = if self.is_quiet { "quiet" } else { "busy" };
        let before = self.predecessor.as_deref().unwrap_or("-");
        write!(
            f,
            "{} {membership} {} {quiet} {before}",
            self.events, self.open
        )?;
        self.successors
            .iter()
            .try_for_each(|name| write!(f, " {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_was_printed() {
        for line in ["12 member 0 quiet p3 p1 p2", "0 outside 7 busy -"] {
            assert_eq!(State::read(line).unwrap().to_string(), line);
        }
        assert_eq!(State::read("12 member"), None);
        assert_eq!(State::read("x member 0 quiet -"), None);
    }
}
