//! For benchmarks of code: two ways to do the same, timed in turn, and a row of a table.
//!
//! A benchmark runs for long with `cargo bench`; in a test run, or with `--quick`, it shows only that it runs.

use std::{io::Write, time::Instant};

/// A table of what is compared.
#[derive(Debug)]
pub struct Table {
    /// Whether it is to show only that it runs.
    pub quick: bool,
}

impl Table {
    /// Begins a table: what the rows compare, what is counted, and what ours is compared with.
    pub fn new(what: &str, count: &str, theirs: &str) -> Self {
        let theirs = format!("ns {theirs}");
        let line = format!(
            "|{:-<48}|{:-<11}|{:-<9}|{:-<9}|{:-<7}|\n",
            "", "", "", "", ""
        );
        write(&format!(
            "| {what:46} | {count:9} | ns ours | {theirs:7} | ratio |\n{line}"
        ));
        let given = |what: &str| std::env::args().any(|argument| argument == what);
        Self {
            quick: !given("--bench") || given("--quick"),
        }
    }

    /// Measures both in turn, each doing the same so many times, and writes a row: the medians of their nanoseconds for
    /// one, and the median of how many times faster ours was.
    pub fn compare(
        &self,
        what: &str,
        count: usize,
        rounds: usize,
        ours: &mut dyn FnMut(),
        theirs: &mut dyn FnMut(),
    ) {
        let mut both: Vec<_> = (0..rounds)
            .map(|_| (time(count, ours), time(count, theirs)))
            .collect();
        let mut median = |figure: fn(&(f64, f64)) -> f64| {
            both.sort_by(|one, other| figure(one).total_cmp(&figure(other)));
            figure(&both[both.len() / 2])
        };
        let (ours, theirs, ratio) = (
            median(|both| both.0),
            median(|both| both.1),
            median(|both| both.1 / both.0),
        );
        write(&format!(
            "| {what:46} | {count:9} | {ours:7.1} | {theirs:7.1} | {ratio:5.2} |\n"
        ));
    }
}

/// Nanoseconds for each of so many.
fn time(count: usize, work: &mut dyn FnMut()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_nanos() as f64 / count as f64
}

fn write(text: &str) {
    std::io::stdout()
        .write_all(text.as_bytes())
        .expect("the output is read");
}
