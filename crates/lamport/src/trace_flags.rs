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

/// Where a line of JSON has what is read of it: names of fields, with dots for nested ones.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldNames {
    /// The host.
    pub host: String,
    /// The clock.
    pub clock: String,
    /// What happened.
    pub event: Option<String>,
    /// The wall-clock time.
    pub time: Option<String>,
}

impl FromStr for FieldNames {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const NAMES: [&str; 4] = ["host", "clock", "event", "time"];
        let mut fields: [Option<String>; 4] = Default::default();
        for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
            let shown = visible(pair.trim().as_bytes());
            let (name, field) = pair
                .split_once('=')
                .map(|(name, field)| (name.trim(), field.trim()))
                .filter(|(_, field)| !field.is_empty())
                .ok_or_else(|| format!("'{shown}' is not NAME=FIELD"))?;
            let place = NAMES.iter().position(|known| *known == name);
            let place = place.ok_or_else(|| {
                let name = visible(name.as_bytes());
                format!("'{name}' is not one of {}", NAMES.join(", "))
            })?;
            if fields[place].replace(field.to_owned()).is_some() {
                return Err(format!("{name} is given twice"));
            }
        }
        let [host, clock, event, time] = fields;
        let missing = |name: &str| format!("{name}=FIELD is missing");
        Ok(Self {
            host: host.ok_or_else(|| missing("host"))?,
            clock: clock.ok_or_else(|| missing("clock"))?,
            event,
            time,
        })
    }
}

impl<'de> Deserialize<'de> for FieldNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_text(deserializer)
    }
}
