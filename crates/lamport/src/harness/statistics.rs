//! The statistics of a run: requests, messages, and latencies over time.

use std::time::Duration;

use common::text::{grouped, micros, plural, whole_micros};

/// The quantiles of the latencies that are reported.
pub(super) const QUANTILES: [(&str, f64); 4] = [
    ("median", 0.5),
    ("95 %", 0.95),
    ("99 %", 0.99),
    ("max", 1.0),
];

/// The most requests that are kept.
const MOST: usize = 1_000_000;

/// How a request ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ending {
    Ok,
    Error,
    None,
}

/// A request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// When it was made.
    pub(super) at: Duration,
    /// How long it took.
    pub(super) took: Duration,
    pub(super) ending: Ending,
}

/// The counts of a run.
#[derive(Debug, Default)]
pub(super) struct Statistics {
    pub(super) requests: Vec<Asked>,
    /// Messages that nodes sent to each other, and how many copies arrived.
    pub(super) sent: u64,
    pub(super) arrived: u64,
    /// Messages that the network lost, that it duplicated, and that arrived after a later one of their link.
    pub(super) lost: u64,
    pub(super) duplicated: u64,
    pub(super) reordered: u64,
    /// Messages that were lost because too many waited, or because their receiver was not there.
    pub(super) overfull: u64,
    pub(super) undeliverable: u64,
    /// Requests to services.
    pub(super) services: u64,
    /// Replies that came after the client had given up.
    pub(super) late: u64,
}

impl Statistics {
    /// A request has ended.
    pub(super) fn ended(&mut self, asked: Asked) {
        if self.requests.len() < MOST {
            self.requests.push(asked);
        }
    }

    /// How many requests ended so.
    pub(super) fn count(&self, ending: Ending) -> u64 {
        let requests = self.requests.iter();
        requests.filter(|asked| asked.ending == ending).count() as u64
    }

    /// The quantiles of the latencies of answered requests, in the order of [`QUANTILES`]; None if there are none.
    pub(super) fn latencies(&self) -> Option<[Duration; 4]> {
        let answered = self
            .requests
            .iter()
            .filter(|asked| asked.ending != Ending::None);
        let mut took: Vec<_> = answered.map(|asked| asked.took).collect();
        took.sort_unstable();
        let last = took.len().checked_sub(1)?;
        // The nearest rank: the smallest latency that this share of the requests did not exceed.
        Some(QUANTILES.map(|(_, share)| {
            took[((took.len() as f64 * share).ceil() as usize).clamp(1, last + 1) - 1]
        }))
    }

    /// The counts in words: requests, messages for each, latencies.
    pub(super) fn words(&self) -> Vec<String> {
        let asked = self.requests.len() as u64;
        let mut requests = format!(
            "{}: {} ok",
            plural(asked, "request"),
            grouped(self.count(Ending::Ok))
        );
        for (count, what) in [
            (self.count(Ending::Error), "with an error"),
            (self.count(Ending::None), "without an answer"),
            (self.late, "answered too late"),
        ] {
            if count > 0 {
                requests += &format!(", {} {what}", grouped(count));
            }
        }
        if let Some(latencies) = self.latencies() {
            let words = QUANTILES
                .iter()
                .zip(latencies)
                .map(|((name, _), latency)| format!("{name} {}", micros(whole_micros(latency))));
            requests += &format!("; latency {}", words.collect::<Vec<_>>().join(", "));
        }
        let mut messages = format!("{} between nodes", plural(self.sent, "message"));
        if asked > 0 {
            messages += &format!(", {:.1} for each request", self.sent as f64 / asked as f64);
        }
        for (count, what) in [
            (self.lost, "lost"),
            (self.duplicated, "duplicated"),
            (self.reordered, "out of order"),
            (self.undeliverable, "to a node that was not there"),
            (self.overfull, "dropped as too many waited"),
        ] {
            if count > 0 {
                messages += &format!(", {} {what}", grouped(count));
            }
        }
        if self.services > 0 {
            messages += &format!(", {} to services", plural(self.services, "request"));
        }
        vec![requests, messages]
    }

    /// The counts by name.
    pub(super) fn counts(&self) -> Vec<(&'static str, u64)> {
        let mut counts = vec![
            ("requests", self.requests.len() as u64),
            ("ok", self.count(Ending::Ok)),
            ("errors", self.count(Ending::Error)),
            ("unanswered", self.count(Ending::None)),
            ("late", self.late),
            ("sent", self.sent),
            ("received", self.arrived),
            ("lost", self.lost),
            ("duplicates", self.duplicated),
            ("reordered", self.reordered),
            ("undeliverable", self.undeliverable),
            ("dropped", self.overfull),
            ("service_requests", self.services),
        ];
        if let Some(latencies) = self.latencies() {
            let names = ["median_us", "p95_us", "p99_us", "max_us"];
            counts.extend(names.into_iter().zip(latencies.map(whole_micros)));
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_the_nearest_rank() {
        let mut statistics = Statistics::default();
        assert_eq!(statistics.latencies(), None);
        for millis in 1..=100 {
            let (at, took) = (Duration::ZERO, Duration::from_millis(millis));
            statistics.ended(Asked {
                at,
                took,
                ending: Ending::Ok,
            });
        }
        let millis = statistics.latencies().unwrap().map(|took| took.as_millis());
        assert_eq!(millis, [50, 95, 99, 100]);
    }
}
