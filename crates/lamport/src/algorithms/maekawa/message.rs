//! The messages of Maekawa's algorithm.

use common::process::Message;
use serde::{Deserialize, Serialize};

/// The algorithm's messages.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// The sender requests the critical section; the time is the same for all members of its quorum.
    Request(u64),
    /// The sender is locked for the receiver.
    Locked,
    /// The sender is locked for another request first.
    Failed,
    /// The sender, which is locked for the receiver, has an earlier request.
    Inquire,
    /// The receiver need not be locked for the sender now.
    Relinquish,
    /// The sender has exited the critical section.
    Release,
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::Request(_) => "request",
            Self::Locked => "locked",
            Self::Failed => "failed",
            Self::Inquire => "inquire",
            Self::Relinquish => "relinquish",
            Self::Release => "release",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Request(time) => format!("of {time}"),
            _ => String::new(),
        }
    }
}
