//! The counts of messages: received, lost, duplicated, reordered. They are facts, not violations.

use common::{event::Kind, process::run_event::ALL_PROCESSES};
use hashbrown::{HashMap, HashSet};

use super::{Event, EventId, Trace, matching::Links};

/// The counts of messages.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Sends.
    pub sent: u64,
    /// Receives.
    pub received: u64,
    /// Receives whose send is inferred.
    pub inferred: u64,
    /// Sends that no process received although the receiver's log is present; and at members of a group, numbers missing between
    /// two received ones.
    pub lost: u64,
    /// Sends to processes without a log.
    pub unlogged: u64,
    /// Receives of a message that the same process had received before.
    pub duplicates: u64,
    /// Receives after a message of the same sender that was sent later.
    pub reordered: u64,
    /// The lost sends that no process received.
    pub lost_sends: Vec<EventId>,
    /// The reordered receives.
    pub reordered_receives: HashSet<EventId>,
    /// The members of groups that miss messages: by the sender's process, the sender and the group in its messages.
    incomplete: HashMap<Route, Vec<Member>>,
}

/// A member of a group: its process, and the first and the last number that it received.
type Member = (u32, u64, u64);

impl Traffic {
    /// The members of a group that did not receive this multicast, although they received one before and one after it.
    pub fn missed(&self, trace: &Trace, links: &Links, send: EventId) -> Vec<u32> {
        let event = &trace.events[send];
        let message = trace.message(event).filter(|_| event.kind == Kind::Send);
        let Some(message) = message else {
            return Vec::new();
        };
        let route = (event.process, message.from, message.to);
        let members = self.incomplete.get(&route);
        if members.is_none() || links.from(send).len() == 0 {
            return Vec::new();
        }
        let received = |process: u32| {
            let mut effects = links.from(send);
            effects.any(|effect| trace.events[effect].process == process)
        };
        let missed = members
            .into_iter()
            .flatten()
            .filter(|(process, first, last)| {
                (*first..=*last).contains(&message.number) && !received(*process)
            });
        let mut missed: Vec<u32> = missed.map(|(process, ..)| *process).collect();
        missed.sort_unstable();
        missed
    }
}

/// From a process, with its name in its messages, to a process.
type Route = (u32, u32, u32);

/// The messages received on all routes.
#[derive(Debug, Default)]
struct Streams {
    /// The indices of the routes in `highest`.
    routes: HashMap<Route, u32>,
    /// The highest number that was received.
    highest: Vec<u64>,
    /// The indices of routes and destinations in `numbers`.
    destinations: HashMap<(Route, u32), u32>,
    numbers: Vec<Numbers>,
    /// The last route of the messages of each channel, and both indices. Nearly all channels have one.
    of_channel: Vec<Option<(Route, Indices)>>,
}

/// The indices of a route in `highest`, and of its destination in `numbers`.
#[derive(Clone, Copy, Debug)]
struct Indices {
    route: usize,
    destination: usize,
}

/// The first and the last number, and how many different ones were received.
#[derive(Clone, Copy, Debug)]
struct Numbers {
    first: u64,
    last: u64,
    different: u64,
}

impl Streams {
    fn of(&mut self, channel: usize, route: Route, to: u32) -> Indices {
        if let Some((last, indices)) = self.of_channel[channel]
            && last == route
        {
            return indices;
        }
        let highest = &mut self.highest;
        let of_route = *self.routes.entry(route).or_insert_with(|| {
            highest.push(0);
            highest.len() as u32 - 1
        });
        let numbers = &mut self.numbers;
        let destination = *self.destinations.entry((route, to)).or_insert_with(|| {
            numbers.push(Numbers {
                first: u64::MAX,
                last: 0,
                different: 0,
            });
            numbers.len() as u32 - 1
        });
        let indices = Indices {
            route: of_route as usize,
            destination: destination as usize,
        };
        self.of_channel[channel] = Some((route, indices));
        indices
    }
}

/// Counts the messages.
pub fn count(trace: &Trace, links: &Links) -> Traffic {
    let mut counter = TrafficCounter::new(trace);
    (0..trace.events.len()).for_each(|event| counter.see(trace, links, event));
    counter.result(trace, links)
}

/// Counts the messages event by event. Those of each process come in its order.
#[derive(Debug)]
pub struct TrafficCounter {
    traffic: Traffic,
    streams: Streams,
    /// The parties with a log: those that send or receive in one.
    here: Vec<bool>,
    /// Who receives a message to all others is one of them, and not all.
    is_one: Vec<bool>,
    /// The receiver does not know the numbers of messages between addresses.
    is_numbered: Vec<bool>,
    /// The parties whose process suppressed events.
    suppressed: Vec<bool>,
    /// The destinations of messages that several processes received.
    groups: HashSet<u32>,
    /// The sends that no process received, with their destinations.
    unreceived: Vec<(EventId, u32)>,
}

