//! The cut of each snapshot: a line through the events by which the processes have recorded their states, with its verdict.

use std::io::{self, Write};

use super::{
    labels::{self, Labels},
    plan::Plan,
    xml::escaped,
};
use crate::{
    trace::{EventId, cut::Recorded, matching::Link},
    trace_flags::Lanes,
};

/// How far the line goes beyond the first and the last lane, in heights of a lane.
const BEYOND: f64 = 0.42;

impl Plan<'_> {
    pub(super) fn cuts(&self, labels: &mut Labels, out: &mut dyn Write) -> io::Result<()> {
        for cut in &self.cuts {
            let points = self.points(cut);
            let (Some(first), Some(last)) = (points.first(), points.last()) else {
                continue;
            };
            let beyond = self.step * BEYOND;
            let top = (first.0, first.1 - beyond);
            let below = (last.0, last.1 + beyond);
            let line: Vec<_> = [top]
                .iter()
                .chain(&points)
                .chain([&below])
                .map(|(x, y)| format!("{x:.1} {y:.1}"))
                .collect();
            let class = match cut.violation {
                None => "cut",
                Some(_) => "inconsistent",
            };
            let words = escaped(&cut.words(self.picture.computation));
            writeln!(
                out,
                r#"<path class="{class}" d="M{}"><title>{words}</title></path>"#,
                line.join(" L")
            )?;
            let verdict = match cut.violation {
                None => "",
                Some(_) => ", inconsistent",
            };
            let name = format!("snapshot {}{verdict}", cut.snapshot);
            let width = labels::width(&name);
            let most = 900.0 - 5.0 - width;
            let at = |x: f64, y: f64| (x.clamp(self.left.min(most), most), y);
            let above = [0.5, 0.0, 1.0].map(|part| at(top.0 - width * part, top.1 - 4.0));
            let below = [0.5, 0.0, 1.0].map(|part| at(below.0 - width * part, below.1 + 11.0));
            labels.place(&name, above.into_iter().chain(below));
        }
        Ok(())
    }

    /// Where the line goes: through the events of the snapshot, from the first lane to the last.
    fn points(&self, cut: &Recorded) -> Vec<(f64, f64)> {
        let place = |id: &EventId| Some((self.x(*id), self.y(*id)?));
        let records = cut.records.iter().filter(|id| self.drawn(**id));
        let mut points: Vec<_> = records.filter_map(place).collect();
        if self.picture.lanes == Lanes::Process {
            // What has not recorded its state is in the past to the end.
            let others = cut
                .others
                .iter()
                .filter_map(|process| self.lane_of.get(process));
            points.extend(others.map(|lane| (self.end(), self.y_of_lane(*lane))));
        }
        points.sort_by(|one, other| one.1.total_cmp(&other.1));
        points
    }

    /// Whether a message makes a cut inconsistent.
    pub(super) fn makes_inconsistent(&self, link: &Link) -> bool {
        let mut cuts = self.cuts.iter();
        cuts.any(|cut| cut.violation == Some(*link))
    }
}
