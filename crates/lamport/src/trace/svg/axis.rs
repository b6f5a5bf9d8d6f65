//! The axis: its title, its ticks, and the idle intervals that are cut out.

use std::io::{self, Write};

use common::text::micros;

use super::plan::{IDLE, Plan, TOP};
use crate::{
    trace::{EventId, order::LogicalTime},
    trace_flags::Axis,
};

impl Plan<'_> {
    pub(super) fn axis(&self, out: &mut dyn Write) -> io::Result<()> {
        let (title, offset) = match self.picture.axis {
            Axis::Logical => (self.logical(), 0),
            Axis::Wall => ("time since the first event", self.from),
        };
        writeln!(out, r#"<text x="12" y="18">{title} →</text>"#)?;
        // Round steps, at least 70 units apart.
        let mut step = 1;
        for factor in [2, 5, 10].into_iter().cycle() {
            if step as f64 * self.scale >= 70.0 {
                break;
            }
            let next = match factor {
                2 => step * 2,
                5 => step / 2 * 5,
                _ => step * 2,
            };
            step = next;
        }
        let mut value = (self.from - offset).div_euclid(step) * step;
        while value <= self.until - offset {
            let at = value + offset;
            let x = self.x_of(at);
            let idle = self
                .idle
                .iter()
                .any(|(from, until)| (from..until).contains(&&at));
            if x >= self.left + 9.0 && !idle {
                let label = match self.picture.axis {
                    Axis::Wall if value != 0 => micros(value.unsigned_abs()),
                    _ => value.to_string(),
                };
                let (top, bottom) = (TOP - 10.0, self.bottom());
                writeln!(
                    out,
                    r#"<line class="tick" x1="{x:.1}" x2="{x:.1}" y1="{top}" y2="{bottom}"/><text class="small" x="{x:.1}" y="{:.1}" text-anchor="middle">{label}</text>"#,
                    top - 4.0
                )?;
            }
            value += step;
        }
        for (from, until) in &self.idle {
            let middle = self.x_of(*from) + IDLE / 2.0;
            let (top, bottom) = (TOP - 10.0, self.bottom());
            let length = micros(until.abs_diff(*from));
            writeln!(
                out,
                r#"<line class="idle" x1="{middle:.1}" x2="{middle:.1}" y1="{top}" y2="{bottom}"/><text class="small" x="{middle:.1}" y="{:.1}" text-anchor="middle">{length} idle</text>"#,
                top - 4.0
            )?;
        }
        Ok(())
    }

    /// The title of the logical axis.
    fn logical(&self) -> &'static str {
        let computation = self.picture.computation;
        let shown = |id: &EventId| computation.order.shown_time(&computation.trace, *id);
        let carried = |id: &EventId| matches!(shown(id), Some(LogicalTime::Carried(_)));
        if self.events().iter().any(carried) {
            "Lamport time"
        } else {
            "computed Lamport time"
        }
    }
}
