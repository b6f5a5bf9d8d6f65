//! The results of a load: counted while it runs, and summed up at its end.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use common::{
    exit::{Exit, Failure, Summary},
    text::{micros, plural, whole_micros},
};
use hdrhistogram::Histogram;

/// The maximum number of slices of the throughput's timeline.
const SLICES: usize = 1024;

/// The counts of a load that runs.
#[derive(Debug)]
pub struct Report {
    counts: Mutex<Counts>,
    under_way: AtomicU64,
    most_under_way: AtomicU64,
    /// How many exchanges have ended, answered or not.
    ended: AtomicU64,
    /// The microseconds until the last answer.
    answered_us: AtomicU64,
    /// With `--hold`, how many clients have connected, and the microseconds until the last of them had.
    connected: AtomicU64,
    connected_us: AtomicU64,
    /// In an open loop, how many exchanges no client was free to begin in time, and the longest delay in microseconds.
    late: AtomicU64,
    late_most_us: AtomicU64,
}

/// The counts of a load.
#[derive(Clone, Debug)]
pub struct Counts {
    /// Microseconds from the start of an exchange to its answer, of the answered ones.
    pub latency: Histogram<u64>,
    /// How many were answered in each slice of time.
    pub answered: Timeline,
    /// How many failed, by reason.
    pub failed: BTreeMap<String, u64>,
}

/// How many of something happened in each of a number of equal slices of time.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// The length of a slice.
    pub slice: Duration,
    /// The number in each.
    pub counts: Vec<u64>,
}

impl Timeline {
    fn new() -> Self {
        Self {
            slice: Duration::from_millis(50),
            counts: Vec::new(),
        }
    }

    /// Counts one more, at this time after the start. When there are too many slices, their length doubles.
    fn add(&mut self, after: Duration) {
        let index = |slice: Duration| (after.as_nanos() / slice.as_nanos()) as usize;
        while index(self.slice) >= SLICES {
            self.slice *= 2;
            self.counts = self
                .counts
                .chunks(2)
                .map(|pair| pair.iter().sum())
                .collect();
        }
        let index = index(self.slice);
        if self.counts.len() <= index {
            self.counts.resize(index + 1, 0);
        }
        self.counts[index] += 1;
    }
}

/// A report without any exchange.
impl Default for Report {
    fn default() -> Self {
        // Up to the longest timeout, to three digits.
        let latency = Histogram::new_with_bounds(1, 100_000_000_000, 3)
            .unwrap_or_else(|_| unreachable!("the bounds are sound"));
        Self {
            counts: Mutex::new(Counts {
                latency,
                answered: Timeline::new(),
                failed: BTreeMap::new(),
            }),
            under_way: AtomicU64::new(0),
            most_under_way: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            answered_us: AtomicU64::new(0),
            connected: AtomicU64::new(0),
            connected_us: AtomicU64::new(0),
            late: AtomicU64::new(0),
            late_most_us: AtomicU64::new(0),
        }
    }
}

impl Report {
    /// Counts an exchange that begins.
    pub fn begins(&self) {
        let now = 1 + self.under_way.fetch_add(1, Relaxed);
        self.most_under_way.fetch_max(now, Relaxed);
    }

    /// Counts an exchange that ended `at` this time after the start of the load, with this latency.
    pub fn ends(&self, ended: Result<(), &Failure>, at: Duration, latency: Duration) {
        self.under_way.fetch_sub(1, Relaxed);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match ended {
            Ok(()) => {
                let micros = whole_micros(latency);
                counts.latency.saturating_record(micros);
                counts.answered.add(at);
                self.answered_us.fetch_max(whole_micros(at), Relaxed);
            }
            Err(failure) => *counts.failed.entry(reason(failure)).or_default() += 1,
        }
        drop(counts);
        self.ended.fetch_add(1, Relaxed);
    }

    /// How many exchanges have ended.
    pub fn ended(&self) -> u64 {
        self.ended.load(Relaxed)
    }

    /// Counts a client that has connected, this time after the start.
    pub fn connects(&self, after: Duration) {
        self.connected_us.fetch_max(whole_micros(after), Relaxed);
        self.connected.fetch_add(1, Relaxed);
    }

    /// How many clients have connected, and the microseconds until the last of them had.
    pub fn connected(&self) -> (u64, u64) {
        (
            self.connected.load(Relaxed),
            self.connected_us.load(Relaxed),
        )
    }

