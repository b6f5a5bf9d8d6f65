//! The messages of NTP's measurement.

use common::process::{Message, physical::TimeOfDay};
use serde::{Deserialize, Serialize};

/// The algorithm's messages.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// The sender asks for the time; with the number of its request.
    Request(u32),
    /// The response to the request of this number: T2 and T3.
    Response(u32, i64, i64),
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::Request(_) => "ntp-request",
            Self::Response(..) => "ntp-response",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Request(round) => format!("request {round}"),
            Self::Response(round, arrived, left) => {
                let (arrived, left) = (TimeOfDay(*arrived), TimeOfDay(*left));
                format!("request {round}: T2 {arrived}, T3 {left}")
            }
        }
    }
}
