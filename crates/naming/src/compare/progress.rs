//! A progress bar on a terminal, while schemes are measured, by several threads at once.

use indicatif::{ProgressBar, ProgressStyle};

/// How finely the progress of one scheme is shown.
const STEPS: u64 = 100;

/// The parts of a measurement, with the share that each has of its time: names are inserted, looked up, looked up while a
/// node is down.
const PARTS: [f64; 3] = [0.3, 0.5, 0.2];

/// The progress of all measurements.
#[derive(Debug)]
pub struct Overall {
    bar: ProgressBar,
}

/// The progress of one.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    shown: std::cell::Cell<u64>,
    /// How long it takes, as it seems: the number of nodes.
    weight: u64,
}

impl Overall {
    /// A bar for measurements with these numbers of nodes, if it is shown.
    pub fn new(shown: bool, weights: impl Iterator<Item = u64>) -> Self {
        let bar = match shown {
            true => ProgressBar::new(weights.map(|weight| weight * STEPS).sum()),
            false => ProgressBar::hidden(),
        };
        let template = ProgressStyle::with_template("{bar:30} {percent:>3}%  {msg}");
        bar.set_style(template.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar }
    }

    /// The progress of a measurement.
    pub fn of(&self, what: &str, weight: u64) -> Progress {
        self.bar.set_message(what.to_owned());
        Progress {
            bar: self.bar.clone(),
            shown: std::cell::Cell::new(0),
            weight,
        }
    }

    /// Prints what is to stand above the bar.
    pub fn hide(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// Removes the bar.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress {
    /// This share of a part is done; the part behind the last is the end.
    pub fn part(&self, share: f64, part: u8) {
        let before: f64 = PARTS.iter().take(part.into()).sum();
        let present = PARTS.get(usize::from(part)).copied().unwrap_or_default();
        let steps = ((before + share * present) * STEPS as f64) as u64;
        let shown = self.shown.replace(steps);
        self.bar.inc(steps.saturating_sub(shown) * self.weight);
    }
}
