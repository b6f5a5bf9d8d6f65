//! The messages of snapshots by vector time, with the transfers among which they are taken.

use common::process::Message;
use serde::{Deserialize, Serialize};

use crate::vector_clock::VectorClock;

/// A message of the algorithm, or a transfer.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Payload {
    /// The vector time of its sender.
    pub time: VectorClock,
    /// What it says.
    pub content: Content,
}

/// What a message says.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// The sender's transfer with this number, of this amount.
    Transfer(u32, u32),
    /// The sender has initiated a snapshot.
    Snapshot,
    /// The sender's balance in the receiver's snapshot with this number, and its surplus of sent transfers.
    Report(u64, i64, i64),
    /// A transfer of this amount was in transit to the sender in the receiver's snapshot with this number.
    InTransit(u64, u32),
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self.content {
            Content::Transfer(..) => "transfer",
            Content::Snapshot => "snapshot",
            Content::Report(..) => "report",
            Content::InTransit(..) => "in-transit",
        }
    }

    fn text(&self) -> String {
        let time = &self.time;
        match self.content {
            Content::Transfer(_, amount) | Content::InTransit(_, amount) => {
                format!("{time} {amount}")
            }
            Content::Snapshot => time.to_string(),
            Content::Report(_, balance, surplus) => format!("{time} {balance}, {surplus:+}"),
        }
    }
}
