//! The space-time diagram as a picture for a report: SVG 1.1, time to the right.

mod marks;

use std::{
    collections::HashMap,
    io::{self, Write},
    ops::Range,
};

use common::text::micros;
use marks::{Legend, Mark, escaped};

use super::{
    EventId,
    computation::Computation,
    connections::{Served, served},
    matching::Link,
    order::LogicalTime,
    words::{Fields, shortened, words},
};
use crate::trace_flags::{Axis, Lanes};

/// A picture of these places in the order.
#[derive(Debug)]
pub struct Picture<'c> {
    /// What is drawn.
    pub computation: &'c Computation,
    /// Of it these events.
    pub events: Range<usize>,
    /// What goes from left to right.
    pub axis: Axis,
    /// What has a lane.
    pub lanes: Lanes,
}

// All lengths are in SVG's user units, which are pixels where nothing else is said.
const TOP: f64 = 46.0;
const RIGHT: f64 = 30.0;
const LANE: f64 = 46.0;
/// A lane among more than this many is lower.
const MANY: usize = 12;
const LOW_LANE: f64 = 24.0;
const COLUMN: (f64, f64) = (9.0, 84.0);
const WIDTH: f64 = 1400.0;
/// How wide an idle stretch that is cut out still is.
const IDLE: f64 = 80.0;
/// No viewer shows a wider picture well.
const WIDEST: f64 = 200_000.0;
const LEGEND: f64 = 64.0;
/// How many messages still have their names written on them.
const LABELLED: usize = 40;

const STYLE: &str = "\
text{font:12px system-ui,'DejaVu Sans',sans-serif;fill:#222}.small{font-size:10px;fill:#555}\
.lane{stroke:#999;stroke-width:1}.message{stroke:#555;stroke-width:1.2;fill:none}.inferred{stroke-dasharray:5 3}\
.reordered{stroke:#b8450f;stroke-width:1.6}.lost{stroke:#b00020;stroke-width:1.4}.tick{stroke:#e2e2e2}.idle{stroke:#aaa;stroke-dasharray:2 4}\
.bar{fill:#56b4e9;fill-opacity:.35;stroke:#0072b2;stroke-width:.8}.send{fill:#0072b2}.receive{fill:#009e73}\
.local{fill:#e69f00}.begin{fill:#fff;stroke:#555;stroke-width:1.4}.error{stroke:#b00020;stroke-width:2.2;fill:none}\
.label{font-size:10px;fill:#333;paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}";

impl Picture<'_> {
    /// Writes it.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let plan = Plan::new(self);
        let (width, height) = (plan.width, plan.height);
        writeln!(
            out,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}" role="img">"#
        )?;
        let summary = self.computation.summary().text;
        writeln!(
            out,
            "<title>Space-time diagram: {}</title>",
            escaped(&summary)
        )?;
        writeln!(
            out,
            r##"<defs><marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0.6 8 4 0 7.4z" fill="#444"/></marker></defs>"##
        )?;
        writeln!(out, "<style>{STYLE}</style>")?;
        writeln!(out, r##"<rect width="100%" height="100%" fill="#fff"/>"##)?;
        plan.axis(out)?;
        plan.lanes(out)?;
        plan.bars(out)?;
        plan.messages(out)?;
        plan.marks(out)?;
        plan.legend(out)?;
        writeln!(out, "</svg>")
    }
}

/// Where everything stands.
struct Plan<'p> {
    picture: &'p Picture<'p>,
    /// The processes or threads that have a lane, and its name.
    lanes: Vec<(u32, String)>,
    lane_of: HashMap<u32, usize>,
    bars: Vec<Served>,
    left: f64,
    step: f64,
    width: f64,
    height: f64,
    /// What the axis begins and ends with: Lamport times, or microseconds.
    from: i64,
    until: i64,
    /// How wide one unit of it is.
    scale: f64,
    /// Stretches in which nothing happens, and that are cut out: from, and until.
    idle: Vec<(i64, i64)>,
}

