//! Critical sections and terms of leaders: a bar from each entry to the exit, and for each term on the lane of its leader, with
//! their names.

use std::io::{self, Write};

use super::{
    labels::{self, Labels},
    marks::title,
    plan::Plan,
    xml::escaped,
};
use crate::trace::EventId;

/// The name of the bar, and the short one where there is no room.
pub(super) const NAME: &str = "critical section";
pub(super) const SHORT: &str = "CS";

/// The name of the bar of a leader, before the number of its term.
pub(super) const TERM: &str = "term";

impl Plan<'_> {
    pub(super) fn sections(&self, labels: &mut Labels, out: &mut dyn Write) -> io::Result<()> {
        for (enter, exit) in &self.entries {
            self.section("section", (*enter, *exit), &[NAME, SHORT], labels, out)?;
        }
        for term in &self.terms {
            let ends = (term.from, term.until);
            let (name, short) = (format!("{TERM} {}", term.number), &term.number);
            self.section("term", ends, &[&name, short], labels, out)?;
        }
        Ok(())
    }

    /// A bar of this class with the first of the names for which there is room.
    fn section(
        &self,
        class: &str,
        (from, until): (EventId, Option<EventId>),
        names: &[&str],
        labels: &mut Labels,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let Some(lane) = self.y(from) else {
            return Ok(());
        };
        let words = escaped(&title(self.picture.computation, from));
        let from = self.x(from);
        let end = |until: EventId| self.x(until);
        // Without an end it lasts to the end of the lane.
        let until = until.map_or(self.end(), end).max(from + 3.0);
        let height = (self.step * 0.62).min(22.0);
        let (y, width) = (lane - height / 2.0, until - from);
        writeln!(
            out,
            r#"<rect class="{class}" x="{from:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="3"><title>{words}</title></rect>"#
        )?;
        let middle = from + width / 2.0;
        for name in names {
            let x = middle - labels::width(name) / 2.0;
            let most = 900.0 - 5.0 - labels::width(name);
            let x = x.clamp(self.left.min(most), most);
            if labels.place(name, [(x, y - 3.0), (x, y + height + 10.0)]) {
                break;
            }
        }
        Ok(())
    }
}
