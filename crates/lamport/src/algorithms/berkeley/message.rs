//! The messages of the Berkeley algorithm.

use common::process::{
    Message,
    physical::{Nanos, TimeOfDay},
};
use serde::{Deserialize, Serialize};

/// The algorithm's messages.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// The coordinator asks for the time in this round.
    Poll(u32),
    /// The time, in nanoseconds, in the round.
    Clock(u32, i64),
    /// By how much the receiver must adjust its clock in the round, and how far the result may be from the coordinator's clock.
    Adjust(u32, i64, i64),
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::Poll(_) => "poll",
            Self::Clock(..) => "clock",
            Self::Adjust(..) => "adjust",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Poll(round) => format!("round {round}"),
            Self::Clock(round, time) => format!("round {round}: {}", TimeOfDay(*time)),
            Self::Adjust(round, by, _) => format!("round {round}: by {}", Nanos(*by)),
        }
    }
}