impl<'p> Plan<'p> {
    fn new(picture: &'p Picture<'p>) -> Self {
        let trace = &picture.computation.trace;
        let drawn = &picture.computation.order.sequence[picture.events.clone()];
        let by_thread = picture.lanes == Lanes::Thread;
        let lane_id = |id: EventId| match by_thread {
            true => trace.events[id].thread,
            false => trace.events[id].process,
        };
        let mut ids: Vec<u32> = drawn.iter().map(|id| lane_id(*id)).collect();
        ids.sort_unstable();
        ids.dedup();
        let name = |id: u32| match by_thread {
            false => trace.processes[id as usize].name.clone(),
            true => {
                let thread = &trace.threads[id as usize];
                let process = &trace.processes[thread.process as usize];
                format!("{} · {}", process.name, thread.name)
            }
        };
        let lanes: Vec<_> = ids.into_iter().map(|id| (id, name(id))).collect();
        let lane_of = lanes
            .iter()
            .enumerate()
            .map(|(lane, (id, _))| (*id, lane))
            .collect();
        let longest = lanes
            .iter()
            .map(|(_, name)| shortened(name, 40).chars().count())
            .max();
        let left = 24.0 + 7.2 * longest.unwrap_or(0) as f64;
        let mut plan = Self {
            picture,
            lane_of,
            bars: match (by_thread, picture.axis) {
                (false, Axis::Logical) => Vec::new(),
                _ => served(trace),
            },
            left,
            step: if lanes.len() > MANY { LOW_LANE } else { LANE },
            height: 0.0,
            lanes,
            width: 0.0,
            from: 0,
            until: 0,
            scale: 1.0,
            idle: Vec::new(),
        };
        let values: Vec<i64> = drawn.iter().filter_map(|id| plan.value(*id)).collect();
        plan.from = values.iter().copied().min().unwrap_or(0);
        plan.until = values.iter().copied().max().unwrap_or(0);
        plan.cut_idle_out(values);
        if !by_thread {
            plan.bars.clear();
        }
        let cut: i64 = plan.idle.iter().map(|(from, until)| until - from).sum();
        let span = (plan.until - plan.from - cut).max(1) as f64;
        plan.scale = match picture.axis {
            Axis::Logical => (WIDTH / span).clamp(COLUMN.0.min(WIDEST / span), COLUMN.1),
            Axis::Wall => (WIDTH - IDLE * plan.idle.len() as f64) / span,
        };
        plan.width = (plan.x_of(plan.until) + RIGHT).max(760.0);
        plan.height = TOP + plan.step * plan.lanes.len() as f64 + 20.0 + LEGEND;
        plan
    }

    fn value(&self, id: EventId) -> Option<i64> {
        match self.picture.axis {
            Axis::Logical => self.picture.computation.order.time[id].try_into().ok(),
            Axis::Wall => self.picture.computation.trace.events[id].time,
        }
    }

    fn x(&self, id: EventId) -> f64 {
        self.x_of(self.value(id).unwrap_or(self.from))
    }

    fn x_of(&self, value: i64) -> f64 {
        let mut passed = value - self.from;
        let mut cuts = 0.0;
        for (from, until) in self.idle.iter().take_while(|(from, _)| *from < value) {
            // In the middle of one, as far as it goes.
            let part = (value.min(*until) - from) as f64 / (until - from) as f64;
            passed -= value.min(*until) - from;
            cuts += part * IDLE;
        }
        self.left + 10.0 + passed as f64 * self.scale + cuts
    }

    /// Whoever starts programs by hand leaves the machine idle most of the time.
    fn cut_idle_out(&mut self, mut times: Vec<i64>) {
        /// What is cut out is at least so much of the whole.
        const PART: i64 = 8;
        if self.picture.axis == Axis::Logical {
            return;
        }
        times.sort_unstable();
        let least = ((self.until - self.from) / PART).max(1);
        let time = |id: EventId| self.picture.computation.trace.events[id].time;
        // Nobody is idle while a client waits for an answer.
        let served = |pair: &[i64]| {
            let mut bars = self
                .bars
                .iter()
                .map(|bar| (time(bar.from), time(bar.until)));
            bars.any(|(from, until)| from < Some(pair[1]) && until > Some(pair[0]))
        };
        let gaps = times
            .windows(2)
            .filter(|pair| pair[1] - pair[0] > least && !served(pair));
        self.idle = gaps.map(|pair| (pair[0], pair[1])).collect();
    }

