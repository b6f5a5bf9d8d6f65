//! The legend and the caption.

use std::io::{self, Write};

use super::{
    clients,
    labels::SMALL,
    marks::Mark,
    plan::{Plan, WIDTH},
    sections,
    xml::escaped,
};
use crate::trace_flags::{Axis, Lanes};

/// What stands before the words of an entry.
#[derive(Clone, Copy)]
enum Sample {
    Mark(Mark),
    Line(&'static str),
    Bar(&'static str),
}

/// The height of a line of the legend.
const LINE: f64 = 20.0;
const LEFT: f64 = 12.0;

impl Plan<'_> {
    /// The height of legend and caption.
    pub(super) fn legend_height(&self) -> f64 {
        let lines = self.entries_at().last().map_or(0.0, |(_, _, y)| y + LINE);
        24.0 + lines + LINE * self.caption_lines().len() as f64
    }

    /// The entries, with the shapes and lines that occur in the picture.
    fn legend_entries(&self) -> Vec<(Sample, String)> {
        let marks = [
            (Mark::Send, "send"),
            (Mark::Receive, "receive"),
            (Mark::Local, "local event"),
            (
                Mark::Lifecycle,
                "start, ready, connect, accept, close, stop",
            ),
            (Mark::Error, "failure"),
        ];
        let drawn = self.events().iter().filter(|id| !self.is_entry(**id));
        let shown: Vec<Mark> = drawn.map(|id| self.mark(*id)).collect();
        let marks = marks.into_iter().filter(|(mark, _)| shown.contains(mark));
        let mut entries: Vec<(Sample, String)> = marks
            .map(|(mark, words)| (Sample::Mark(mark), words.to_owned()))
            .collect();
        let computation = self.picture.computation;
        let traffic = &computation.traffic;
        let lines = [
            (!computation.links.all().is_empty(), "message", "message"),
            (traffic.inferred > 0, "message inferred", "inferred"),
            (traffic.reordered > 0, "message reordered", "reordered"),
            (traffic.duplicates > 0, "message duplicate", "duplicate"),
            (
                self.events().iter().any(|id| self.is_lost(*id)),
                "lost",
                "lost",
            ),
        ];
        for (_, class, words) in lines.into_iter().filter(|line| line.0) {
            entries.push((Sample::Line(class), words.to_owned()));
        }
        if !self.bars.is_empty() {
            let words = "a connection, on its thread";
            entries.push((Sample::Bar("bar"), words.to_owned()));
        }
        if !self.entries.is_empty() {
            let words = format!("{} ({})", sections::NAME, sections::SHORT);
            entries.push((Sample::Bar("section"), words));
        }
        if !self.terms.is_empty() {
            let words = "leads in this term".to_owned();
            entries.push((Sample::Bar("term"), words));
        }
        for (is_consistent, class, words) in [
            (true, "cut", "a consistent cut"),
            (false, "inconsistent", "an inconsistent cut"),
            (false, "violating", "received before it, sent after it"),
        ] {
            let mut cuts = self.cuts.iter();
            if cuts.any(|cut| cut.violation.is_none() == is_consistent) {
                entries.push((Sample::Line(class), words.to_owned()));
            }
        }
        entries
    }

    /// The entries with their places: in lines, within the width.
    fn entries_at(&self) -> Vec<((Sample, String), f64, f64)> {
        let (mut x, mut y) = (LEFT, 0.0);
        let mut placed = Vec::new();
        for entry in self.legend_entries() {
            let sample = if matches!(entry.0, Sample::Mark(_)) {
                16.0
            } else {
                34.0
            };
            let width = sample + SMALL * entry.1.chars().count() as f64;
            if x + width > WIDTH - LEFT && x > LEFT {
                (x, y) = (LEFT, y + LINE);
            }
            placed.push((entry, x, y));
            x += width + 14.0;
        }
        placed
    }

    pub(super) fn legend(&self, out: &mut dyn Write) -> io::Result<()> {
        let top = self.bottom() + 26.0;
        let mut last = top;
        for ((sample, words), x, y) in self.entries_at() {
            let y = top + y;
            last = y + LINE;
            let text = match sample {
                Sample::Mark(mark) => {
                    mark.write(out, x + 5.0, y)?;
                    x + 16.0
                }
                Sample::Line(class) => {
                    let head = if ["lost", "cut", "inconsistent"].contains(&class) {
                        ""
                    } else {
                        r#" marker-end="url(#tip)""#
                    };
                    write!(
                        out,
                        r#"<line class="{class}" x1="{x:.1}" y1="{y:.1}" x2="{:.1}" y2="{y:.1}"{head}/>"#,
                        x + 26.0
                    )?;
                    if class == "lost" {
                        let (left, up) = (x + 22.0, y - 4.0);
                        write!(
                            out,
                            r#"<path class="lost" d="M{left:.1} {up:.1} l8 8 m0 -8 l-8 8"/>"#
                        )?;
                    }
                    x + 34.0
                }
                Sample::Bar(class) => {
                    let up = y - 6.0;
                    write!(
                        out,
                        r#"<rect class="{class}" x="{x:.1}" y="{up:.1}" width="26" height="12" rx="3"/>"#
                    )?;
                    x + 34.0
                }
            };
            let (base, words) = (y + 3.8, escaped(&words));
            writeln!(
                out,
                r#"<text class="small" x="{text:.1}" y="{base:.1}">{words}</text>"#
            )?;
        }
        for text in self.caption_lines() {
            let (base, text) = (last + 3.8, escaped(&text));
            writeln!(
                out,
                r#"<text class="small" x="{LEFT}" y="{base:.1}">{text}</text>"#
            )?;
            last += LINE;
        }
        Ok(())
    }

    /// What the picture shows, in numbers.
    pub(super) fn caption(&self) -> String {
        let computation = self.picture.computation;
        let summary = computation.summary().text;
        let by_thread = self.picture.lanes == Lanes::Thread;
        if !by_thread && self.picture.axis == Axis::Logical {
            return summary;
        }
        // How many pairs are concurrent says nothing about threads, nor about wall clocks.
        let (counts, _) = summary.split_once(';').unwrap_or((&summary, ""));
        match clients::caption(self) {
            Some(served) => format!("{counts}; {served}"),
            None => counts.to_owned(),
        }
    }

    fn caption_lines(&self) -> Vec<String> {
        let most = ((WIDTH - 2.0 * LEFT) / SMALL) as usize;
        let mut lines: Vec<String> = Vec::new();
        for word in self.caption().split(' ') {
            match lines.last_mut() {
                Some(line) if line.chars().count() + 1 + word.chars().count() <= most => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        lines
    }
}
