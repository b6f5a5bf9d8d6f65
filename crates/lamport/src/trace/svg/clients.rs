//! Who is served: the client of each connection, by its own log where that is here.

use common::{event::Kind, text::plural};
use hashbrown::HashMap;

use super::plan::Plan;
use crate::trace::{EventId, connections::Served, words::Fields};

/// The name of the client of each connection: its process, with its thread if it has several; without its log the address.
pub(super) fn names(plan: &Plan<'_>) -> Vec<String> {
    let computation = plan.picture.computation;
    let trace = &computation.trace;
    let mut of_thread: HashMap<u32, Vec<EventId>> = HashMap::new();
    for bar in &plan.bars {
        of_thread.entry(bar.thread).or_default();
    }
    for (id, event) in trace.events.iter().enumerate() {
        if event.kind == Kind::Receive
            && let Some(received) = of_thread.get_mut(&event.thread)
        {
            received.push(id);
        }
    }
    let name = |bar: &Served| {
        let received = &of_thread[&bar.thread];
        let first = received.partition_point(|id| *id < bar.from);
        let within = received[first..].iter().take_while(|id| **id <= bar.until);
        let of_peer = |id: &&EventId| Fields::of(trace, **id).get("peer") == Some(&bar.peer);
        let mut of_peer = within.filter(of_peer);
        let link = of_peer.find_map(|id| computation.links.to(*id).first())?;
        let process = trace.process_of(link.from);
        let mut threads = trace.threads.iter();
        let own = trace.events[link.from].process;
        let several = threads
            .by_ref()
            .filter(|thread| thread.process == own)
            .take(2)
            .count()
            > 1;
        let thread = &trace.threads[trace.events[link.from].thread as usize].name;
        Some(match several {
            true => thread.clone(),
            false => process.name.clone(),
        })
    };
    let name = |bar: &Served| name(bar).unwrap_or_else(|| bar.peer.clone());
    plan.bars.iter().map(name).collect()
}

/// How many connections were served, by how many threads, and how many at most at a time.
pub(super) fn caption(plan: &Plan<'_>) -> Option<String> {
    let trace = &plan.picture.computation.trace;
    let served = plan.bars.iter().filter(|bar| plan.is_server(bar));
    let served: Vec<&Served> = served.collect();
    if served.is_empty() {
        return None;
    }
    let mut threads: Vec<u32> = served.iter().map(|bar| bar.thread).collect();
    threads.sort_unstable();
    threads.dedup();
    let mut ends: Vec<(i64, i64)> = Vec::new();
    for bar in &served {
        let time = |id: EventId| trace.events[id].time;
        if let (Some(from), Some(until)) = (time(bar.from), time(bar.until)) {
            ends.extend([(from, 1), (until, -1)]);
        }
    }
    // An end before a beginning at the same time.
    ends.sort_unstable();
    let most = ends.iter().scan(0, |now, (_, change)| {
        *now += change;
        Some(*now)
    });
    let most = most.max().unwrap_or(0);
    let connections = plural(served.len() as u64, "connection");
    let threads = plural(threads.len() as u64, "thread");
    let most = match most {
        0 => String::new(),
        most => format!("; at most {most} at the same time"),
    };
    Some(format!("{connections}, served by {threads}{most}"))
}
