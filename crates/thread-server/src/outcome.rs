//! How an exchange with a client ends.

use std::io;

use common::{config::Period, exit::why};
use serde::{Deserialize, Serialize};

use crate::config::Settings;

/// The client was answered, or why it was not.
pub type Outcome = Result<(), Unanswered>;

/// Why a client was not answered.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unanswered {
    /// It sent nothing within the timeout.
    Idle,
    /// It closed the connection without sending anything.
    Closed,
    /// It had sent nothing by the end of the grace time after a request to stop.
    Stopped,
    /// The connection failed.
    Failed(String),
}

impl Unanswered {
    /// The text of the warning about it.
    pub fn warning(&self, settings: &Settings) -> String {
        match self {
            Self::Idle => format!("sent nothing for {}", Period(settings.timeout)),
            Self::Closed => "closed without sending anything".into(),
            Self::Stopped => format!(
                "sent nothing until {} after the request to stop",
                Period(settings.grace)
            ),
            Self::Failed(why) => why.clone(),
        }
    }

    /// The kind of failure that it counts as.
    pub fn kind(&self) -> &str {
        match self {
            Self::Idle => "idle",
            Self::Closed => "closed without sending anything",
            Self::Stopped => "idle at the stop",
            Self::Failed(why) => why,
        }
    }
}

impl From<io::Error> for Unanswered {
    fn from(error: io::Error) -> Self {
        Self::Failed(why(&error))
    }
}
