//! Happened-before (Lamport 1978): an order of all events in which every cause comes before its effects, and the
//! timestamps that follow from it.

use std::{cmp::Reverse, collections::BinaryHeap, fmt};

use super::{
    EventId, NONE, Trace,
    findings::Severity,
    matching::{Link, Links},
};
use crate::{happened_before::VectorTimes, property::Property};
use hashbrown::{HashMap, HashSet};

/// All events in an order that causes nothing before its cause, and with that as near as can be to that of time.
#[derive(Debug)]
pub struct Order {
    /// The events.
    pub sequence: Vec<EventId>,
    /// Each event's place in it.
    pub rank: Vec<u32>,
    /// For each event, the length of the longest chain of causes that ends with it.
    pub chain: Vec<u32>,
    /// For each event, its logical time (Lamport 1978): the clock that its log carries; in a process without logical clocks
    /// the one that follows from happened-before. Events that are not of the computation move no clock.
    pub time: Vec<u64>,
}

impl Order {
    /// The logical time to show: the clock that the log carries; computed only for a process whose log carries none.
    pub fn shown_time(&self, trace: &Trace, event: EventId) -> Option<LogicalTime> {
        let it = &trace.events[event];
        match it.clock {
            Some(clock) => Some(LogicalTime::Carried(clock)),
            None if trace.process_of(event).clocks || !it.kind.is_computation() => None,
            None => Some(LogicalTime::Computed(self.time[event])),
        }
    }
}

/// The logical time of an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogicalTime {
    /// The log carries it.
    Carried(u64),
    /// It follows from happened-before.
    Computed(u64),
}

impl fmt::Display for LogicalTime {
    /// A computed time stands in parentheses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Carried(time) => f.pad(&time.to_string()),
            Self::Computed(time) => f.pad(&format!("({time})")),
        }
    }
}

/// Orders the events. Where they form a cycle, it is reported and one link of it left out.
pub fn order(trace: &mut Trace, links: Links) -> (Order, Links) {
    let count = trace.events.len();
    let mut ordering = Ordering {
        trace,
        links: &links,
        waits_for: (0..count).map(|id| links.to(id).len() as u32).collect(),
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
        ordering.look_at(process);
    }
    let mut circles = Vec::new();
    loop {
        ordering.go_on();
        if ordering.order.sequence.len() == count {
            break;
        }
        circles.extend(ordering.break_circle());
    }
    let Ordering { order, out, .. } = ordering;
    for circle in circles {
        let words = circle_words(trace, &circle);
        trace
            .findings
            .add(Property::Order, Severity::Fail, || words);
    }
    let links = if out.is_empty() {
        links
    } else {
        links.without(&out)
    };
    (order, links)
}

struct Ordering<'t> {
    trace: &'t Trace,
    links: &'t Links,
    /// How many causes of each event are not in the order yet.
    waits_for: Vec<u32>,
    /// Each process's next event.
    next: Vec<EventId>,
    /// The next events that wait for nothing: the earliest first, where there are no clocks by logical time.
    ready: BinaryHeap<Reverse<(Option<i64>, u32, usize)>>,
    /// Links that are left out.
    out: HashSet<(EventId, EventId)>,
    order: Order,
}

impl Ordering<'_> {
    /// Is this process's next event ready?
    fn look_at(&mut self, process: usize) {
        let next = self.next[process];
        if next < self.trace.processes[process].events.end && self.waits_for[next] == 0 {
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
                // The clock of the event before stands.
                None if self.trace.processes[process].clocks => {
                    before.map_or(0, |before| self.order.time[before])
                }
                None => known.saturating_add(own.into()),
            };
            self.ready.push(Reverse((event.time, chain + own, process)));
        }
    }

    fn go_on(&mut self) {
        while let Some(Reverse((_, _, process))) = self.ready.pop() {
            let event = self.next[process];
            self.order.rank[event] = self.order.sequence.len() as u32;
            self.order.sequence.push(event);
            self.next[process] += 1;
            self.look_at(process);
            for effect in self.links.from(event) {
                if !self.out.contains(&(event, effect)) {
                    self.fulfil(effect);
                }
            }
        }
    }

    /// One cause less to wait for.
    fn fulfil(&mut self, effect: EventId) {
        self.waits_for[effect] -= 1;
        let process = self.trace.events[effect].process as usize;
        if self.waits_for[effect] == 0 && self.next[process] == effect {
            self.look_at(process);
        }
    }

    /// All that is left waits for something: finds a circle, and leaves out the link that time speaks against the most.
    /// The circle, that link first; none if it was only inferred, and so was wrong.
    fn break_circle(&mut self) -> Option<Vec<Link>> {
        let waiting = |process: usize| {
            let next = self.next[process];
            (next < self.trace.processes[process].events.end).then_some(next)
        };
        let mut at = (0..self.next.len())
            .find_map(waiting)
            .expect("some event is left");
        let mut way: Vec<Link> = Vec::new();
        let mut seen: HashMap<u32, usize> = HashMap::new();
        let mut circle = loop {
            let process = self.trace.events[at].process;
            if let Some(start) = seen.insert(process, way.len()) {
                break way.split_off(start);
            }
            let unknown = |link: &&Link| {
                self.order.rank[link.from] == NONE && !self.out.contains(&(link.from, link.to))
            };
            let link = self.links.to(at).iter().find(unknown);
            let link = *link.expect("what waits has a cause that is left");
            way.push(link);
            let process = self.trace.events[link.from].process as usize;
            at = waiting(process).expect("the cause itself is left");
        };
        let gained = |link: &Link| {
            let time = |event: EventId| self.trace.events[event].time;
            let gained = time(link.to).zip(time(link.from));
            (
                !link.inferred,
                gained.map(|(to, from)| to.saturating_sub(from)),
            )
        };
        let places = 0..circle.len();
        let worst = places.min_by_key(|place| gained(&circle[*place]));
        circle.rotate_left(worst.expect("a circle has links"));
        let link = circle[0];
        self.out.insert((link.from, link.to));
        self.fulfil(link.to);
        (!link.inferred).then_some(circle)
    }
}

fn circle_words(trace: &Trace, circle: &[Link]) -> String {
    /// How many messages of a cycle are reported.
    const REPORTED: usize = 4;
    let places = |link: &Link| (trace.place_of(link.to), trace.place_of(link.from));
    let others = circle[1..].iter().take(REPORTED).map(|link| {
        let (to, from) = places(link);
        format!("{to}, sent at {from}")
    });
    let others: Vec<_> = others.collect();
    let more = match others.len() {
        0 => String::new(),
        _ => format!(" (by the messages received at {})", others.join(", and ")),
    };
    let (here, there) = places(&circle[0]);
    format!("{here}: receives the message sent at {there}, before which it happened{more}")
}

/// Walks through all events in their order, each with its vector timestamp (Fidge 1988, Mattern 1989): how many events
/// of each process it knows, by the numbers of the processes; those behind the last that it knows are left out.
pub fn walk(trace: &Trace, links: &Links, order: &Order, mut visit: impl FnMut(EventId, &[u32])) {
    let mut times = VectorTimes::new(trace.processes.len(), trace.events.len());
    for event in &order.sequence {
        let process = trace.events[*event].process as usize;
        let causes = links.to(*event).iter().map(|link| link.from);
        let (own, effects) = (trace.own_entry(*event), links.from(*event).len());
        visit(*event, times.step(*event, process, own, causes, effects));
    }
}
