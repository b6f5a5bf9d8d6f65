//! The geometry of a picture: lanes, and the scale of the axis.

use std::{collections::HashMap, ops::Range};

use common::event::Kind;

use super::labels::LETTER;
use crate::{
    trace::{
        EventId,
        computation::Computation,
        connections::{Served, served},
        cut::{Recorded, recorded},
        lane_order::lane_order,
        spans::{self, Section, Term},
        words::short_name,
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
pub(super) const TOP: f64 = 50.0;
const RIGHT: f64 = 34.0;
const LANE: f64 = 46.0;
/// With more lanes than this each is lower.
pub(super) const MANY: usize = 12;
const LOW_LANE: f64 = 28.0;
/// The largest width of one Lamport time.
const COLUMN: f64 = 180.0;
/// The width of a page of a report, and of a page of documentation: with it no text is made smaller.
pub(super) const WIDTH: f64 = 900.0;
/// The width of an idle interval that is cut out.
pub(super) const IDLE: f64 = 70.0;
/// The most letters of a name.
pub(super) const NAME: usize = 24;

/// The geometry of a picture.
pub(super) struct Plan<'p> {
    pub(super) picture: &'p Picture<'p>,
    /// The processes or threads that have a lane, and their names.
    pub(super) lanes: Vec<(u32, String)>,
    pub(super) lane_of: HashMap<u32, usize>,
    pub(super) bars: Vec<Served>,
    /// The entries to the critical section.
    pub(super) entries: Vec<Section>,
    /// The terms of leaders.
    pub(super) terms: Vec<Term>,
    /// The cuts of snapshots.
    pub(super) cuts: Vec<Recorded>,
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
        let order = lane_order(trace, &picture.computation.links);
        let mut place = vec![0; order.len()];
        for (lane, process) in order.into_iter().enumerate() {
            place[process as usize] = lane;
        }
        // The threads of a process have adjacent numbers.
        ids.sort_unstable_by_key(|id| match by_thread {
            true => (place[trace.threads[*id as usize].process as usize], *id),
            false => (place[*id as usize], *id),
        });
        ids.dedup();
        let mut threads = vec![0; trace.processes.len()];
        for thread in &trace.threads {
            threads[thread.process as usize] += 1;
        }
        let name = |id: u32| match by_thread {
            false => trace.processes[id as usize].name.clone(),
            true => {
                let thread = &trace.threads[id as usize];
                let process = &trace.processes[thread.process as usize];
                match threads[thread.process as usize] {
                    1 => process.name.clone(),
                    _ => format!("{} · {}", process.name, thread.name),
                }
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
            .map(|(_, name)| short_name(name, NAME).chars().count())
            .max();
        // At least the title of the lanes.
        let left = 24.0 + LETTER * longest.unwrap_or(0).max(8) as f64;
        let mut plan = Self {
            picture,
            lane_of,
            bars: match (by_thread, picture.axis) {
                (false, Axis::Logical) => Vec::new(),
                _ => served(trace),
            },
            entries: Vec::new(),
            terms: Vec::new(),
            cuts: recorded(picture.computation),
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
        let room = WIDTH - RIGHT - plan.left - 10.0 - IDLE * plan.idle.len() as f64;
        plan.scale = match picture.axis {
            Axis::Logical => (room / span).min(COLUMN),
            Axis::Wall => room / span,
        };
        plan.width = WIDTH;
        plan.entries = spans::sections(trace, drawn);
        plan.terms = spans::terms(trace, drawn);
        let mut cuts = std::mem::take(&mut plan.cuts);
        cuts.retain(|cut| cut.records.iter().any(|id| plan.drawn(*id)));
        plan.cuts = cuts;
        plan.height = plan.bottom() + plan.legend_height();
        plan
    }

    /// The end of the lanes.
    pub(super) fn end(&self) -> f64 {
        self.x_of(self.until) + 14.0
    }

    /// Whether the process of the connection accepted it.
    pub(super) fn is_server(&self, bar: &Served) -> bool {
        let trace = &self.picture.computation.trace;
        // After another connection, of a thread of the pool.
        matches!(trace.events[bar.from].kind, Kind::Accept | Kind::Close)
    }

    /// Whether the bar of a critical section stands for the event.
    pub(super) fn is_entry(&self, id: EventId) -> bool {
        let rank = |id: EventId| self.picture.computation.order.rank[id];
        let found = self
            .entries
            .binary_search_by_key(&rank(id), |entry| rank(entry.0));
        found.is_ok()
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
