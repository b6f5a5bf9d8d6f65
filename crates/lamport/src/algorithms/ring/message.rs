//! The messages of the election in a ring.

use common::process::{Message, ids::ProcessId};
use serde::{Deserialize, Serialize};

/// The algorithm's messages, with their term.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// This process is the greatest of those that the message has passed.
    Election(u64, ProcessId),
    /// This process leads.
    Elected(u64, ProcessId),
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::Election(..) => "election",
            Self::Elected(..) => "elected",
        }
    }

    fn text(&self) -> String {
        let (Self::Election(term, process) | Self::Elected(term, process)) = self;
        format!("{process} in term {term}")
    }
}
