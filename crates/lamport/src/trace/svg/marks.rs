//! How events look, and the legend that says so.

use std::io::{self, Write};

use common::event::Kind;

/// Text as XML has it.
pub(in crate::trace) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(letter),
        }
    }
    safe
}

/// How an event looks.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Mark {
    Send,
    Receive,
    Local,
    Lifecycle,
    Error,
}

impl Mark {
    pub(super) fn of(role: Kind) -> Self {
        match role {
            Kind::Send => Self::Send,
            Kind::Receive => Self::Receive,
            Kind::Error => Self::Error,
            Kind::Local | Kind::Resolve | Kind::Register => Self::Local,
            // Of connections and of the program's life.
            _ => Self::Lifecycle,
        }
    }

    pub(super) fn write(self, out: &mut dyn Write, x: f64, y: f64) -> io::Result<()> {
        match self {
            Self::Send => write!(
                out,
                r#"<path class="send" d="M{:.1} {:.1} l10 5 l-10 5z"/>"#,
                x - 4.0,
                y - 5.0
            ),
            Self::Receive => write!(
                out,
                r#"<circle class="receive" cx="{x:.1}" cy="{y:.1}" r="4.4"/>"#
            ),
            Self::Local => write!(
                out,
                r#"<rect class="local" x="{:.1}" y="{:.1}" width="8" height="8"/>"#,
                x - 4.0,
                y - 4.0
            ),
            Self::Lifecycle => write!(
                out,
                r#"<rect class="begin" x="{:.1}" y="{:.1}" width="5" height="9"/>"#,
                x - 2.5,
                y - 4.5
            ),
            Self::Error => write!(
                out,
                r#"<path class="error" d="M{:.1} {:.1} l8 8 m0 -8 l-8 8"/>"#,
                x - 4.0,
                y - 4.0
            ),
        }
    }
}

/// What the legend explains.
pub(super) struct Legend<'a> {
    /// Where the lanes end.
    pub(super) bottom: f64,
    /// The marks that are drawn.
    pub(super) marks: &'a [Mark],
    /// Whether a message is inferred.
    pub(super) inferred: bool,
    /// Whether a message is reordered.
    pub(super) reordered: bool,
    /// Whether a message is lost.
    pub(super) lost: bool,
    /// Whether connections are drawn.
    pub(super) bars: bool,
    /// The summary below it.
    pub(super) summary: &'a str,
}

impl Legend<'_> {
    /// Writes it.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let y = self.bottom + 32.0;
        let mut x = 20.0;
        let entries = [
            (Mark::Send, "sends"),
            (Mark::Receive, "receives"),
            (Mark::Local, "local"),
            (
                Mark::Lifecycle,
                "starts, is ready, connects, accepts, closes, stops",
            ),
            (Mark::Error, "fails"),
        ];
        for (mark, words) in entries
            .into_iter()
            .filter(|(mark, _)| self.marks.contains(mark))
        {
            mark.write(out, x, y)?;
            writeln!(
                out,
                r#"<text class="small" x="{:.1}" y="{:.1}">{words}</text>"#,
                x + 10.0,
                y + 3.5
            )?;
            x += 28.0 + 5.2 * words.len() as f64;
        }
        let mut lines = vec![("message", "message")];
        if self.inferred {
            lines.push(("message inferred", "inferred"));
        }
        if self.reordered {
            lines.push(("message reordered", "reordered"));
        }
        if self.lost {
            lines.push(("lost", "lost"));
        }
        for (class, words) in lines {
            let tip = if class == "lost" {
                ""
            } else {
                r#" marker-end="url(#tip)""#
            };
            writeln!(
                out,
                r#"<line class="{class}" x1="{x:.1}" y1="{y:.1}" x2="{:.1}" y2="{y:.1}"{tip}/><text class="small" x="{:.1}" y="{:.1}">{words}</text>"#,
                x + 26.0,
                x + 32.0,
                y + 3.5
            )?;
            x += 50.0 + 5.2 * words.len() as f64;
        }
        if self.bars {
            writeln!(
                out,
                r#"<rect class="bar" x="{x:.1}" y="{:.1}" width="26" height="12" rx="3"/><text class="small" x="{:.1}" y="{:.1}">one client, on the thread that serves it</text>"#,
                y - 6.0,
                x + 32.0,
                y + 3.5
            )?;
        }
        let summary = escaped(self.summary);
        writeln!(
            out,
            r#"<text class="small" x="12" y="{:.1}">{summary}</text>"#,
            y + 26.0
        )
    }
}
