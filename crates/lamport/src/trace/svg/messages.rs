//! The messages as arrows with names, and the lost ones.

use std::io::{self, Write};

use super::{
    labels::{self, Labels},
    plan::{MANY, Plan},
};
use crate::trace::{
    EventId,
    matching::Link,
    words::{Fields, shortened},
};

/// With more messages than this none has its name written on it.
const LABELLED: usize = 40;

impl Plan<'_> {
    pub(super) fn messages(&self, labels: &mut Labels, out: &mut dyn Write) -> io::Result<()> {
        let computation = self.picture.computation;
        let links = self
            .events()
            .iter()
            .flat_map(|id| computation.links.to(*id));
        let links: Vec<_> = links.filter(|link| self.drawn(link.from)).collect();
        for link in &links {
            let (Some(y1), Some(y2)) = (self.y(link.from), self.y(link.to)) else {
                continue;
            };
            let (x1, x2) = (self.x(link.from), self.x(link.to));
            let mut class = "message".to_owned();
            if link.inferred {
                class.push_str(" inferred");
            }
            if computation.traffic.reordered_receives.contains(&link.to) {
                class.push_str(" reordered");
            }
            if computation.links.is_duplicate(&computation.trace, link) {
                class.push_str(" duplicate");
            }
            if self.makes_inconsistent(link) {
                class.push_str(" violating");
            }
            // The arrow ends at the edge of the mark.
            let length = (x2 - x1).hypot(y2 - y1).max(1.0);
            let (dx, dy) = ((x2 - x1) / length * 5.5, (y2 - y1) / length * 5.5);
            let path = if y1 == y2 {
                // A message on one lane is an arc above it.
                let height = self.step * 0.38;
                format!(
                    "M{x1:.1} {y1:.1} Q{:.1} {:.1} {x2:.1} {:.1}",
                    (x1 + x2) / 2.0,
                    y1 - 2.0 * height,
                    y2 - 5.5
                )
            } else {
                format!("M{x1:.1} {y1:.1} L{:.1} {:.1}", x2 - dx, y2 - dy)
            };
            writeln!(
                out,
                r#"<path class="{class}" d="{path}" marker-end="url(#tip)"/>"#
            )?;
        }
        if links.len() <= LABELLED && self.lanes.len() <= MANY {
            self.labels(&links, labels);
        }
        for id in self.events() {
            if let (true, Some(y)) = (self.is_lost(*id), self.y(*id)) {
                let (x, far) = (self.x(*id), y + self.step * 0.34);
                writeln!(
                    out,
                    r#"<path class="lost" d="M{x:.1} {y:.1} L{0:.1} {far:.1} M{1:.1} {2:.1} l8 8 m0 -8 l-8 8" fill="none"/>"#,
                    x + 8.0,
                    x + 4.0,
                    far - 4.0
                )?;
            }
        }
        Ok(())
    }

    /// Whether a message that is sent here is lost, for all or for some of its receivers.
    pub(super) fn is_lost(&self, id: EventId) -> bool {
        let computation = self.picture.computation;
        let traffic = &computation.traffic;
        traffic.lost_sends.binary_search(&id).is_ok()
            || !traffic
                .missed(&computation.trace, &computation.links, id)
                .is_empty()
    }

    /// Places the name of each message once, where there is room; of a reply what it says.
    fn labels(&self, links: &[&Link], labels: &mut Labels) {
        const MOST: usize = 22;
        let mut named: Vec<EventId> = Vec::new();
        for link in links {
            let (Some(y1), Some(y2)) = (self.y(link.from), self.y(link.to)) else {
                continue;
            };
            if named.contains(&link.from) || y1 == y2 {
                continue;
            }
            let fields = Fields::of(&self.picture.computation.trace, link.from);
            let name = ["message_type", "value", "name", "text"]
                .into_iter()
                .find_map(|field| fields.get(field))
                .unwrap_or_default();
            let name = shortened(name, MOST);
            let (x1, x2) = (self.x(link.from), self.x(link.to));
            let along = |part: f64| (x1 + (x2 - x1) * part, y1 + (y2 - y1) * part + 3.0);
            // To the right of the line; at the edge of the picture to its left.
            let parts = [0.35, 0.5, 0.65, 0.25, 0.75].map(along);
            let right = parts.map(|(x, y)| (x + 6.0, y));
            let left = parts.map(|(x, y)| (x - 6.0 - labels::width(&name), y));
            let left = left.into_iter().filter(|(x, _)| *x > self.left);
            if labels.place(&name, right.into_iter().chain(left)) {
                named.push(link.from);
            }
        }
    }
}
