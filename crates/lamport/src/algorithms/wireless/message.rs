//! The messages of an election in a wireless network.

use common::process::{Message, ids::ProcessId};
use serde::{Deserialize, Serialize};

/// A candidate: its capacity, and the process; the greater one is the better one.
pub(super) type Candidate = (u32, ProcessId);

/// The algorithm's messages, with their term.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// The sender takes part in the election.
    Election(u64),
    /// The best of the sender's subtree; none from a process that has another parent.
    Acknowledgement(u64, Option<Candidate>),
    /// This process leads.
    Leader(u64, ProcessId),
}

impl Payload {
    /// The term of the election.
    pub fn term(&self) -> u64 {
        let (Self::Election(term) | Self::Acknowledgement(term, _) | Self::Leader(term, _)) = self;
        *term
    }
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::Election(_) => "election",
            Self::Acknowledgement(..) => "acknowledgement",
            Self::Leader(..) => "leader",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Election(term) => format!("term {term}"),
            Self::Acknowledgement(term, None) => format!("no child in term {term}"),
            Self::Acknowledgement(term, Some((capacity, process))) => {
                format!("{process} with {capacity} in term {term}")
            }
            Self::Leader(term, process) => format!("{process} in term {term}"),
        }
    }
}
