//! The axis: its title, its ticks, and the idle intervals that are cut out.

use std::io::{self, Write};

use common::text::micros;

use super::{
    labels,
    plan::{IDLE, Plan, TOP, WIDTH},
};
use crate::{
    trace::{EventId, order::LogicalTime},
    trace_flags::{Axis, Lanes},
};

impl Plan<'_> {
    pub(super) fn axis(&self, out: &mut dyn Write) -> io::Result<()> {
        let (title, offset) = match self.picture.axis {
            Axis::Logical => (self.logical(), 0),
            Axis::Wall => ("wall-clock time since the first event", self.from),
        };
        let lanes = match self.picture.lanes {
            Lanes::Process => "process",
            Lanes::Thread => "thread",
        };
        writeln!(
            out,
            r#"<text class="title" x="12" y="32">{lanes}</text><text class="title" x="{:.1}" y="16">{title} →</text>"#,
            self.left
        )?;
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
        // An interval that is cut out says more than a tick beside it.
        let mut written: Vec<(f64, f64)> = Vec::new();
        let (top, bottom) = (TOP - 10.0, self.bottom());
        let mut text = |out: &mut dyn Write, x: f64, text: &str| -> io::Result<()> {
            let half = labels::width(text) / 2.0 + 3.0;
            let x = x.min(WIDTH - half);
            if written
                .iter()
                .any(|(at, other)| (at - x).abs() < half + other)
            {
                return Ok(());
            }
            written.push((x, half));
            writeln!(
                out,
                r#"<text class="small" x="{x:.1}" y="{:.1}" text-anchor="middle">{text}</text>"#,
                top - 4.0
            )
        };
        for (from, until) in &self.idle {
            let middle = self.x_of(*from) + IDLE / 2.0;
            write!(
                out,
                r#"<line class="idle" x1="{middle:.1}" x2="{middle:.1}" y1="{top}" y2="{bottom}"/>"#
            )?;
            let length = micros(until.abs_diff(*from));
            text(out, middle, &format!("{length} idle"))?;
        }
        let mut value = (self.from - offset).div_euclid(step) * step;
        while value <= self.until - offset {
            let at = value + offset;
            let x = self.x_of(at);
            let mut idle = self.idle.iter();
            let idle = idle.any(|(from, until)| (from..until).contains(&&at));
            if x >= self.left + 9.0 && !idle {
                let label = match self.picture.axis {
                    Axis::Wall if value != 0 => micros(value.unsigned_abs()),
                    _ => value.to_string(),
                };
                write!(
                    out,
                    r#"<line class="tick" x1="{x:.1}" x2="{x:.1}" y1="{top}" y2="{bottom}"/>"#
                )?;
                text(out, x, &label)?;
            }
            value += step;
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
