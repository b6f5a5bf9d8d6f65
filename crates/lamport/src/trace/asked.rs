//! What the command `trace` can be asked.

use std::{path::PathBuf, str::FromStr};

use clap::ValueEnum;
use common::text::visible;

/// What is to be read, and what is to be made of it.
#[derive(Clone, Debug, clap::Args)]
pub struct Asked {
    /// Event logs of any programs, and folders of them; plain or gzip
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Judge: can this have happened? Exit code 1 if not
    #[arg(long, help_heading = "Trace")]
    pub check: bool,
    /// How logs with vector clocks are laid out: a regular expression with the groups event, host and clock [default: ShiViz's and GoVector's layouts]
    #[arg(long, value_name = "REGEX", help_heading = "Trace")]
    pub regex: Option<String>,
    /// What stands between two executions in such a log; a group trace names them
    #[arg(long, value_name = "REGEX", help_heading = "Trace")]
    pub delimiter: Option<String>,
    /// Draw these events only, by their numbers: 100..200, 100.., ..200
    #[arg(long, value_name = "FROM..UNTIL", help_heading = "Trace")]
    pub range: Option<Range>,
    /// What goes from left to right in the SVG [default: logical]
    #[arg(long, value_name = "AXIS", help_heading = "Trace")]
    pub axis: Option<Axis>,
    /// What has a lane of its own in the SVG [default: process]
    #[arg(long, value_name = "LANES", help_heading = "Trace")]
    pub lanes: Option<Lanes>,
    /// Write a page to look around in: one file that needs no network
    #[arg(long, value_name = "FILE", help_heading = "Trace")]
    pub html: Option<PathBuf>,
    /// Write a picture for a report
    #[arg(long, value_name = "FILE", help_heading = "Trace")]
    pub svg: Option<PathBuf>,
    /// Write a log for ShiViz
    #[arg(long, value_name = "FILE", help_heading = "Trace")]
    pub shiviz: Option<PathBuf>,
    /// Write a sequence diagram for Mermaid
    #[arg(long, value_name = "FILE", help_heading = "Trace")]
    pub mermaid: Option<PathBuf>,
    /// Write Chrome's trace event JSON for Perfetto
    #[arg(long, value_name = "FILE", help_heading = "Trace")]
    pub perfetto: Option<PathBuf>,
    /// Write a graph for Graphviz
    #[arg(long, value_name = "FILE", help_heading = "Trace")]
    pub dot: Option<PathBuf>,
}

/// What goes from left to right.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Axis {
    /// Lamport's logical time.
    #[default]
    Logical,
    /// The machines' clocks.
    Wall,
}

/// What has a lane of its own.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
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
    /// The same as places in an order of so many events.
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
