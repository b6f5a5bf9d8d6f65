//! How many events of each kind there were: the figures that every program has.

use std::time::Instant;

use crate::{
    event::{Event, Kind},
    exit::Summary,
    text::{micros, plural, whole_micros},
};

#[derive(Debug)]
pub(super) struct History {
    begun: Instant,
    counts: [u64; Kind::ALL.len()],
}

impl History {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            counts: [0; Kind::ALL.len()],
        }
    }

    pub(super) fn count(&mut self, kind: Kind) {
        self.counts[kind as usize] += 1;
    }

    /// The report of a program that has no figures of its own.
    pub(super) fn report(&self) -> Event {
        let elapsed = whole_micros(self.begun.elapsed());
        let kinds = || Kind::ALL.into_iter().zip(self.counts);
        let kinds = || kinds().filter(|(_, count)| *count > 0);
        let words: Vec<_> = kinds()
            .map(|(kind, count)| format!("{count} {}", kind.word()))
            .collect();
        let (all, after) = (self.counts.iter().sum(), micros(elapsed));
        let text = format!(
            "so far: {} after {after}: {}",
            plural(all, "event"),
            words.join(", ")
        );
        let mut summary = Summary::done(text).count("elapsed_us", elapsed);
        for (kind, count) in kinds() {
            summary = summary.count(kind.word(), count);
        }
        Event::report(&summary)
    }
}
