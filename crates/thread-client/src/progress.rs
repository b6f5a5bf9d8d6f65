//! A progress bar on a terminal, while a load runs.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::schedule::Load;

/// A progress bar, which is hidden unless standard error is a terminal.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    /// How long the load takes, if that is known.
    time: Option<Duration>,
}

impl Progress {
    /// A bar for this load.
    pub fn new(shown: bool, load: &Load) -> Self {
        let bar = if shown {
            let length = match load.end() {
                Some(time) => Some(time.as_millis() as u64),
                None => load.exchanges(),
            };
            ProgressBar::new(length.unwrap_or_default())
        } else {
            ProgressBar::hidden()
        };
        let template = "{bar:30} {percent:>3}%  {msg}";
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        Self {
            bar,
            time: load.end(),
        }
    }

    /// Shows how many exchanges have ended after this time.
    pub fn show(&mut self, ended: u64, elapsed: Duration) {
        self.bar.set_position(match self.time {
            Some(time) => elapsed.min(time).as_millis() as u64,
            None => ended,
        });
        let rate = ended as f64 / elapsed.as_secs_f64().max(0.001);
        self.bar
            .set_message(format!("{ended} exchanges, {rate:.0} a second"));
    }

    /// Removes the bar.
    pub fn end(&mut self) {
        self.bar.finish_and_clear();
    }
}
