//! A look-up under way, as the node keeps it that looks for something.

use std::fmt;

use common::process::ids::ProcessId;

use super::{messages::Record, settings::Peer};
use crate::{location::circle::Id, name::Name};

/// Why a node looks for the node that is responsible for an identifier.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Purpose {
    /// To get the record of this name: a look-up.
    Get(Name),
    /// To have this record of this name kept.
    Put(Name, Record),
    /// To find its own place in the ring.
    Join,
    /// To fill the finger with this index.
    Finger(u8),
}

/// A look-up under way.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Search {
    pub(super) id: Id,
    pub(super) purpose: Purpose,
    /// The node that is asked at present; None where nodes pass the request on.
    pub(super) asked: Option<Peer>,
    /// Nodes that did not answer.
    pub(super) avoided: Vec<ProcessId>,
}

impl Search {
    pub(super) fn is_look_up(&self) -> bool {
        matches!(self.purpose, Purpose::Get(_))
    }
}

/// What is looked for.
impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.purpose {
            Purpose::Get(name) | Purpose::Put(name, _) => write!(f, "{name} ({})", self.id),
            Purpose::Join => write!(f, "place {}", self.id),
            Purpose::Finger(index) => write!(f, "finger {}, {}", index + 1, self.id),
        }
    }
}