    fn lane(&self, id: EventId) -> Option<usize> {
        let event = &self.picture.computation.trace.events[id];
        let lane = match self.picture.lanes {
            Lanes::Thread => event.thread,
            Lanes::Process => event.process,
        };
        self.lane_of.get(&lane).copied()
    }

    fn y_of_lane(&self, lane: usize) -> f64 {
        TOP + self.step * (lane as f64 + 0.5)
    }

    fn y(&self, id: EventId) -> Option<f64> {
        self.lane(id).map(|lane| self.y_of_lane(lane))
    }

    /// Whether it is one of those that are drawn.
    fn drawn(&self, id: EventId) -> bool {
        let rank = self.picture.computation.order.rank[id] as usize;
        self.picture.events.contains(&rank)
    }

    fn events(&self) -> &[EventId] {
        &self.picture.computation.order.sequence[self.picture.events.clone()]
    }

    fn bottom(&self) -> f64 {
        TOP + self.step * self.lanes.len() as f64
    }

    fn axis(&self, out: &mut dyn Write) -> io::Result<()> {
        let (title, offset) = match self.picture.axis {
            Axis::Logical => (self.logical(), 0),
            Axis::Wall => ("time since the first event", self.from),
        };
        writeln!(out, r#"<text x="12" y="18">{title} →</text>"#)?;
        // Round steps, about a hundred units apart.
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
                let words = match self.picture.axis {
                    Axis::Wall if value != 0 => micros(value.unsigned_abs()),
                    _ => value.to_string(),
                };
                let (top, bottom) = (TOP - 10.0, self.bottom());
                writeln!(
                    out,
                    r#"<line class="tick" x1="{x:.1}" x2="{x:.1}" y1="{top}" y2="{bottom}"/><text class="small" x="{x:.1}" y="{:.1}" text-anchor="middle">{words}</text>"#,
                    top - 4.0
                )?;
            }
            value += step;
        }
        for (from, until) in &self.idle {
            let middle = self.x_of(*from) + IDLE / 2.0;
            let (top, bottom) = (TOP - 10.0, self.bottom());
            let words = micros(until.abs_diff(*from));
            writeln!(
                out,
                r#"<line class="idle" x1="{middle:.1}" x2="{middle:.1}" y1="{top}" y2="{bottom}"/><text class="small" x="{middle:.1}" y="{:.1}" text-anchor="middle">{words} idle</text>"#,
                top - 4.0
            )?;
        }
        Ok(())
    }

    /// What the logical axis shows.
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

    fn lanes(&self, out: &mut dyn Write) -> io::Result<()> {
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

    fn bars(&self, out: &mut dyn Write) -> io::Result<()> {
        for bar in &self.bars {
            let (Some(lane), true) = (self.lane_of.get(&bar.thread), self.drawn(bar.until)) else {
                continue;
            };
            let (from, until) = (self.x(bar.from).max(self.left), self.x(bar.until));
            let high = (self.step * 0.6).min(20.0);
            let y = self.y_of_lane(*lane) - high / 2.0;
            let wide = (until - from).max(1.5);
            let peer = escaped(&bar.peer);
            writeln!(
                out,
                r#"<rect class="bar" x="{from:.1}" y="{y:.1}" width="{wide:.1}" height="{high:.1}" rx="3"><title>{peer}</title></rect>"#
            )?;
            // The whole address, or where there is no room its port.
            let port = bar
                .peer
                .rfind(':')
                .map_or(bar.peer.as_str(), |at| &bar.peer[at..]);
            let fits = |words: &&str| wide > 24.0 + 5.6 * words.chars().count() as f64;
            if let Some(words) = [bar.peer.as_str(), port].into_iter().find(fits) {
                writeln!(
                    out,
                    r#"<text class="small" x="{:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
                    from + wide / 2.0,
                    y + high / 2.0 + 3.5,
                    escaped(words)
                )?;
            }
        }
        Ok(())
    }

    fn messages(&self, out: &mut dyn Write) -> io::Result<()> {
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
            // The tip ends at the mark and not in it.
            let length = (x2 - x1).hypot(y2 - y1).max(1.0);
            let (dx, dy) = ((x2 - x1) / length * 5.5, (y2 - y1) / length * 5.5);
            let way = if y1 == y2 {
                // To itself: a bow above the lane.
                let high = self.step * 0.38;
                format!(
                    "M{x1:.1} {y1:.1} Q{:.1} {:.1} {x2:.1} {:.1}",
                    (x1 + x2) / 2.0,
                    y1 - 2.0 * high,
                    y2 - 5.5
                )
            } else {
                format!("M{x1:.1} {y1:.1} L{:.1} {:.1}", x2 - dx, y2 - dy)
            };
            writeln!(
                out,
                r#"<path class="{class}" d="{way}" marker-end="url(#tip)"/>"#
            )?;
        }
        if links.len() <= LABELLED {
            self.labels(&links, out)?;
        }
        for id in &computation.traffic.lost_sends {
            if let (true, Some(y)) = (self.drawn(*id), self.y(*id)) {
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

    /// Names messages, each once, where there is room.
    fn labels(&self, links: &[&Link], out: &mut dyn Write) -> io::Result<()> {
        const LETTER: f64 = 5.6;
        const HIGH: f64 = 11.0;
        let mut named: Vec<EventId> = Vec::new();
        let mut taken: Vec<(f64, f64, f64)> = Vec::new();
        for link in links {
            let (Some(y1), Some(y2)) = (self.y(link.from), self.y(link.to)) else {
                continue;
            };
            if named.contains(&link.from) || y1 == y2 {
                continue;
            }
            let fields = Fields::of(&self.picture.computation.trace, link.from);
            let name = ["message_type", "name", "text"]
                .into_iter()
                .find_map(|field| fields.get(field))
                .unwrap_or_default();
            let name = shortened(name, 22);
            let (x1, x2) = (self.x(link.from), self.x(link.to));
            let wide = name.chars().count() as f64 * LETTER;
            let free = |(x, y): &(f64, f64)| {
                let apart = |(other, at, to): &(f64, f64, f64)| {
                    (other - y).abs() > HIGH || x + wide < *at || x > to
                };
                taken.iter().all(apart)
            };
            let along = |part: f64| (x1 + (x2 - x1) * part + 5.0, y1 + (y2 - y1) * part + 3.0);
            let Some((x, y)) = [0.3, 0.5, 0.7, 0.4, 0.6].map(along).into_iter().find(free) else {
                continue;
            };
            named.push(link.from);
            taken.push((y, x, x + wide));
            writeln!(
                out,
                r#"<text class="label" x="{x:.1}" y="{y:.1}">{}</text>"#,
                escaped(&name)
            )?;
        }
        Ok(())
    }

    fn marks(&self, out: &mut dyn Write) -> io::Result<()> {
        let computation = self.picture.computation;
        for id in self.events() {
            let Some(y) = self.y(*id) else { continue };
            let event = &computation.trace.events[*id];
            let name = &computation.trace.processes[event.process as usize].name;
            let title = format!("{name} {}", words(&computation.trace, *id));
            let time = match computation.order.shown_time(&computation.trace, *id) {
                None => String::new(),
                Some(LogicalTime::Carried(time)) => format!(", Lamport time {time}"),
                Some(LogicalTime::Computed(time)) => format!(", computed Lamport time {time}"),
            };
            let title = format!(
                "event {}{time}: {}",
                computation.order.rank[*id],
                shortened(&title, 200)
            );
            write!(out, "<g>")?;
            self.mark(*id).write(out, self.x(*id), y)?;
            writeln!(out, "<title>{}</title></g>", escaped(&title))?;
        }
        Ok(())
    }

    fn legend(&self, out: &mut dyn Write) -> io::Result<()> {
        let computation = self.picture.computation;
        let marks: Vec<Mark> = self.events().iter().map(|id| self.mark(*id)).collect();
        let legend = Legend {
            bottom: self.bottom(),
            marks: &marks,
            inferred: computation.traffic.inferred > 0,
            reordered: computation.traffic.reordered > 0,
            lost: !computation.traffic.lost_sends.is_empty(),
            bars: !self.bars.is_empty(),
            summary: &computation.summary().text,
        };
        legend.write(out)
    }

    fn mark(&self, id: EventId) -> Mark {
        Mark::of(self.picture.computation.role(id))
    }
}
