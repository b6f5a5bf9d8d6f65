//! The counts of messages: received, lost, duplicated, reordered. They are facts, not violations.

use common::event::Kind;

use super::{EventId, Trace, matching::Links};
use hashbrown::{HashMap, HashSet};

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
        let message = event.message().filter(|_| event.kind == Kind::Send);
        let Some(message) = message.map(|message| &trace.messages[message]) else {
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

/// The messages received on a route.
#[derive(Default)]
struct Stream {
    highest: u64,
    /// By destination: the first and the last number, and how many different ones were received.
    numbers: HashMap<u32, (u64, u64, u64)>,
}

/// Counts the messages.
pub fn count(trace: &Trace, links: &Links) -> Traffic {
    let mut traffic = Traffic::default();
    let mut streams: HashMap<Route, Stream> = HashMap::new();
    // The parties with a log: those that send or receive in one.
    let nodes: HashSet<&str> = trace.processes.iter().map(|it| it.node.as_str()).collect();
    // A message to all others has a receiver with a log if there is another process.
    let named = |party: &String| match party.as_str() {
        "*" => nodes.len() > 1,
        party => nodes.contains(party),
    };
    // Who receives a message to all others is one of them, and not all.
    let is_one = |party: u32| trace.parties[party as usize] != "*";
    let mut here: Vec<bool> = trace.parties.iter().map(named).collect();
    let mut groups: HashSet<u32> = HashSet::new();
    let parties = 0..trace.parties.len() as u32;
    // The receiver does not know the numbers of messages between addresses.
    let is_numbered: Vec<bool> = parties.map(|party| trace.has_name(party)).collect();
    // The parties whose process suppressed events.
    let mut suppressed = vec![false; trace.parties.len()];
    for (id, event) in trace.events.iter().enumerate() {
        let message = event.message().map(|message| &trace.messages[message]);
        match (event.kind, message) {
            (Kind::Send, Some(message)) => {
                here[message.from as usize] = true;
                suppressed[message.from as usize] |=
                    trace.processes[event.process as usize].suppressed;
            }
            (Kind::Receive, Some(message)) => {
                here[message.to as usize] |= is_one(message.to);
                suppressed[message.to as usize] |=
                    trace.processes[event.process as usize].suppressed;
            }
            _ => {}
        }
        if event.kind != Kind::Receive {
            continue;
        }
        traffic.received += 1;
        let Some(link) = links.to(id).first() else {
            continue;
        };
        traffic.inferred += u64::from(link.inferred);
        let send = &trace.events[link.from];
        let Some(sent) = send.message().map(|message| &trace.messages[message]) else {
            continue;
        };
        here[sent.to as usize] |= is_one(sent.to);
        if links.is_duplicate(trace, link) {
            traffic.duplicates += 1;
            continue;
        }
        if !is_numbered[sent.from as usize] || !sent.is_numbered {
            continue;
        }
        let route = (send.process, sent.from, event.process);
        let stream = streams.entry(route).or_default();
        if sent.number < stream.highest {
            traffic.reordered += 1;
            traffic.reordered_receives.insert(id);
        }
        stream.highest = stream.highest.max(sent.number);
        if trace.processes[event.process as usize].suppressed
            || trace.process_of(link.from).suppressed
        {
            continue;
        }
        let several = links.from(link.from).len() > 1;
        if several {
            groups.insert(sent.to);
        }
        let (first, last, different) = stream.numbers.entry(sent.to).or_insert((u64::MAX, 0, 0));
        *first = (*first).min(sent.number);
        *last = (*last).max(sent.number);
        *different += 1;
    }
    for (id, event) in trace.events.iter().enumerate() {
        let Some(message) = event.message().filter(|_| event.kind == Kind::Send) else {
            continue;
        };
        traffic.sent += 1;
        let to = trace.messages[message].to as usize;
        if links.from(id).len() > 0 || suppressed[to] || trace.process_of(id).suppressed {
            continue;
        }
        if here[to] {
            traffic.lost += 1;
            traffic.lost_sends.push(id);
        } else {
            traffic.unlogged += 1;
        }
    }
    in_groups(trace, links, &streams, &groups, &mut traffic);
    traffic
}

/// Counts the messages to groups that members miss between two that they received.
fn in_groups(
    trace: &Trace,
    links: &Links,
    streams: &HashMap<Route, Stream>,
    groups: &HashSet<u32>,
    traffic: &mut Traffic,
) {
    let mut sent: HashMap<Route, Vec<u64>> = HashMap::new();
    for (id, event) in trace.events.iter().enumerate() {
        if let (Kind::Send, Some(message)) = (event.kind, event.message())
            && groups.contains(&trace.messages[message].to)
            // A message that no process received is counted already.
            && links.from(id).len() > 0
        {
            let message = &trace.messages[message];
            let route = (event.process, message.from, message.to);
            let numbers = sent.entry(route).or_default();
            numbers.push(message.number);
        }
    }
    sent.values_mut()
        .for_each(|numbers| numbers.sort_unstable());
    for ((process, from, member), stream) in streams {
        for (to, (first, last, different)) in &stream.numbers {
            let Some(numbers) = sent.get(&(*process, *from, *to)) else {
                continue;
            };
            let start = numbers.partition_point(|number| number < first);
            let end = numbers.partition_point(|number| number <= last);
            let missing = ((end - start) as u64).saturating_sub(*different);
            traffic.lost += missing;
            if missing > 0 {
                let members = traffic
                    .incomplete
                    .entry((*process, *from, *to))
                    .or_default();
                members.push((*member, *first, *last));
            }
        }
    }
}
