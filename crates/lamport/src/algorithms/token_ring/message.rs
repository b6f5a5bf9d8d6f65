//! The messages of the token ring.

use common::process::{Message, ids::ProcessId};
use serde::{Deserialize, Serialize};

/// The generation of a token: the rounds before it, and the process that makes it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Generation(pub(super) u64, pub(super) ProcessId);

/// The algorithm's messages.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// The receiver has the token.
    Token(Generation),
    /// Tokens of earlier generations are to be discarded, if there is none.
    Regenerate(Generation),
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::Regenerate(_) => "regenerate",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Token(Generation(0, _)) => String::new(),
            Self::Token(Generation(rounds, by)) | Self::Regenerate(Generation(rounds, by)) => {
                format!("generation {rounds} of {by}")
            }
        }
    }
}
