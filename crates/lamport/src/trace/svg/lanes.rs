//! The lanes with their names, and the connections as bars on them.

use std::io::{self, Write};

use super::{
    plan::{Plan, RIGHT},
    xml::escaped,
};
use crate::trace::words::shortened;

impl Plan<'_> {
    pub(super) fn lanes(&self, out: &mut dyn Write) -> io::Result<()> {
        for (lane, (_, name)) in self.lanes.iter().enumerate() {
            let y = self.y_of_lane(lane);
            let (x1, x2) = (self.left, self.width - RIGHT + 12.0);
            writeln!(
                out,
                r#"<text x="12" y="{:.1}">{}</text><line class="lane" x1="{x1:.1}" x2="{x2:.1}" y1="{y:.1}" y2="{y:.1}"/>"#,
                y + 4.0,
                escaped(&shortened(name, 40))
            )?;
        }
        Ok(())
    }

    pub(super) fn bars(&self, out: &mut dyn Write) -> io::Result<()> {
        for bar in &self.bars {
            let (Some(lane), true) = (self.lane_of.get(&bar.thread), self.drawn(bar.until)) else {
                continue;
            };
            let (from, until) = (self.x(bar.from).max(self.left), self.x(bar.until));
            let height = (self.step * 0.6).min(20.0);
            let y = self.y_of_lane(*lane) - height / 2.0;
            let width = (until - from).max(1.5);
            let peer = escaped(&bar.peer);
            writeln!(
                out,
                r#"<rect class="bar" x="{from:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="3"><title>{peer}</title></rect>"#
            )?;
            // The whole address; its port where the room is too small.
            let port = bar
                .peer
                .rfind(':')
                .map_or(bar.peer.as_str(), |at| &bar.peer[at..]);
            let fits = |label: &&str| width > 24.0 + 5.6 * label.chars().count() as f64;
            if let Some(label) = [bar.peer.as_str(), port].into_iter().find(fits) {
                writeln!(
                    out,
                    r#"<text class="small" x="{:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
                    from + width / 2.0,
                    y + height / 2.0 + 3.5,
                    escaped(label)
                )?;
            }
        }
        Ok(())
    }
}
