//! What is measured of an algorithm with a number of processes: a row of the table.

use common::event::{Event, Kind};

use crate::algorithms::Algorithm;

/// The columns of a table.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// What is counted.
    pub unit: &'static str,
    /// The cases that are measured, three at most.
    pub measured: &'static [&'static str],
    /// The cases that are published, of [`BEST`], [`AVERAGE`] and [`WORST`].
    pub published: &'static [Case],
    /// The width of a measured figure.
    pub width: usize,
}

/// A case that is published: its name, and that of its figure among an event's counts.
pub type Case = (&'static str, &'static str);

/// The fewest messages.
pub const BEST: Case = ("best", "best_milli");
/// The messages on average.
pub const AVERAGE: Case = ("average", "average_milli");
/// The most messages.
pub const WORST: Case = ("worst", "worst_milli");

/// The width of a published figure.
const PUBLISHED: usize = 9;

/// The names of the measured figures among an event's counts.
const MEASURED: [&str; 3] = ["first_milli", "second_milli", "third_milli"];

impl Columns {
    /// What stands above the rows.
    pub fn head(&self) -> [String; 2] {
        let cases = self.measured.iter();
        let measured: String = cases
            .map(|case| format!(" {case:>width$}", width = self.width))
            .collect();
        let cases = self.published.iter();
        let published: String = cases
            .map(|(case, _)| format!(" {case:>PUBLISHED$}"))
            .collect();
        let what = format!("{}, measured", self.unit);
        let width = measured.len() + 4;
        [
            format!("processes  algorithm        {what:<width$}as published"),
            format!("                          {measured}{published}"),
        ]
    }
}

/// The messages of an algorithm.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The number of processes.
    pub processes: usize,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The mean of each of the cases that are measured.
    pub measured: Vec<f64>,
    /// The cases that are published: infinite where there is no bound, None where nothing is published.
    pub published: Vec<Option<f64>>,
}

impl Row {
    /// The row as an event.
    pub fn event(&self, columns: &Columns) -> Event {
        let shown = |figure: f64| match figure {
            figure if figure.is_infinite() => "∞".to_owned(),
            figure if figure.fract().abs() < 1e-9 => format!("{figure:.0}"),
            figure => format!("{figure:.2}"),
        };
        let word = self.algorithm.word();
        let mut text = format!("{:>9}  {word:<15}", self.processes);
        for figure in &self.measured {
            text += &format!(" {:>width$}", shown(*figure), width = columns.width);
        }
        for figure in &self.published {
            let figure = figure.map_or_else(|| "–".to_owned(), shown);
            text += &format!(" {figure:>PUBLISHED$}");
        }
        // The figures as whole numbers: thousandths.
        let milli = |figure: f64| (figure * 1e3).round() as u64;
        let measured = MEASURED.into_iter().zip(&self.measured);
        let measured = measured.map(|(name, figure)| (name, milli(*figure)));
        let published = columns.published.iter().zip(&self.published);
        let published = published.filter_map(|((_, name), figure)| {
            let figure = figure.filter(|figure| figure.is_finite())?;
            Some((*name, milli(figure)))
        });
        let processes = ("processes", self.processes as u64);
        let counts = [processes].into_iter().chain(measured).chain(published);
        let mut event = Event::new(Kind::Report).text(text).counts(counts);
        event.name = Some(word.to_owned());
        event
    }
}
