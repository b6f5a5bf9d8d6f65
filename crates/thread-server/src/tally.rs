//! The counts of a run: how many clients were accepted, and how each exchange ended.

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

use crate::{config::Model, outcome::Outcome};

/// The counts of a run. They are exact: every client was accepted, and its exchange ended with one outcome.
#[derive(Debug)]
pub struct Tally {
    model: Model,
    counts: Mutex<Counts>,
}

#[derive(Debug)]
struct Counts {
    accepted: u64,
    /// How many have, or had, a thread, a process or a state machine that serves them.
    begun: u64,
    answered: u64,
    /// How many were not answered, by kind of failure.
    failed: BTreeMap<String, u64>,
    unanswered: u64,
    most_at_once: u64,
    /// Threads or processes created to serve clients.
    created: u64,
    /// Microseconds from the accept to the first byte of the reply.
    first_byte: Histogram<u64>,
}

/// The number of kinds of failure that are counted separately; the others are counted as `other`.
const MOST_KINDS: usize = 20;

impl Tally {
    /// No client was accepted yet.
    pub fn new(model: Model) -> Self {
        // Up to a little more than a day, to two digits; longer times count as that.
        let first_byte = Histogram::new_with_bounds(1, 100_000_000_000, 2)
            .unwrap_or_else(|_| unreachable!("the bounds are sound"));
        Self {
            model,
            counts: Mutex::new(Counts {
                accepted: 0,
                begun: 0,
                answered: 0,
                failed: BTreeMap::new(),
                unanswered: 0,
                most_at_once: 0,
                created: 0,
                first_byte,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a client that was accepted.
    pub fn accepted(&self) {
        let mut counts = self.lock();
        counts.accepted += 1;
        // In a pool an accepted client waits for a worker.
        if self.model != Model::Pool {
            counts.begin();
        }
    }

    /// Counts a client that a worker of a pool begins to serve.
    pub fn begin(&self) {
        self.lock().begin();
    }

    /// Counts a thread or a process that was created to serve clients.
    pub fn created(&self) {
        self.lock().created += 1;
    }

    /// Counts how an exchange ended; `first_byte` is the time from the accept to the first byte of the reply.
    pub fn count(&self, outcome: &Outcome, first_byte: Option<Duration>) {
        let mut counts = self.lock();
        if let Some(time) = first_byte {
            let micros = whole_micros(time);
            counts.first_byte.saturating_record(micros);
        }
        match outcome {
            Ok(()) => counts.answered += 1,
            Err(failure) => {
                let kind = failure.kind();
                counts.unanswered += 1;
                let known = counts.failed.contains_key(kind) || counts.failed.len() < MOST_KINDS;
                let kind = if known { kind } else { "other" };
                *counts.failed.entry(kind.to_owned()).or_default() += 1;
            }
        }
    }

    /// The report on a request to stop, if there are clients to finish first.
    pub fn stopping(&self, grace: Duration) -> Option<Event> {
        let left = self.lock().in_progress();
        let (clients, grace) = (plural(left, "client"), Period(grace));
        let text =
            format!("stopping: finishing {clients} within {grace}; a second signal exits at once");
        (left > 0).then(|| Event::new(Kind::Report).text(text))
    }

    /// The counts as one line for people and by name for machines.
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
        let in_progress = match counts.in_progress() {
            0 => String::new(),
            some => format!(", {some} in progress"),
        };
        let created = match self.model {
            Model::Iterative | Model::EventDriven => "one thread for all".to_owned(),
            Model::ProcessPerConnection if counts.created == 1 => "1 process created".into(),
            Model::ProcessPerConnection => format!("{} processes created", counts.created),
            _ => plural(counts.created, "thread") + " created",
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
            "{beginning}: {}, {} answered, {} unanswered{kinds}{in_progress}; at most {} at once; {created}{first_byte}",
            plural(counts.accepted, "client"),
            counts.answered,
            counts.unanswered,
            counts.most_at_once,
        );
        let mut summary = Summary::done(text)
            .count("clients", counts.accepted)
            .count("answered", counts.answered)
            .count("unanswered", counts.unanswered)
            .count("in_progress", counts.in_progress())
            .count("most_at_once", counts.most_at_once)
            .count("created", counts.created);
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
    fn begin(&mut self) {
        self.begun += 1;
        let served = self.begun - self.answered - self.unanswered;
        self.most_at_once = self.most_at_once.max(served);
    }

    fn in_progress(&self) -> u64 {
        self.accepted - self.answered - self.unanswered
    }
}
