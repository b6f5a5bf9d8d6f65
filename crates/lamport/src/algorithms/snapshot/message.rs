//! The messages of snapshots by markers, with the transfers among which they are taken.

use common::process::{Message, clock::Timestamp, ids::ProcessId};
use serde::{Deserialize, Serialize};

/// The algorithm's messages.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// The sender's transfer with this number, of this amount.
    Transfer(u32, u32),
    /// What follows in this channel was sent after the sender recorded its state for this snapshot.
    Marker(Timestamp),
    /// What the sender has recorded for this snapshot: its balance, and what was in transit to it.
    Report(Timestamp, i64, u32),
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::Transfer(..) => "transfer",
            Self::Marker(_) => "marker",
            Self::Report(..) => "report",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Transfer(_, amount) => amount.to_string(),
            Self::Marker(id) => format!("{} of {}", id.time, id.process),
            Self::Report(_, balance, 0) => balance.to_string(),
            Self::Report(_, balance, in_transit) => format!("{balance} + {in_transit}"),
        }
    }

    fn each_process(&mut self, visit: &mut dyn FnMut(&mut ProcessId)) {
        match self {
            Self::Transfer(..) => {}
            Self::Marker(id) | Self::Report(id, ..) => visit(&mut id.process),
        }
    }
}
