//! A progress bar on a terminal, while a class is graded.

use indicatif::{ProgressBar, ProgressStyle};

/// A progress bar.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar for so many submissions; hidden unless it is to be shown.
    pub fn new(shown: bool, submissions: usize) -> Self {
        let bar = match shown {
            true => ProgressBar::new(submissions as u64),
            false => ProgressBar::hidden(),
        };
        let style =
            ProgressStyle::with_template("{bar:30} {pos} of {len} submissions, {elapsed}  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self(bar)
    }

    /// One more is done.
    pub fn one(&self, name: &str) {
        self.0.set_message(name.to_owned());
        self.0.inc(1);
    }

    /// Removes the bar.
    pub fn end(&self) {
        self.0.finish_and_clear();
    }
}
