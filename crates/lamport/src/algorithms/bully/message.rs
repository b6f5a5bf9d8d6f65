//! The messages of the bully algorithm.

use common::process::Message;
use serde::{Deserialize, Serialize};

/// The algorithm's messages.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// The sender, which knows of this term, holds an election.
    Election(u64),
    /// The sender lives, and takes over.
    Answer,
    /// The sender leads in this term.
    Coordinator(u64),
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::Election(_) => "election",
            Self::Answer => "answer",
            Self::Coordinator(_) => "coordinator",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Election(term) | Self::Coordinator(term) => format!("term {term}"),
            Self::Answer => String::new(),
        }
    }
}
