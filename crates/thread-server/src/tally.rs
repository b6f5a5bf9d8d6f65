//! Counting what became of the clients.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use common::{config::Period, exit::Summary, text::plural};

use crate::config::Settings;

/// What became of one client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It spoke and was answered.
    Answered,
    /// It said nothing in the time it had.
    Silent,
    /// It closed the connection without a word.
    Vanished,
    /// The server stopped before it spoke.
    Stopped,
    /// The connection failed.
    Failed(String),
}

impl Outcome {
    /// What there is to complain about.
    pub fn trouble(&self, settings: &Settings) -> Option<String> {
        match self {
            Self::Answered => None,
            Self::Silent => Some(format!("said nothing for {}", Period(settings.timeout))),
            Self::Vanished => Some("left without a word".into()),
            Self::Stopped => Some(format!(
                "said nothing until {} after the stop",
                Period(settings.grace)
            )),
            Self::Failed(why) => Some(why.clone()),
        }
    }
}

/// The counts of a run. They are exact: every client began, and ended as one of the outcomes.
#[derive(Debug, Default)]
pub struct Tally {
    began: AtomicU64,
    ended: AtomicU64,
    answered: AtomicU64,
    most_at_once: AtomicU64,
}

impl Tally {
    /// A client came in. Called by one thread only, the one that accepts.
    pub fn began(&self) {
        self.began.fetch_add(1, Relaxed);
        self.most_at_once.fetch_max(self.in_hand(), Relaxed);
    }

    /// A client is done with.
    pub fn ended(&self, outcome: &Outcome) {
        if *outcome == Outcome::Answered {
            self.answered.fetch_add(1, Relaxed);
        }
        self.ended.fetch_add(1, Relaxed);
    }

    /// How many clients came in and are not done with.
    pub fn in_hand(&self) -> u64 {
        // Nobody ends who has not begun, so read in this order the difference is never negative.
        let ended = self.ended.load(Relaxed);
        self.began.load(Relaxed).saturating_sub(ended)
    }

    /// The last words, when every client has ended.
    pub fn summary(&self) -> Summary {
        let [clients, answered, most] =
            [&self.began, &self.answered, &self.most_at_once].map(|count| count.load(Relaxed));
        let unanswered = clients - answered;
        Summary::done(format!(
            "stopped: {}, {answered} answered, {unanswered} not; at most {most} at once",
            plural(clients, "client")
        ))
        .count("clients", clients)
        .count("answered", answered)
        .count("unanswered", unanswered)
        .count("most_at_once", most)
    }
}
