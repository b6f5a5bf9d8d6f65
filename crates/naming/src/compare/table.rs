//! The figures as a table, and as events.

use std::time::UNIX_EPOCH;

use common::{
    event::{Event, Kind, Time},
    journal::Journal,
    text::micros,
};

use super::measure::Row;

/// The two lines above the table.
const HEAD: [&str; 2] = [
    "  nodes scheme                    messages          hops        entries a node       delay          move   stale  names lost, one down",
    "                                mean     p99    mean   p99     mean      max     mean      p99    mean               any     busiest",
];

/// Prints what stands above the rows.
pub fn head(journal: &Journal) {
    for line in HEAD {
        record(journal, Event::new(Kind::Output).text(line));
    }
}

/// Prints a row.
pub fn row(row: &Row, journal: &Journal) {
    let mut event = Event::new(Kind::Report).text(line(row)).counts(counts(row));
    event.name = Some(row.scheme.word().to_owned());
    event.counts.extend(distribution(row));
    record(journal, event);
}

/// At no time of any clock: the same settings print the same bytes.
fn record(journal: &Journal, event: Event) {
    let time = Time::new(UNIX_EPOCH);
    journal.record(Event { time, ..event });
}

fn line(row: &Row) -> String {
    let (any, busiest) = match row.lost {
        Some((any, busiest)) => (percent(any), percent(busiest)),
        None => ("-".to_owned(), "-".to_owned()),
    };
    let moves = row
        .moves
        .map_or_else(|| "-".to_owned(), |mean| format!("{mean:.1}"));
    format!(
        "{:>7} {:<20} {:>8.1} {:>7} {:>7.2} {:>5} {:>8.1} {:>8} {:>8} {:>8} {:>7} {:>7} {:>10} {:>11}",
        row.nodes,
        row.scheme.word(),
        row.messages.mean,
        row.messages.p99,
        row.hops.mean,
        row.hops.p99,
        row.entries.0,
        row.entries.1,
        micros(row.delay.mean.round() as u64),
        micros(row.delay.p99),
        moves,
        percent(row.stale),
        any,
        busiest,
    )
}

fn percent(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0%".to_owned(),
        percent if percent < 0.01 => "<0.01%".to_owned(),
        percent if percent < 10.0 => format!("{percent:.2}%"),
        percent => format!("{percent:.1}%"),
    }
}

/// The figures as whole numbers: means in thousandths, shares in millionths.
fn counts(row: &Row) -> impl Iterator<Item = (&'static str, u64)> {
    let milli = |mean: f64| (mean * 1e3).round() as u64;
    let millionths = |share: f64| (share * 1e6).round() as u64;
    let always = [
        ("nodes", row.nodes as u64),
        ("lookups", row.lookups),
        ("messages_mean_milli", milli(row.messages.mean)),
        ("messages_p99", row.messages.p99),
        ("hops_mean_milli", milli(row.hops.mean)),
        ("hops_p99", row.hops.p99),
        ("entries_mean_milli", milli(row.entries.0)),
        ("entries_max", row.entries.1),
        ("delay_mean_us", row.delay.mean.round() as u64),
        ("delay_p99_us", row.delay.p99),
        ("stale_millionths", millionths(row.stale)),
    ];
    let moves = row
        .moves
        .map(|mean| ("move_messages_mean_milli", milli(mean)));
    let path = row.path.map(|mean| ("path_mean_milli", milli(mean)));
    let lost = row.lost.map(|(any, busiest)| {
        [
            ("lost_any_millionths", millionths(any)),
            ("lost_busiest_millionths", millionths(busiest)),
        ]
    });
    always
        .into_iter()
        .chain(moves)
        .chain(path)
        .chain(lost.into_iter().flatten())
}

/// The number of look-ups with each number of hops.
fn distribution(row: &Row) -> impl Iterator<Item = (String, u64)> {
    let counts = row.distribution.iter().enumerate();
    let counts = counts.filter(|(_, count)| **count > 0);
    counts.map(|(hops, count)| (format!("hops_{hops}"), *count))
}
