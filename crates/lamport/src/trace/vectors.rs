//! Logs that carry vector clocks: which event follows from which, and whether the clocks can be true.
//!
//! A log of vector clocks names no messages. What an event knows that the one before it in its process did not, it has
//! learnt from a message; of all events that it may have learnt it from, those by which the others are known are enough.

use common::text::{plural, visible};

use super::{EventId, Trace, findings::Severity, matching::Link};
use crate::property::Property;
use hashbrown::HashMap;

/// Finds whose the entries are, and the links that follow from them.
pub fn links(trace: &mut Trace) -> Vec<Link> {
    if trace.carried.is_empty() {
        return Vec::new();
    }
    name_entries(trace);
    let mut links = Vec::new();
    let mut learnt: Vec<(EventId, u32, u64)> = Vec::new();
    for event in 0..trace.events.len() {
        let Some(carried) = trace.events[event].carried() else {
            continue;
        };
        let before = trace
            .before(event)
            .and_then(|before| trace.events[before].carried());
        learnt.clear();
        for (process, count) in &trace.carried[carried].entries {
            let own = trace.events[event].process == *process;
            let known = before.map_or(0, |before| entry(trace, before, *process));
            if own || *count <= known {
                continue;
            }
            match find(trace, *process, *count) {
                Some(cause) => learnt.push((cause, *process, *count)),
                None => {
                    let place = trace.place_of(event);
                    let name = trace.processes[*process as usize].name.clone();
                    trace.findings.add(Property::Vectors, Severity::Fail, || {
                        format!("{place}: knows {name}:{count}, which is in no log")
                    });
                }
            }
        }
        // What another one that is known says as well was not learnt directly.
        let mut index = 0;
        while index < learnt.len() {
            let (_, process, count) = learnt[index];
            let said = |other: &(EventId, u32, u64)| {
                let theirs = trace.events[other.0].carried();
                other.1 != process
                    && theirs.is_some_and(|theirs| entry(trace, theirs, process) >= count)
            };
            if learnt.iter().any(said) {
                learnt.swap_remove(index);
            } else {
                index += 1;
            }
        }
        links.extend(learnt.iter().map(|(from, _, _)| Link {
            from: *from,
            to: event,
            inferred: false,
        }));
    }
    links
}

/// The event of a process that has this own entry.
fn find(trace: &Trace, process: u32, number: u64) -> Option<EventId> {
    let range = trace.processes[process as usize].events.clone();
    let own = &trace.events[range.clone()];
    let index = own
        .binary_search_by_key(&number, |event| event.number)
        .ok()?;
    Some(range.start + index)
}

fn entry(trace: &Trace, carried: usize, process: u32) -> u64 {
    let entries = &trace.carried[carried].entries;
    entries
        .binary_search_by_key(&process, |entry| entry.0)
        .map_or(0, |index| entries[index].1)
}

/// Names become numbers: within an execution a host's name is a process.
fn name_entries(trace: &mut Trace) {
    let mut by_name = HashMap::new();
    for (number, process) in trace.processes.iter().enumerate() {
        if process.vectors {
            by_name.insert((process.run.clone(), process.node.clone()), number as u32);
        }
    }
    for event in 0..trace.events.len() {
        let Some(number) = trace.events[event].carried() else {
            continue;
        };
        let run = trace.process_of(event).run.clone();
        let carried = &mut trace.carried[number];
        let mut key = (run, String::new());
        for (name, count) in std::mem::take(&mut carried.unknown) {
            key.1 = name;
            match by_name.get(&key) {
                Some(process) => carried.entries.push((*process, count)),
                None => carried.unknown.push((key.1.clone(), count)),
            }
        }
        carried.entries.sort_unstable();
        if let Some((name, _)) = carried.unknown.first().filter(|(_, count)| *count > 0) {
            let name = visible(name.as_bytes());
            let place = trace.place_of(event);
            trace.findings.add(Property::Vectors, Severity::Fail, || {
                format!("{place}: knows of {name}, which has no event in any log")
            });
        }
    }
}

/// Each clock that a log carries must be the one that follows from what the event knows.
#[derive(Debug, Default)]
pub struct VectorChecker {
    looked_at: u64,
    /// The event, and of which process how much it says and how much it knows.
    wrong: Vec<(EventId, (usize, u64, u32))>,
}

impl VectorChecker {
    /// An event, with its vector timestamp.
    pub fn see(&mut self, trace: &Trace, event: EventId, vector: &[u32]) {
        let Some(carried) = trace.events[event].carried() else {
            return;
        };
        self.looked_at += 1;
        let entries = &trace.carried[carried].entries;
        let differs = |(process, known): (usize, &u32)| {
            let says = entry(trace, carried, process as u32);
            (says != u64::from(*known)).then_some((process, says, *known))
        };
        let beyond = |(process, says): &(u32, u64)| {
            let process = *process as usize;
            (process >= vector.len() && *says > 0).then_some((process, *says, 0))
        };
        let difference = vector.iter().enumerate().find_map(differs);
        let difference = difference.or_else(|| entries.iter().find_map(beyond));
        self.wrong.extend(difference.map(|it| (event, it)));
    }

    /// Reports the clocks that are wrong. Returns how many were checked.
    pub fn report(self, trace: &mut Trace) -> u64 {
        for (event, (process, says, known)) in self.wrong {
            let place = trace.place_of(event);
            let name = trace.processes[process].name.clone();
            let events = plural(u64::from(known), "event");
            trace.findings.add(Property::Vectors, Severity::Fail, || {
                format!("{place}: says {name}:{says}, but by what it knows it follows from {events} of {name}")
            });
        }
        self.looked_at
    }
}
