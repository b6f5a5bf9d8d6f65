//! Happened-before (Lamport 1978): a total order of all events that extends it, and the Lamport and vector timestamps.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, binary_heap::PeekMut},
    fmt,
};

use common::process::{happened_before::VectorTimes, property::Property};
use hashbrown::{HashMap, HashSet};

use super::{
    EventId, NONE, Trace,
    findings::Severity,
    matching::{Link, Links},
};

/// A total order of all events that extends happened-before, and otherwise is the order of wall-clock time.
#[derive(Debug)]
pub struct Order {
    /// The events in this order.
    pub sequence: Vec<EventId>,
    /// The position of each event in it.
    pub rank: Vec<u32>,
    /// For each event, the length of the longest chain of causes that ends with it.
    pub chain: Vec<u32>,
    /// For each event, its logical time (Lamport 1978): the clock in its log, or in a process without logical clocks the time
    /// computed from happened-before. Only events of the computation advance it.
    pub time: Vec<u64>,
}

impl Order {
    /// The logical time that is shown: the clock in the log; computed only for a process whose log contains none.
    pub fn shown_time(&self, trace: &Trace, event: EventId) -> Option<LogicalTime> {
        let logged = &trace.events[event];
        match logged.clock {
            Some(clock) => Some(LogicalTime::Carried(clock)),
            None if trace.process_of(event).clocks || !logged.kind.is_computation() => None,
            None => Some(LogicalTime::Computed(self.time[event])),
        }
    }
}

/// The logical time of an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogicalTime {
    /// From the log.
    Carried(u64),
    /// Computed from happened-before.
    Computed(u64),
}

impl fmt::Display for LogicalTime {
    /// A computed time is in parentheses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Carried(time) => f.pad(&time.to_string()),
            Self::Computed(time) => f.pad(&format!("({time})")),
        }
    }
}

/// The events in order, and the links between them.
#[derive(Debug)]
pub struct Ordered {
    /// The order.
    pub order: Order,
    /// The links without those that were left out.
    pub links: Links,
    /// The links that were left out because they close a cycle.
    pub left_out: Vec<Link>,
}

/// Orders the events. A cycle is reported, and one of its links is left out.
pub fn order(trace: &mut Trace, links: Links) -> Ordered {
    let count = trace.events.len();
    let mut ordering = Ordering {
        trace,
        links: &links,
        pending_causes: (0..count).map(|id| links.to(id).len() as u32).collect(),
        next: trace.processes.iter().map(|it| it.events.start).collect(),
        ready: BinaryHeap::new(),
        out: HashSet::new(),
        order: Order {
            sequence: Vec::with_capacity(count),
            rank: vec![NONE; count],
            chain: vec![0; count],
            time: vec![0; count],
        },
    };
    for process in 0..ordering.next.len() {
        ordering.try_next(process);
    }
    let mut cycles = Vec::new();
    loop {
        ordering.take_ready();
        if ordering.order.sequence.len() == count {
            break;
        }
        cycles.extend(ordering.break_cycle());
    }
    let Ordering { order, out, .. } = ordering;
    for cycle in cycles {
        let words = cycle_words(trace, &cycle);
        trace
            .findings
            .add(Property::Order, Severity::Fail, || words);
    }
    let (links, left_out) = links.without(&out);
    Ordered {
        order,
        links,
        left_out,
    }
}

struct Ordering<'t> {
    trace: &'t Trace,
    links: &'t Links,
    /// The number of causes of each event that are not in the order yet.
    pending_causes: Vec<u32>,
    /// Each process's next event.
    next: Vec<EventId>,
    /// The next events whose causes are in the order, the earliest first; without wall-clock times by logical time.
    ready: BinaryHeap<Reverse<Ready>>,
    /// Links that are left out.
    out: HashSet<(EventId, EventId)>,
    order: Order,
}

/// An event that is ready, by its time, its logical time and its process.
type Ready = (i64, u64, usize);

