//! Counting what became of the clients.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::{
    config::Period,
    event::{Event, Kind},
    exit::Summary,
    text::{micros, plural, whole_micros},
};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::config::{Model, Settings};

/// What became of one client.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
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

    /// The kind of failure, for counting; None when it is none.
    fn failure(&self) -> Option<&str> {
        match self {
            Self::Answered => None,
            Self::Silent => Some("silent"),
            Self::Vanished => Some("left without a word"),
            Self::Stopped => Some("cut off by the stop"),
            Self::Failed(why) => Some(why),
        }
    }
}

/// The counts of a run. They are exact: every client began, and ended as one of the outcomes.
#[derive(Debug)]
pub struct Tally {
    model: Model,
    counts: Mutex<Counts>,
}

#[derive(Debug)]
struct Counts {
    began: u64,
    answered: u64,
    /// Those who were not answered, by kind.
    failed: BTreeMap<String, u64>,
    not_answered: u64,
    most_at_once: u64,
    /// Threads or processes made to serve clients.
    made: u64,
    /// Microseconds from letting a client in to the first byte of its answer.
    first_byte: Histogram<u64>,
}

/// The kinds of failure are few; should the system find new words for each, the rest is counted as this.
const MOST_KINDS: usize = 20;

impl Tally {
    /// Nobody was there yet.
    pub fn new(model: Model) -> Self {
        // Up to a day and a bit, to three digits; what is beyond counts as the most.
        let first_byte = Histogram::new_with_bounds(1, 100_000_000_000, 2)
            .unwrap_or_else(|_| unreachable!("the bounds are sound"));
        Self {
            model,
            counts: Mutex::new(Counts {
                began: 0,
                answered: 0,
                failed: BTreeMap::new(),
                not_answered: 0,
                most_at_once: 0,
                made: 0,
                first_byte,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A client came in.
    pub fn began(&self) {
        let mut counts = self.lock();
        counts.began += 1;
        counts.most_at_once = counts.most_at_once.max(counts.in_hand());
    }

    /// A thread or a process was made to serve clients.
    pub fn made_one(&self) {
        self.lock().made += 1;
    }

    /// A client is done with; `first_byte` is the time from letting it in to the first byte of its answer.
    pub fn ended(&self, outcome: &Outcome, first_byte: Option<Duration>) {
        let mut counts = self.lock();
        if let Some(time) = first_byte {
            let micros = whole_micros(time);
            counts.first_byte.saturating_record(micros);
        }
        match outcome.failure() {
            None => counts.answered += 1,
            Some(kind) => {
                counts.not_answered += 1;
                let known = counts.failed.contains_key(kind) || counts.failed.len() < MOST_KINDS;
                let kind = if known { kind } else { "other" };
                *counts.failed.entry(kind.to_owned()).or_default() += 1;
            }
        }
    }

    /// What there is still to do before the server stops, if anything.
    pub fn stopping(&self, grace: Duration) -> Option<Event> {
        let left = self.lock().in_hand();
        let (clients, grace) = (plural(left, "client"), Period(grace));
        let text =
            format!("stopping: {clients} in hand, {grace} at most; a second signal ends at once");
        (left > 0).then(|| Event::new(Kind::Local).text(text))
    }

    /// What it has come to so far, or in all: for people and for machines.
    pub fn summary(&self, beginning: &str) -> Summary {
        let counts = self.lock();
        let kinds: Vec<_> = counts
            .failed
            .iter()
            .map(|(kind, times)| format!("{times} {kind}"))
            .collect();
        let kinds = if kinds.is_empty() {
            String::new()
        } else {
            format!(" ({})", kinds.join(", "))
        };
        let in_hand = match counts.in_hand() {
            0 => String::new(),
            some => format!(", {some} in hand"),
        };
        let made = match self.model {
            Model::Iterative | Model::EventDriven => "one thread for all".to_owned(),
            Model::ProcessPerConnection if counts.made == 1 => "1 process made".into(),
            Model::ProcessPerConnection => format!("{} processes made", counts.made),
            _ => plural(counts.made, "thread") + " made",
        };
        let percentile = |percent| counts.first_byte.value_at_quantile(percent / 100.0);
        let first_byte = match counts.first_byte.len() {
            0 => String::new(),
            1 => format!("; first byte after {}", micros(percentile(100.0))),
            _ => format!(
                "; first byte after {} (p50), {} (p99), {} (max)",
                micros(percentile(50.0)),
                micros(percentile(99.0)),
                micros(counts.first_byte.max())
            ),
        };
        let text = format!(
            "{beginning}: {}, {} answered, {} not{kinds}{in_hand}; at most {} at once; {made}{first_byte}",
            plural(counts.began, "client"),
            counts.answered,
            counts.not_answered,
            counts.most_at_once,
        );
        let mut summary = Summary::done(text)
            .count("clients", counts.began)
            .count("answered", counts.answered)
            .count("unanswered", counts.not_answered)
            .count("in_hand", counts.in_hand())
            .count("most_at_once", counts.most_at_once)
            .count("made", counts.made);
        for (kind, times) in &counts.failed {
            summary = summary.count(&format!("failed: {kind}"), *times);
        }
        if !counts.first_byte.is_empty() {
            for (name, percent) in [("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("max", 100.0)] {
                summary = summary.count(&format!("first_byte_{name}_us"), percentile(percent));
            }
        }
        summary
    }
}

impl Counts {
    fn in_hand(&self) -> u64 {
        self.began - self.answered - self.not_answered
    }
}
