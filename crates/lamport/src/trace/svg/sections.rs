//! The critical section: a bar from each entry to the exit, with its name.

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

impl Plan<'_> {
    pub(super) fn sections(&self, labels: &mut Labels, out: &mut dyn Write) -> io::Result<()> {
        for (enter, exit) in &self.entries {
            let Some(lane) = self.y(*enter) else { continue };
            let from = self.x(*enter);
            let end = |exit: EventId| self.x(exit);
            // Without an exit it lasts to the end of the lane.
            let until = exit.map_or(self.end(), end).max(from + 3.0);
            let height = (self.step * 0.62).min(22.0);
            let (y, width) = (lane - height / 2.0, until - from);
            let words = escaped(&title(self.picture.computation, *enter));
            writeln!(
                out,
                r#"<rect class="section" x="{from:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="3"><title>{words}</title></rect>"#
            )?;
            let middle = from + width / 2.0;
            for name in [NAME, SHORT] {
                let x = middle - labels::width(name) / 2.0;
                let most = 900.0 - 5.0 - labels::width(name);
                let x = x.clamp(self.left.min(most), most);
                if labels.place(name, [(x, y - 3.0), (x, y + height + 10.0)]) {
                    break;
                }
            }
        }
        Ok(())
    }
}
