//! The geometry of a picture: lanes, and the scale of the axis.

use std::{collections::HashMap, ops::Range};

use crate::{
    trace::{
        EventId,
        computation::Computation,
        connections::{Served, served},
        words::shortened,
    },
    trace_flags::{Axis, Lanes},
};

/// A picture of a range of the events.
#[derive(Debug)]
pub struct Picture<'c> {
    /// The computation.
    pub computation: &'c Computation,
    /// The events that are drawn, by their positions in causal order.
    pub events: Range<usize>,
    /// The horizontal axis.
    pub axis: Axis,
    /// What has a lane.
    pub lanes: Lanes,
}

// All lengths are in SVG's user units, which are pixels by default.
pub(super) const TOP: f64 = 46.0;
pub(super) const RIGHT: f64 = 30.0;
const LANE: f64 = 46.0;
/// With more lanes than this each is lower.
const MANY: usize = 12;
const LOW_LANE: f64 = 24.0;
const COLUMN: (f64, f64) = (9.0, 84.0);
const WIDTH: f64 = 1400.0;
/// The width of an idle interval that is cut out.
pub(super) const IDLE: f64 = 80.0;
/// No viewer shows a wider picture well.
const WIDEST: f64 = 200_000.0;
const LEGEND: f64 = 64.0;

/// The geometry of a picture.
pub(super) struct Plan<'p> {
    pub(super) picture: &'p Picture<'p>,
    /// The processes or threads that have a lane, and their names.
    pub(super) lanes: Vec<(u32, String)>,
    pub(super) lane_of: HashMap<u32, usize>,
    pub(super) bars: Vec<Served>,
    pub(super) left: f64,
    /// The height of a lane.
    pub(super) step: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    /// The first and the last value on the axis: Lamport times, or microseconds.
    pub(super) from: i64,
    pub(super) until: i64,
    /// The width of one unit of the axis.
    pub(super) scale: f64,
    /// The idle intervals that are cut out: from, until.
    pub(super) idle: Vec<(i64, i64)>,
}

impl<'p> Plan<'p> {
    pub(super) fn new(picture: &'p Picture<'p>) -> Self {
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

    /// The value of an event on the axis.
    fn value(&self, id: EventId) -> Option<i64> {
        match self.picture.axis {
            Axis::Logical => self.picture.computation.order.time[id].try_into().ok(),
            Axis::Wall => self.picture.computation.trace.events[id].time,
        }
    }

    pub(super) fn x(&self, id: EventId) -> f64 {
        self.x_of(self.value(id).unwrap_or(self.from))
    }

    pub(super) fn x_of(&self, value: i64) -> f64 {
        let mut passed = value - self.from;
        let mut cuts = 0.0;
        for (from, until) in self.idle.iter().take_while(|(from, _)| *from < value) {
            // A value inside an interval counts in proportion.
            let part = (value.min(*until) - from) as f64 / (until - from) as f64;
            passed -= value.min(*until) - from;
            cuts += part * IDLE;
        }
        self.left + 10.0 + passed as f64 * self.scale + cuts
    }

    /// Cuts idle intervals out: with programs that are started by hand the machine is idle most of the time.
    fn cut_idle_out(&mut self, mut times: Vec<i64>) {
        /// An interval that is cut out is longer than this part of the whole.
        const PART: i64 = 8;
        if self.picture.axis == Axis::Logical {
            return;
        }
        times.sort_unstable();
        let least = ((self.until - self.from) / PART).max(1);
        let time = |id: EventId| self.picture.computation.trace.events[id].time;
        // An interval in which a connection is open is not idle.
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

    pub(super) fn y_of_lane(&self, lane: usize) -> f64 {
        TOP + self.step * (lane as f64 + 0.5)
    }

    pub(super) fn y(&self, id: EventId) -> Option<f64> {
        self.lane(id).map(|lane| self.y_of_lane(lane))
    }

    /// Whether an event is drawn.
    pub(super) fn drawn(&self, id: EventId) -> bool {
        let rank = self.picture.computation.order.rank[id] as usize;
        self.picture.events.contains(&rank)
    }

    pub(super) fn events(&self) -> &[EventId] {
        &self.picture.computation.order.sequence[self.picture.events.clone()]
    }

    pub(super) fn bottom(&self) -> f64 {
        TOP + self.step * self.lanes.len() as f64
    }
}
