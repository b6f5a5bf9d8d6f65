//! The values of the flags of `trace`.

use std::{path::PathBuf, str::FromStr};

use clap::ValueEnum;
use common::{json, text::visible};
use serde::{Deserialize, Deserializer};

/// The logs to read.
#[derive(Clone, Debug, clap::Args)]
pub struct TraceFiles {
    /// Event logs of any programs and folders of them, plain or gzip; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// The horizontal axis.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Axis {
    /// Lamport's logical time.
    #[default]
    Logical,
    /// The machines' clocks.
    Wall,
}

/// What each lane shows.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Lanes {
    /// Each process.
    #[default]
    Process,
    /// Each thread of each process.
    Thread,
}

/// Some of the events, by their numbers in causal order, from 0; the last included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Range {
    from: usize,
    until: usize,
}

impl Range {
    /// The same as positions in an order of `events` events.
    pub fn of(self, events: usize) -> std::ops::Range<usize> {
        let until = self.until.saturating_add(1).min(events);
        self.from.min(until)..until
    }
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            let text = visible(text.as_bytes());
            format!("'{text}' is not FROM..UNTIL, the numbers of two events")
        };
        let (from, until) = text.split_once("..").ok_or_else(wrong)?;
        let number = |text: &str, missing| match text {
            "" => Ok(missing),
            text => text.parse().map_err(|_| wrong()),
        };
        let (from, until) = (number(from, 0)?, number(until, usize::MAX)?);
        if until < from {
            return Err(wrong());
        }
        Ok(Self { from, until })
    }
}

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_text(deserializer)
    }
}