    /// Counts an exchange that began this much later than scheduled; whether it is the first.
    pub fn begins_late(&self, late: Duration) -> bool {
        self.late_most_us.fetch_max(whole_micros(late), Relaxed);
        self.late.fetch_add(1, Relaxed) == 0
    }

    /// The summary of a load with `--hold`: how many of the clients connected. Those alone were under way at the same
    /// time, and how many the server holds cannot be told from how fast it answers them in the end.
    pub fn with_connected(&self, summary: Summary, clients: u64) -> Summary {
        let (connected, within) = self.connected();
        summary
            .count("clients", clients)
            .count("connected", connected)
            .count("connected_us", within)
            .count("under_way_most", connected)
    }

    /// The summary of a load whose exchanges begin when a client is free: how many the server served at once.
    ///
    /// Little's law (1961): the number served at once is the throughput times the time that serving takes. The shortest
    /// latency is that of an exchange that did not wait for others. After the last answer nothing is served, however long
    /// others wait for theirs.
    pub fn with_served_at_once(&self, summary: Summary) -> Summary {
        let latency = self.counts().latency;
        if latency.is_empty() {
            return summary;
        }
        let serving = self.answered_us.load(Relaxed).max(1) as f64;
        let at_once = latency.len() as f64 * latency.min() as f64 / serving;
        summary.count("served_at_once", at_once.round().max(1.0) as u64)
    }

    /// The summary of an open loop: how many exchanges began late because all clients were busy.
    pub fn with_late(&self, summary: Summary, clients: u64) -> Summary {
        summary
            .count("clients", clients)
            .count("late", self.late.load(Relaxed))
            .count("late_most_us", self.late_most_us.load(Relaxed))
    }

