//! Happened-before (Lamport 1978): an order of all events in which every cause comes before its effects, and the
//! timestamps that follow from it.

use std::{cmp::Reverse, collections::BinaryHeap, rc::Rc};

use super::{
    EventId, NONE, Trace,
    findings::{Rule, Weight},
    matching::{Link, Links},
};
use hashbrown::{HashMap, HashSet};

/// All events in an order that causes nothing before its cause, and with that as near as can be to that of time.
#[derive(Debug)]
pub struct Order {
    /// The events.
    pub sequence: Vec<EventId>,
    /// Each event's place in it.
    pub rank: Vec<u32>,
    /// Each event's Lamport timestamp: the length of the longest chain of causes that ends with it.
    pub lamport: Vec<u32>,
}

/// Orders the events. Where they follow from one another in a circle, that is told and one link of the circle left out.
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
            lamport: vec![0; count],
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
        trace.findings.add(Rule::Order, Weight::Wrong, || words);
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
            let known = causes.chain(before).map(|cause| self.order.lamport[cause]);
            let lamport = known.max().unwrap_or(0) + 1;
            self.order.lamport[next] = lamport;
            let time = self.trace.events[next].time;
            self.ready.push(Reverse((time, lamport, process)));
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
    /// How many messages of a circle are told.
    const TOLD: usize = 4;
    let places = |link: &Link| (trace.place_of(link.to), trace.place_of(link.from));
    let others = circle[1..].iter().take(TOLD).map(|link| {
        let (to, from) = places(link);
        format!("{to}, sent at {from}")
    });
    let others: Vec<_> = others.collect();
    let more = match others.len() {
        0 => String::new(),
        _ => format!(" (by the messages received at {})", others.join(", and ")),
    };
    let (here, there) = places(&circle[0]);
    format!("{here}: receives what is sent at {there}, which follows from it{more}")
}

/// Walks through all events in their order, each with its vector timestamp (Fidge 1988, Mattern 1989): how many events
/// of each process it knows, by the numbers of the processes; those behind the last that it knows are left out.
pub fn walk(trace: &Trace, links: &Links, order: &Order, mut visit: impl FnMut(EventId, &[u32])) {
    let mut present: Vec<Vec<u32>> = vec![Vec::new(); trace.processes.len()];
    // What a sending knew, for as long as somebody will receive it.
    let mut sent: HashMap<EventId, (usize, Rc<[u32]>)> = HashMap::new();
    for event in &order.sequence {
        let event = *event;
        let process = trace.events[event].process as usize;
        let mine = &mut present[process];
        for link in links.to(event) {
            let Some((left, known)) = sent.get_mut(&link.from) else {
                continue;
            };
            if mine.len() < known.len() {
                mine.resize(known.len(), 0);
            }
            for (mine, theirs) in mine.iter_mut().zip(&**known) {
                *mine = (*mine).max(*theirs);
            }
            *left -= 1;
            if *left == 0 {
                sent.remove(&link.from);
            }
        }
        if mine.len() <= process {
            mine.resize(process + 1, 0);
        }
        mine[process] = trace.own_entry(event);
        visit(event, mine);
        let effects = links.from(event).len();
        if effects > 0 {
            sent.insert(event, (effects, Rc::from(&**mine)));
        }
    }
}
