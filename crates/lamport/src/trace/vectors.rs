//! Logs with vector clocks: the links that follow from them, and whether the clocks are possible.
//!
//! A log with vector clocks identifies no messages. The entries of an event that are greater than those of the event before it in
//! its process come from other events: of these only the maximal ones are linked, because they imply the others.

use common::text::{plural, visible};

use super::{EventId, Trace, findings::Severity, matching::Link};
use crate::property::Property;
use hashbrown::HashMap;

/// Resolves the names in the entries, and finds the links that follow from them.
pub fn links(trace: &mut Trace) -> Vec<Link> {
    if trace.carried.is_empty() {
        return Vec::new();
    }
    name_entries(trace);
    let mut links = Vec::new();
    let mut new: Vec<(EventId, u32, u64)> = Vec::new();
    for event in 0..trace.events.len() {
        let Some(carried) = trace.events[event].carried() else {
            continue;
        };
        let before = trace
            .before(event)
            .and_then(|before| trace.events[before].carried());
        new.clear();
        for (process, count) in &trace.carried[carried].entries {
            let own = trace.events[event].process == *process;
            let known = before.map_or(0, |before| entry(trace, before, *process));
            if own || *count <= known {
                continue;
            }
            match find(trace, *process, *count) {
                Some(cause) => new.push((cause, *process, *count)),
                None => {
                    let place = trace.place_of(event);
                    let name = trace.processes[*process as usize].name.clone();
                    trace.findings.add(Property::Vectors, Severity::Fail, || {
                        format!("{place}: has {name}:{count}, an event that is in no log")
                    });
                }
            }
        }
        // An event that another one implies is not linked.
        let mut index = 0;
        while index < new.len() {
            let (_, process, count) = new[index];
            let implied = |other: &(EventId, u32, u64)| {
                let theirs = trace.events[other.0].carried();
                other.1 != process
                    && theirs.is_some_and(|theirs| entry(trace, theirs, process) >= count)
            };
            if new.iter().any(implied) {
                new.swap_remove(index);
            } else {
                index += 1;
            }
        }
        links.extend(new.iter().map(|(from, _, _)| Link {
            from: *from,
            to: event,
            inferred: false,
        }));
    }
    links
}

/// The event of a process with this own entry.
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

/// Resolves names to processes: within an execution a host's name identifies a process.
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
                format!("{place}: has an entry for {name}, which has no event in any log")
            });
        }
    }
}

/// Checks that each vector clock in the logs is the vector timestamp of its event.
#[derive(Debug, Default)]
pub struct VectorChecker {
    checked: u64,
    /// The event, the process of the wrong entry, that entry, and the correct one.
    violations: Vec<(EventId, (usize, u64, u32))>,
}

impl VectorChecker {
    /// The next event, with its vector timestamp.
    pub fn see(&mut self, trace: &Trace, event: EventId, vector: &[u32]) {
        let Some(carried) = trace.events[event].carried() else {
            return;
        };
        self.checked += 1;
        let entries = &trace.carried[carried].entries;
        let differs = |(process, known): (usize, &u32)| {
            let entry = entry(trace, carried, process as u32);
            (entry != u64::from(*known)).then_some((process, entry, *known))
        };
        let beyond = |(process, entry): &(u32, u64)| {
            let process = *process as usize;
            (process >= vector.len() && *entry > 0).then_some((process, *entry, 0))
        };
        let difference = vector.iter().enumerate().find_map(differs);
        let difference = difference.or_else(|| entries.iter().find_map(beyond));
        self.violations
            .extend(difference.map(|difference| (event, difference)));
    }

    /// Reports the violations. Returns how many clocks were checked.
    pub fn report(self, trace: &mut Trace) -> u64 {
        for (event, (process, entry, known)) in self.violations {
            let place = trace.place_of(event);
            let name = trace.processes[process].name.clone();
            let events = plural(u64::from(known), "event");
            trace.findings.add(Property::Vectors, Severity::Fail, || {
                format!("{place}: has {name}:{entry}, but {events} of {name} happened before")
            });
        }
        self.checked
    }
}
