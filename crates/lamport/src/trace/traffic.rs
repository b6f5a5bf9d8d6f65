//! What became of the messages: how many came, and which were lost, doubled, overtaken. Facts, not faults.

use common::event::Kind;

use super::{EventId, Trace, matching::Links};
use hashbrown::{HashMap, HashSet};

/// What became of the messages.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Sendings.
    pub sent: u64,
    /// Receipts.
    pub received: u64,
    /// Receipts whose sending the logs do not say for certain.
    pub inferred: u64,
    /// Sendings that nobody received of whom there is a log; and at members of a group, numbers that are missing between
    /// two that came.
    pub lost: u64,
    /// Sendings to whom there is no log of.
    pub unheard: u64,
    /// Receipts of what the same process had received before.
    pub doubled: u64,
    /// Receipts after one of the same sender that was sent later.
    pub overtaken: u64,
    /// The sendings that nobody received, of those that are lost.
    pub lost_sendings: Vec<EventId>,
    /// The receipts that were overtaken.
    pub overtaken_receipts: HashSet<EventId>,
}

/// From a process, under the name that stands in its messages, to a process.
type Way = (u32, u32, u32);

/// What came that way.
#[derive(Default)]
struct Stream {
    highest: u64,
    /// To each destination the first and the last number, and how many different ones came.
    numbers: HashMap<u32, (u64, u64, u64)>,
}

/// Counts.
pub fn count(trace: &Trace, links: &Links) -> Traffic {
    let mut traffic = Traffic::default();
    let mut streams: HashMap<Way, Stream> = HashMap::new();
    // Who can be heard of: a party that receives, or sends, is some process here.
    let nodes: HashSet<&str> = trace.processes.iter().map(|it| it.node.as_str()).collect();
    // For all others: there are others.
    let named = |party: &String| match party.as_str() {
        "*" => nodes.len() > 1,
        party => nodes.contains(party),
    };
    let mut here: Vec<bool> = trace.parties.iter().map(named).collect();
    let mut groups: HashSet<u32> = HashSet::new();
    let parties = 0..trace.parties.len() as u32;
    // At an address the numbers are none that the receiver could know.
    let counts: Vec<bool> = parties.map(|party| trace.has_name(party)).collect();
    // Who does not tell of every datagram, under what name or address.
    let mut untold = vec![false; trace.parties.len()];
    for (id, event) in trace.events.iter().enumerate() {
        let message = event.message().map(|message| &trace.messages[message]);
        match (event.kind, message) {
            (Kind::Send, Some(message)) => {
                here[message.from as usize] = true;
                untold[message.from as usize] |= trace.processes[event.process as usize].untold;
            }
            (Kind::Receive, Some(message)) => {
                here[message.to as usize] = true;
                untold[message.to as usize] |= trace.processes[event.process as usize].untold;
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
        let sending = &trace.events[link.from];
        let Some(sent) = sending.message().map(|message| &trace.messages[message]) else {
            continue;
        };
        here[sent.to as usize] = true;
        if links.came_before(trace, link) {
            traffic.doubled += 1;
            continue;
        }
        if !counts[sent.from as usize] {
            continue;
        }
        let way = (sending.process, sent.from, event.process);
        let stream = streams.entry(way).or_default();
        if sent.number < stream.highest {
            traffic.overtaken += 1;
            traffic.overtaken_receipts.insert(id);
        }
        stream.highest = stream.highest.max(sent.number);
        if trace.processes[event.process as usize].untold || trace.process_of(link.from).untold {
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
        if links.from(id).len() > 0 || untold[to] || trace.process_of(id).untold {
            continue;
        }
        if here[to] {
            traffic.lost += 1;
            traffic.lost_sendings.push(id);
        } else {
            traffic.unheard += 1;
        }
    }
    traffic.lost += in_groups(trace, links, &streams, &groups);
    traffic
}

/// Numbers that members of a group miss between two that they received, though somebody sent them to the group.
fn in_groups(
    trace: &Trace,
    links: &Links,
    streams: &HashMap<Way, Stream>,
    groups: &HashSet<u32>,
) -> u64 {
    let mut sent: HashMap<Way, Vec<u64>> = HashMap::new();
    for (id, event) in trace.events.iter().enumerate() {
        if let (Kind::Send, Some(message)) = (event.kind, event.message())
            && groups.contains(&trace.messages[message].to)
            // What nobody received at all is counted already.
            && links.from(id).len() > 0
        {
            let message = &trace.messages[message];
            let way = (event.process, message.from, message.to);
            let numbers = sent.entry(way).or_default();
            numbers.push(message.number);
        }
    }
    sent.values_mut()
        .for_each(|numbers| numbers.sort_unstable());
    let mut missing = 0;
    for ((process, from, _), stream) in streams {
        for (to, (first, last, different)) in &stream.numbers {
            let Some(numbers) = sent.get(&(*process, *from, *to)) else {
                continue;
            };
            let start = numbers.partition_point(|number| number < first);
            let end = numbers.partition_point(|number| number <= last);
            missing += ((end - start) as u64).saturating_sub(*different);
        }
    }
    missing
}
