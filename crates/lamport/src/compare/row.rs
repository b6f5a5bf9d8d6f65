//! What is measured of an algorithm with a number of processes: a row of the table.

use common::event::{Event, Kind};

use crate::algorithms::Algorithm;

/// The messages of an algorithm.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The number of processes.
    pub processes: usize,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The mean of each of the two cases.
    pub measured: [f64; 2],
    /// The best and the worst case as published; the worst may have no bound.
    pub published: (f64, Option<f64>),
}

impl Row {
    /// What stands above the rows.
    pub fn head(unit: &str, cases: [&str; 2]) -> [String; 2] {
        let [one, other] = cases;
        [
            format!("processes  algorithm        {unit}, measured       as published"),
            format!(
                "                           {one:>14} {other:>14} {:>9} {:>9}",
                "best", "worst"
            ),
        ]
    }

    /// The row as an event.
    pub fn event(&self) -> Event {
        let [one, other] = self.measured;
        let (best, worst) = self.published;
        let shown = |figure: f64| match figure.fract().abs() < 1e-9 {
            true => format!("{figure:.0}"),
            false => format!("{figure:.2}"),
        };
        let text = format!(
            "{:>9}  {:<15} {:>14} {:>14} {:>9} {:>9}",
            self.processes,
            self.algorithm.word(),
            shown(one),
            shown(other),
            shown(best),
            worst.map_or_else(|| "∞".to_owned(), shown)
        );
        // The figures as whole numbers: thousandths.
        let milli = |figure: f64| (figure * 1e3).round() as u64;
        let counts = [
            ("processes", self.processes as u64),
            ("first_milli", milli(one)),
            ("second_milli", milli(other)),
            ("best_milli", milli(best)),
        ];
        let worst = worst.map(|worst| ("worst_milli", milli(worst)));
        let mut event = Event::new(Kind::Report).text(text);
        event = event.counts(counts.into_iter().chain(worst));
        event.name = Some(self.algorithm.word().to_owned());
        event
    }
}