    /// The counts so far.
    pub fn counts(&self) -> Counts {
        self.counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The summary after this time. In a run that was `stopped`, exchanges without an answer are no failure.
    pub fn summary(&self, elapsed: Duration, stopped: bool) -> Summary {
        let counts = self.counts();
        let failed: u64 = counts.failed.values().sum();
        let answered = counts.latency.len();
        let per_second = answered as f64 / elapsed.as_secs_f64().max(1e-6);
        let elapsed_us = whole_micros(elapsed);
        let text = format!(
            "{} in {}: {} a second, {}",
            plural(answered, "exchange"),
            micros(elapsed_us),
            rate(per_second),
            failures(&counts.failed)
        );
        let mut summary = Summary::done(text)
            .exit(if failed > 0 && !stopped {
                Exit::No
            } else {
                Exit::Done
            })
            .count("exchanges", answered)
            .count("failed", failed)
            .count("elapsed_us", elapsed_us)
            .count("per_second", per_second.round() as u64)
            .count("under_way_most", self.most_under_way.load(Relaxed));
        for (reason, times) in &counts.failed {
            summary = summary.count(&format!("failed: {reason}"), *times);
        }
        if answered > 0 {
            summary = summary
                .count("latency_min_us", counts.latency.min())
                .count("latency_mean_us", counts.latency.mean().round() as u64);
            for (name, quantile) in QUANTILES {
                let value = counts.latency.value_at_quantile(quantile);
                summary = summary.count(&format!("latency_{name}_us"), value);
            }
        }
        summary
    }
}

/// The quantiles of the latency in a summary.
pub const QUANTILES: [(&str, f64); 5] = [
    ("p50", 0.5),
    ("p90", 0.9),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("max", 1.0),
];

/// A rate: a whole number, and below ten with one decimal unless that is 0.
fn rate(per_second: f64) -> String {
    let tenths = (per_second * 10.0).round();
    if tenths < 100.0 && tenths % 10.0 != 0.0 {
        format!("{:.1}", tenths / 10.0)
    } else {
        format!("{per_second:.0}")
    }
}

/// The reason of a failure without the hint that follows it.
pub fn reason(failure: &Failure) -> String {
    failure.why.split("; ").next().unwrap_or_default().into()
}

/// `none failed`, or how many and why.
pub fn failures(by_reason: &BTreeMap<String, u64>) -> String {
    let failed: u64 = by_reason.values().sum();
    if failed == 0 {
        return "none failed".into();
    }
    let reasons: Vec<_> = by_reason
        .iter()
        .map(|(reason, times)| format!("{reason} ({times})"))
        .collect();
    format!("{failed} failed: {}", reasons.join(", "))
}

/// How many of the clients of a load with `--hold` connected, and within how many microseconds, as a sentence.
pub fn who_connected(connected: u64, clients: u64, within_us: u64) -> String {
    let all = plural(clients, "client");
    connected_in_words((connected, clients), within_us, (&all, &all), " connected")
}

/// The same, where `all` are the words for all of them: as a count, and in a sentence about them.
fn connected_in_words(
    (connected, clients): (u64, u64),
    within_us: u64,
    (all, whole): (&str, &str),
    verb: &str,
) -> String {
    let within = micros(within_us);
    match connected {
        0 => format!("none of {all}{verb}"),
        _ if connected == clients => format!("{whole}{verb} within {within}"),
        _ => format!("{connected} of {all}{verb} within {within}"),
    }
}

/// The lines for people, from the counts of a summary.
pub fn lines(text: &str, counts: &BTreeMap<String, u64>) -> String {
    let count = |name: &str| counts.get(name).copied().unwrap_or_default();
    let mut lines = text.to_owned();
    if let Some(connected) = counts.get("connected") {
        let clients = count("clients");
        let (numbers, all) = ((*connected, clients), clients.to_string());
        let who = connected_in_words(numbers, count("connected_us"), (&all, "all"), "");
        lines += &format!("\nconnected  {who}");
    }
    if count("exchanges") > 0 {
        let latencies = QUANTILES
            .iter()
            .map(|(name, _)| format!("{name} {}", micros(count(&format!("latency_{name}_us")))));
        lines += &format!("\nlatency    {}", latencies.collect::<Vec<_>>().join("   "));
        lines += &format!("\nat once    {} under way at most", count("under_way_most"));
        if let Some(served) = counts.get("served_at_once") {
            lines += &format!("; the server served about {served} at once");
        }
    }
    if count("late") > 0 {
        lines += &format!(
            "\nlate       {} of {} began late, by {} at most: all {} were busy; the latencies include the wait",
            count("late"),
            plural(count("exchanges") + count("failed"), "exchange"),
            micros(count("late_most_us")),
            plural(count("clients"), "client"),
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeline_is_bounded_and_counts_all() {
        let mut timeline = Timeline::new();
        for millis in 0..1_000_000_u64 {
            timeline.add(Duration::from_millis(millis));
        }
        assert_eq!(timeline.counts.iter().sum::<u64>(), 1_000_000);
        assert_eq!(timeline.slice, Duration::from_millis(1600));
        assert!(timeline.counts[..625].iter().all(|count| *count == 1600));
        assert!(timeline.counts.len() <= SLICES);
    }

    #[test]
    fn the_servers_concurrency_is_estimated() {
        let report = Report::default();
        // Four clients of a server that serves them one after another, for 20 ms each.
        for _ in 0..4 {
            report.begins();
        }
        for number in 1..=4 {
            let time = Duration::from_millis(20 * number);
            report.ends(Ok(()), time, time);
        }
        let summary = report.summary(Duration::from_millis(80), false);
        let summary = report.with_served_at_once(summary);
        assert_eq!(
            (
                summary.counts["under_way_most"],
                summary.counts["served_at_once"]
            ),
            (4, 1)
        );
        assert_eq!(summary.exit, Exit::Done);
    }

    #[test]
    fn one_that_waits_in_vain_does_not_lower_the_servers_concurrency() {
        let report = Report::default();
        (0..21).for_each(|_| report.begins());
        let time = Duration::from_millis(100);
        (0..20).for_each(|_| report.ends(Ok(()), time, time));
        let (late, timeout) = (
            Failure::no("server", "no answer in time"),
            Duration::from_secs(10),
        );
        report.ends(Err(&late), timeout, timeout);
        let summary = report.summary(timeout, false);
        let summary = report.with_served_at_once(summary);
        assert_eq!(summary.counts["served_at_once"], 20);
        assert_eq!(summary.counts["per_second"], 2);
    }

    #[test]
    fn a_rate_is_shown_as_it_is() {
        let rates = [0.0, 0.44, 2.5, 2.96, 9.97, 10.04, 1234.6].map(rate);
        assert_eq!(rates, ["0", "0.4", "2.5", "3", "10", "10", "1235"]);
    }
}
