//! What the processes of a ring agree on: the circle, the lengths of their lists, the rules, and which of them are members from
//! the start.

use std::sync::Arc;

use clap::ValueEnum;
use common::process::ids::ProcessId;
use serde::{Deserialize, Serialize};

use crate::location::circle::{Circle, Id, MOST_BITS};

/// A process on the circle.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Peer {
    /// Its identifier.
    pub id: Id,
    /// The process.
    pub process: ProcessId,
}

/// The rules of ring maintenance (Zave 2017, "Reasoning about Identifier Spaces: How to Make Chord Correct"; Stoica et al. 2001).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Rules {
    /// As Zave corrects them: who joins takes over the whole
    /// successor list of the member before it, and a new successor is taken only once it has answered.
    #[default]
    Corrected,
    /// As Stoica et al. 2001 publish them: who joins knows its successor alone, and a successor's predecessor becomes the new
    /// successor unasked.
    Published,
}

impl Rules {
    /// The word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Corrected => "corrected",
            Self::Published => "published",
        }
    }
}

/// Who goes from node to node in a look-up.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum LookUps {
    /// The asker asks one node after another.
    #[default]
    Iterative,
    /// Each node passes the request on, and the last one answers the asker.
    Recursive,
}

/// What all processes of a ring are given.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The circle.
    pub circle: Circle,
    /// The length of a successor list, r. A record is at r nodes, so that r - 1 failures at once lose none.
    pub successors: usize,
    /// Who goes from node to node.
    pub look_ups: LookUps,
    /// The rules of maintenance.
    pub rules: Rules,
    /// The identifier of each process.
    pub ids: Arc<[Id]>,
    /// The members from the start, in the order of their identifiers, whose tables are as maintenance would make them. All other
    /// processes are outside until a command lets them join.
    pub ring: Arc<[Peer]>,
    /// The process that the others join by when they start; None when they wait for a command.
    pub contact: Option<ProcessId>,
    /// Whether the processes maintain the ring; without it nothing changes but by look-ups.
    pub maintain: bool,
}

/// The length of a successor list unless another is chosen.
pub const SUCCESSORS: usize = 4;

impl Settings {
    /// A ring of all N processes, each of which has the identifier of its name, p1, p2, …
    pub fn whole(processes: usize) -> Self {
        let circle = Circle::new(MOST_BITS);
        let ids = ProcessId::all(processes).map(|process| circle.id(&process.to_string()));
        Self::with_ids(circle, ids.collect())
    }

    /// A ring of processes with these identifiers.
    pub fn with_ids(circle: Circle, ids: Arc<[Id]>) -> Self {
        let peers = ids.iter().enumerate().map(|(index, id)| Peer {
            id: *id,
            process: ProcessId::at(index),
        });
        let mut ring: Vec<Peer> = peers.collect();
        ring.sort_unstable();
        Self {
            circle,
            successors: SUCCESSORS,
            look_ups: LookUps::default(),
            rules: Rules::default(),
            ids,
            ring: ring.into(),
            contact: None,
            maintain: false,
        }
    }

    /// The same with these members from the start.
    #[must_use]
    pub fn members(mut self, members: &[ProcessId]) -> Self {
        let ring = self
            .ring
            .iter()
            .filter(|peer| members.contains(&peer.process));
        self.ring = ring.copied().collect();
        self
    }

    /// The first member at or after this identifier; None without members.
    pub fn successor(&self, id: Id) -> Option<Peer> {
        let at = self.ring.partition_point(|peer| peer.id < id);
        self.ring.get(at).or(self.ring.first()).copied()
    }
}