impl TrafficCounter {
    /// Before the first event.
    pub fn new(trace: &Trace) -> Self {
        let nodes: HashSet<&str> = trace.processes.iter().map(|it| it.node.as_str()).collect();
        // A message to all others has a receiver with a log if there is another process.
        let named = |party: &String| match party.as_str() {
            ALL_PROCESSES => nodes.len() > 1,
            party => nodes.contains(party),
        };
        let parties = 0..trace.parties.len() as u32;
        let all = trace.parties.iter();
        Self {
            traffic: Traffic::default(),
            streams: Streams {
                of_channel: vec![None; trace.channels.len()],
                ..Streams::default()
            },
            here: all.clone().map(named).collect(),
            is_one: all.map(|party| party != ALL_PROCESSES).collect(),
            is_numbered: parties.map(|party| trace.has_name(party)).collect(),
            suppressed: vec![false; trace.parties.len()],
            groups: HashSet::new(),
            unreceived: Vec::new(),
        }
    }

    /// The next event.
    pub fn see(&mut self, trace: &Trace, links: &Links, id: EventId) {
        let event = &trace.events[id];
        match event.kind {
            Kind::Send => {
                let Some(message) = trace.message(event) else {
                    return;
                };
                let is_suppressed = trace.processes[event.process as usize].suppressed;
                self.traffic.sent += 1;
                self.here[message.from as usize] = true;
                self.suppressed[message.from as usize] |= is_suppressed;
                if links.from(id).len() == 0 && !is_suppressed {
                    self.unreceived.push((id, message.to));
                }
            }
            Kind::Receive => self.receive(trace, links, id, event),
            _ => {}
        }
    }

    fn receive(&mut self, trace: &Trace, links: &Links, id: EventId, event: &Event) {
        let is_suppressed = trace.processes[event.process as usize].suppressed;
        if let Some(message) = trace.message(event) {
            self.here[message.to as usize] |= self.is_one[message.to as usize];
            self.suppressed[message.to as usize] |= is_suppressed;
        }
        self.traffic.received += 1;
        let Some(link) = links.to(id).first() else {
            return;
        };
        self.traffic.inferred += u64::from(link.inferred);
        let send = &trace.events[link.from];
        let Some(sent) = trace.message(send) else {
            return;
        };
        self.here[sent.to as usize] |= self.is_one[sent.to as usize];
        if links.is_duplicate(trace, link) {
            self.traffic.duplicates += 1;
            return;
        }
        if !self.is_numbered[sent.from as usize] || !sent.is_numbered {
            return;
        }
        let route = (send.process, sent.from, event.process);
        let indices = self.streams.of(send.channel as usize, route, sent.to);
        let highest = &mut self.streams.highest[indices.route];
        if sent.number < *highest {
            self.traffic.reordered += 1;
            self.traffic.reordered_receives.insert(id);
        }
        *highest = (*highest).max(sent.number);
        if is_suppressed || trace.processes[send.process as usize].suppressed {
            return;
        }
        if links.from(link.from).len() > 1 {
            self.groups.insert(sent.to);
        }
        let numbers = &mut self.streams.numbers[indices.destination];
        numbers.first = numbers.first.min(sent.number);
        numbers.last = numbers.last.max(sent.number);
        numbers.different += 1;
    }

    /// The counts.
    pub fn result(mut self, trace: &Trace, links: &Links) -> Traffic {
        // In the order of the events, whatever they came in.
        self.unreceived.sort_unstable();
        for (id, to) in self.unreceived {
            if self.suppressed[to as usize] {
                continue;
            }
            if self.here[to as usize] {
                self.traffic.lost += 1;
                self.traffic.lost_sends.push(id);
            } else {
                self.traffic.unlogged += 1;
            }
        }
        let mut traffic = self.traffic;
        in_groups(trace, links, &self.streams, &self.groups, &mut traffic);
        traffic
    }
}

/// Counts the messages to groups that members miss between two that they received.
fn in_groups(
    trace: &Trace,
    links: &Links,
    streams: &Streams,
    groups: &HashSet<u32>,
    traffic: &mut Traffic,
) {
    if groups.is_empty() {
        return;
    }
    let mut sent: HashMap<Route, Vec<u64>> = HashMap::new();
    for (id, event) in trace.events.iter().enumerate() {
        if let (Kind::Send, Some(message)) = (event.kind, trace.message(event))
            && groups.contains(&message.to)
            // A message that no process received is counted already.
            && links.from(id).len() > 0
        {
            let route = (event.process, message.from, message.to);
            let numbers = sent.entry(route).or_default();
            numbers.push(message.number);
        }
    }
    sent.values_mut()
        .for_each(|numbers| numbers.sort_unstable());
    for (((process, from, member), to), destination) in &streams.destinations {
        let received = streams.numbers[*destination as usize];
        let route = (*process, *from, *to);
        let Some(numbers) = sent.get(&route).filter(|_| received.different > 0) else {
            continue;
        };
        let start = numbers.partition_point(|number| *number < received.first);
        let end = numbers.partition_point(|number| *number <= received.last);
        let missing = ((end - start) as u64).saturating_sub(received.different);
        traffic.lost += missing;
        if missing > 0 {
            let members = traffic.incomplete.entry(route).or_default();
            members.push((*member, received.first, received.last));
        }
    }
}