impl Ordering<'_> {
    /// Adds the process's next event to the ready ones if its causes are in the order.
    fn try_next(&mut self, process: usize) {
        let next = self.ready_next(process);
        self.ready.extend(next.map(Reverse));
    }

    /// The process's next event if its causes are in the order.
    fn ready_next(&mut self, process: usize) -> Option<Ready> {
        let next = self.next[process];
        if next == self.trace.processes[process].events.end || self.pending_causes[next] > 0 {
            return None;
        }
        let causes = self.links.to(next).iter().map(|link| link.from);
        let causes = causes.filter(|cause| !self.out.contains(&(*cause, next)));
        let before = self.trace.before(next);
        let event = &self.trace.events[next];
        let own = u32::from(event.kind.is_computation());
        let (mut chain, mut known) = (0, 0);
        for cause in causes.chain(before) {
            chain = chain.max(self.order.chain[cause]);
            known = known.max(self.order.time[cause]);
        }
        self.order.chain[next] = chain + own;
        self.order.time[next] = match event.clock {
            Some(clock) => clock,
            // Its process keeps the clock of the event before.
            None if self.trace.processes[process].clocks => {
                before.map_or(0, |before| self.order.time[before])
            }
            None => known.saturating_add(own.into()),
        };
        let logical = self.order.time[next];
        // One without a time comes before the others.
        Some((event.time.unwrap_or(i64::MIN), logical, process))
    }

    /// Appends all events that are ready, and those that become ready.
    fn take_ready(&mut self) {
        while let Some(Reverse((_, _, process))) = self.ready.peek().copied() {
            let event = self.next[process];
            self.order.rank[event] = self.order.sequence.len() as u32;
            self.order.sequence.push(event);
            self.next[process] += 1;
            // Where the process's next event is ready, it takes the place of this one.
            match (self.ready_next(process), self.ready.peek_mut()) {
                (Some(next), Some(mut first)) => *first = Reverse(next),
                (_, first) => drop(first.map(PeekMut::pop)),
            }
            for effect in self.links.from(event) {
                if !self.out.contains(&(event, effect)) {
                    self.cause_done(effect);
                }
            }
        }
    }

    /// One more cause of this event is in the order.
    fn cause_done(&mut self, effect: EventId) {
        self.pending_causes[effect] -= 1;
        let process = self.trace.events[effect].process as usize;
        if self.pending_causes[effect] == 0 && self.next[process] == effect {
            self.try_next(process);
        }
    }

    /// All remaining events have pending causes: finds a cycle, and leaves out the link that contradicts wall-clock time the
    /// most, inferred ones first. Returns the cycle, beginning with that link; None if the link was only inferred.
    fn break_cycle(&mut self) -> Option<Vec<Link>> {
        let waiting = |process: usize| {
            let next = self.next[process];
            (next < self.trace.processes[process].events.end).then_some(next)
        };
        let mut at = (0..self.next.len())
            .find_map(waiting)
            .expect("an event remains");
        let mut path: Vec<Link> = Vec::new();
        let mut seen: HashMap<u32, usize> = HashMap::new();
        let mut cycle = loop {
            let process = self.trace.events[at].process;
            if let Some(start) = seen.insert(process, path.len()) {
                break path.split_off(start);
            }
            let unknown = |link: &&Link| {
                self.order.rank[link.from] == NONE && !self.out.contains(&(link.from, link.to))
            };
            let link = self.links.to(at).iter().find(unknown);
            let link = *link.expect("an event with pending causes has a remaining cause");
            path.push(link);
            let process = self.trace.events[link.from].process as usize;
            at = waiting(process).expect("the cause itself remains");
        };
        let delay = |link: &Link| {
            let time = |event: EventId| self.trace.events[event].time;
            let delay = time(link.to).zip(time(link.from));
            (
                !link.inferred,
                delay.map(|(to, from)| to.saturating_sub(from)),
            )
        };
        let places = 0..cycle.len();
        let worst = places.min_by_key(|place| delay(&cycle[*place]));
        cycle.rotate_left(worst.expect("a cycle has links"));
        let link = cycle[0];
        self.out.insert((link.from, link.to));
        self.cause_done(link.to);
        (!link.inferred).then_some(cycle)
    }
}

fn cycle_words(trace: &Trace, cycle: &[Link]) -> String {
    /// How many messages of a cycle are reported.
    const REPORTED: usize = 4;
    let places = |link: &Link| (trace.place_of(link.to), trace.place_of(link.from));
    let others = cycle[1..].iter().take(REPORTED).map(|link| {
        let (to, from) = places(link);
        format!("{to}, sent at {from}")
    });
    let others: Vec<_> = others.collect();
    let more = match others.len() {
        0 => String::new(),
        _ => format!(" (by the messages received at {})", others.join(", and ")),
    };
    let (here, there) = places(&cycle[0]);
    format!("{here}: receives the message sent at {there}, before which it happened{more}")
}

/// Calls `visit` for all events in this order, each with its vector timestamp (Fidge 1988, Mattern 1989): how many events of each
/// process happened before it, by the index of the process; zeros at the end are left out.
pub fn walk(trace: &Trace, links: &Links, order: &Order, mut visit: impl FnMut(EventId, &[u32])) {
    let mut times = VectorTimes::new(trace.processes.len(), trace.events.len());
    for event in &order.sequence {
        let process = trace.events[*event].process as usize;
        let causes = links.to(*event).iter().map(|link| link.from);
        let (own, effects) = (trace.own_entry(*event), links.from(*event).len());
        visit(*event, times.step(*event, process, own, causes, effects));
    }
}
