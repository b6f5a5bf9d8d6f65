//! The lanes with their names, and the connections as bars on them.

use std::io::{self, Write};

use super::{
    clients,
    labels::{self, Labels},
    plan::{NAME, Plan},
    xml::escaped,
};
use crate::trace::words::short_name;

impl Plan<'_> {
    pub(super) fn lanes(&self, out: &mut dyn Write) -> io::Result<()> {
        for (lane, (_, name)) in self.lanes.iter().enumerate() {
            let y = self.y_of_lane(lane);
            let (x1, x2) = (self.left, self.end());
            writeln!(
                out,
                r#"<text x="12" y="{:.1}">{}</text><line class="lane" x1="{x1:.1}" x2="{x2:.1}" y1="{y:.1}" y2="{y:.1}"/>"#,
                y + 4.0,
                escaped(&short_name(name, NAME))
            )?;
        }
        Ok(())
    }

    pub(super) fn bars(&self, labels: &mut Labels, out: &mut dyn Write) -> io::Result<()> {
        let clients = clients::names(self);
        for (bar, client) in self.bars.iter().zip(&clients) {
            let (Some(lane), true) = (self.lane_of.get(&bar.thread), self.drawn(bar.until)) else {
                continue;
            };
            let (from, until) = (self.x(bar.from).max(self.left), self.x(bar.until));
            let height = (self.step * 0.62).min(24.0);
            let y = self.y_of_lane(*lane) - height / 2.0;
            let width = (until - from).max(1.5);
            let (verb, peer) = match self.is_server(bar) {
                true => ("serves", client),
                false => ("is served by", &bar.peer),
            };
            let title = escaped(&format!("{} {verb} {peer}", self.lanes[*lane].1));
            writeln!(
                out,
                r#"<rect class="bar" x="{from:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="3"><title>{title}</title></rect>"#
            )?;
            if !self.is_server(bar) {
                continue;
            }
            // The whole name; of an address the port where the room is too small.
            let short = client.rfind(':').map_or("", |at| &client[at..]);
            for label in [client.as_str(), short] {
                let needed = labels::width(label);
                let x = from + (width - needed) / 2.0;
                let fits = !label.is_empty() && needed + 4.0 < width;
                // Beside the marks at both ends, above the line of the lane.
                if fits && labels.place(label, [(x, self.y_of_lane(*lane) - 1.5)]) {
                    break;
                }
            }
        }
        Ok(())
    }
}
