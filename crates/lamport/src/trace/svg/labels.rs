//! The texts in the plot: each inside the picture, and none over another.

use std::io::{self, Write};

use super::xml::escaped;

/// The widths of a letter of a small text, and of one of ordinary size, and the height of a line: no less than in common fonts.
pub(super) const SMALL: f64 = 6.6;
pub(super) const LETTER: f64 = 7.2;
const HEIGHT: f64 = 12.0;

/// The least space between two texts on one line.
const GAP: f64 = 6.0;

/// The width of a small text.
pub(super) fn width(text: &str) -> f64 {
    text.chars().count() as f64 * SMALL
}

/// The texts that have a place so far.
pub(super) struct Labels {
    /// The width of the picture.
    width: f64,
    /// Their left edges, base lines and texts.
    placed: Vec<(f64, f64, String)>,
}

impl Labels {
    pub(super) fn new(width: f64) -> Self {
        Self {
            width,
            placed: Vec::new(),
        }
    }

    /// Places a text at the first of these left edges and base lines where it is inside and covers no other.
    pub(super) fn place(
        &mut self,
        text: &str,
        places: impl IntoIterator<Item = (f64, f64)>,
    ) -> bool {
        let inside = |(x, _): &(f64, f64)| *x >= 4.0 && x + width(text) <= self.width - 4.0;
        let free = |(x, y): &(f64, f64)| {
            self.placed.iter().all(|(left, base, other)| {
                (base - y).abs() > HEIGHT
                    || x + width(text) + GAP < *left
                    || *x > left + width(other) + GAP
            })
        };
        let place = places.into_iter().filter(inside).find(free);
        let Some((x, y)) = place else { return false };
        self.placed.push((x, y, text.to_owned()));
        true
    }

    /// Writes them, above all else.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        for (x, y, text) in &self.placed {
            let text = escaped(text);
            writeln!(
                out,
                r#"<text class="label" x="{x:.1}" y="{y:.1}">{text}</text>"#
            )?;
        }
        Ok(())
    }
}
