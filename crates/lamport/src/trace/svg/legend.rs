//! The legend.

use std::io::{self, Write};

use super::{marks::Mark, plan::Plan, xml::escaped};

impl Plan<'_> {
    /// The legend, with the shapes and lines that occur in the picture.
    pub(super) fn legend(&self, out: &mut dyn Write) -> io::Result<()> {
        let y = self.bottom() + 32.0;
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
        let shown: Vec<Mark> = self.events().iter().map(|id| self.mark(*id)).collect();
        for (mark, words) in entries.into_iter().filter(|(mark, _)| shown.contains(mark)) {
            mark.write(out, x, y)?;
            writeln!(
                out,
                r#"<text class="small" x="{:.1}" y="{:.1}">{words}</text>"#,
                x + 10.0,
                y + 3.5
            )?;
            x += 28.0 + 5.2 * words.len() as f64;
        }
        let traffic = &self.picture.computation.traffic;
        let mut lines = vec![("message", "message")];
        if traffic.inferred > 0 {
            lines.push(("message inferred", "inferred"));
        }
        if traffic.reordered > 0 {
            lines.push(("message reordered", "reordered"));
        }
        if !traffic.lost_sends.is_empty() {
            lines.push(("lost", "lost"));
        }
        for (class, words) in lines {
            let head = if class == "lost" {
                ""
            } else {
                r#" marker-end="url(#tip)""#
            };
            writeln!(
                out,
                r#"<line class="{class}" x1="{x:.1}" y1="{y:.1}" x2="{:.1}" y2="{y:.1}"{head}/><text class="small" x="{:.1}" y="{:.1}">{words}</text>"#,
                x + 26.0,
                x + 32.0,
                y + 3.5
            )?;
            x += 50.0 + 5.2 * words.len() as f64;
        }
        if !self.bars.is_empty() {
            writeln!(
                out,
                r#"<rect class="bar" x="{x:.1}" y="{:.1}" width="26" height="12" rx="3"/><text class="small" x="{:.1}" y="{:.1}">one client, on the thread that serves it</text>"#,
                y - 6.0,
                x + 32.0,
                y + 3.5
            )?;
        }
        let summary = escaped(&self.picture.computation.summary().text);
        writeln!(
            out,
            r#"<text class="small" x="12" y="{:.1}">{summary}</text>"#,
            y + 26.0
        )
    }
}
