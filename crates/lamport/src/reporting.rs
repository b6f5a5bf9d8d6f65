//! What a run of an algorithm reports, beside what every run does.

use common::{
    event::{Event, Kind},
    exit::Summary,
    process::{reliable_link::ChannelOrder, verdict::figures::Figures},
};

use crate::algorithms::Algorithm;

/// The count in the event `ready` of a process whose channels are not FIFO.
pub const UNORDERED: &str = "unordered";

/// The counts of a run in words.
pub fn words(algorithm: Algorithm, figures: &Figures) -> String {
    let mut words = figures.words();
    if figures.entries > 0 {
        let each = figures.sent as f64 / figures.entries as f64;
        let entries = match figures.entries {
            1 => "entry",
            _ => "entries",
        };
        words += &format!(", {} {entries}: {each:.1} messages each", figures.entries);
    }
    if matches!(algorithm, Algorithm::Total | Algorithm::Causal) {
        words += &format!(", {} delivered", figures.delivered);
    }
    words
}

/// Adds the counts of a run to those of a summary.
pub fn counted(figures: &Figures, summary: Summary) -> Summary {
    figures
        .counted(summary)
        .count("entries", figures.entries)
        .count("delivered", figures.delivered)
}

/// The event by which a process says which algorithm it runs.
pub fn ready(algorithm: Algorithm, order: ChannelOrder) -> Event {
    let unordered = (UNORDERED, u64::from(order == ChannelOrder::Unordered));
    Event::new(Kind::Ready)
        .algorithm(algorithm.word())
        .counts([unordered].into_iter().filter(|(_, count)| *count > 0))
}
