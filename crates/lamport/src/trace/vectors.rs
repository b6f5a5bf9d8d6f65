//! Logs with vector clocks: the links that follow from them, and whether the clocks are possible.
//!
//! A log with vector clocks identifies no messages. The entries of an event that are greater than those of the event before it in
//! its process come from other events: of these only the maximal ones are linked, because they imply the others.

use std::collections::BTreeMap;

use common::{
    process::property::Property,
    text::{plural, visible},
};
use hashbrown::HashMap;

use super::{
    EventId, Trace,
    findings::Severity,
    matching::{Link, Links},
};

/// Resolves the names in the entries, and finds the links that follow from them.
///
/// An entry may name an event that was never logged, because its process was killed, its log was cut off or has a gap: the
/// greatest logged event at or below it is linked, because it happened before the missing one.
pub fn links(trace: &mut Trace) -> Vec<Link> {
    if trace.carried.is_empty() {
        return Vec::new();
    }
    name_entries(trace);
    let mut links = Vec::new();
    let mut new: Vec<(EventId, u32, u64)> = Vec::new();
    let mut unlogged: BTreeMap<u32, Unlogged> = BTreeMap::new();
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
            let cause = at_or_below(trace, *process, *count);
            let last = trace.processes[*process as usize].events.end - 1;
            if trace.events[last].number < *count {
                let unlogged = unlogged.entry(*process).or_insert(Unlogged {
                    event,
                    entry: *count,
                    more: 0,
                });
                unlogged.more += u64::from(unlogged.event != event);
            }
            if let Some(cause) = cause.filter(|cause| trace.events[*cause].number > known) {
                new.push((cause, *process, trace.events[cause].number));
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
    for (process, unlogged) in unlogged {
        unlogged.report(process, trace);
    }
    links
}

/// The events of a process that others know and that its log ends without.
struct Unlogged {
    /// The first event that knows of one.
    event: EventId,
    /// Its entry.
    entry: u64,
    /// How many more know of one.
    more: u64,
}

impl Unlogged {
    fn report(&self, process: u32, trace: &mut Trace) {
        let process = &trace.processes[process as usize];
        let (place, name, entry) = (trace.place_of(self.event), &process.name, self.entry);
        let last = process.events.end - 1;
        let (number, there) = (trace.events[last].number, trace.place_of(last));
        let more = match self.more {
            0 => String::new(),
            more => format!(" ({} have such an entry)", plural(more + 1, "event")),
        };
        let words = format!(
            "{place}: has {name}:{entry}, an event that is in no log: that of {name} ends with {number} at {there}, so the \
             process was killed or is still running, or its log is truncated{more}"
        );
        trace
            .findings
            .add(Property::Vectors, Severity::Warn, || words);
    }
}

/// The last event of a process whose own entry is at most this one.
fn at_or_below(trace: &Trace, process: u32, number: u64) -> Option<EventId> {
    let range = trace.processes[process as usize].events.clone();
    let own = &trace.events[range.clone()];
    let index = own.partition_point(|event| event.number <= number);
    (index > 0).then(|| range.start + index - 1)
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
    // The hosts without a log: the first event with an entry for them, and how many more have one.
    let mut missing: BTreeMap<(String, String), (EventId, u64)> = BTreeMap::new();
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
                None => {
                    if let Some(known) = missing.get_mut(&key) {
                        known.1 += u64::from(count > 0);
                    } else if count > 0 && missing.len() < MOST_MISSING {
                        missing.insert(key.clone(), (event, 0));
                    }
                    carried.unknown.push((key.1.clone(), count));
                }
            }
        }
        carried.entries.sort_unstable();
    }
    for ((_, name), (event, more)) in missing {
        let name = visible(name.as_bytes());
        let place = trace.place_of(event);
        trace.findings.add(Property::Vectors, Severity::Open, || {
            let more = match more {
                0 => String::new(),
                more => format!(" ({} have one)", plural(more + 1, "event")),
            };
            format!("{place}: has an entry for {name}, which has no event in any log{more}")
        });
    }
}

/// How many hosts without a log are reported.
const MOST_MISSING: usize = 10_000;

/// Checks that each vector clock in the logs is the vector timestamp of its event.
#[derive(Debug, Default)]
pub struct VectorChecker {
    checked: u64,
    /// The wrong entries, by event and process: the index of the violation that they follow from.
    wrong: HashMap<(EventId, u32), u32>,
    /// The violations that follow from no other.
    violations: Vec<Violation>,
    /// Those that do, for [`Findings::all`](super::findings::Findings).
    following: Vec<Violation>,
}

/// How many wrong entries are traced back to the first of them.
const MOST_WRONG: usize = 1 << 22;

/// A vector clock that is not the vector timestamp of its event.
#[derive(Debug)]
struct Violation {
    event: EventId,
    /// The process of the wrong entry.
    process: u32,
    entry: u64,
    /// The correct entry.
    known: u32,
    /// How many events later in the computation have wrong entries because of it.
    following: u64,
}

impl VectorChecker {
    /// The next event in causal order, with its vector timestamp.
    pub fn see(&mut self, trace: &Trace, links: &Links, event: EventId, vector: &[u32]) {
        let Some(carried) = trace.events[event].carried() else {
            return;
        };
        self.checked += 1;
        let entries = &trace.carried[carried].entries;
        let beyond = entries
            .iter()
            .filter(|(process, _)| *process as usize >= vector.len());
        let beyond = beyond.map(|(process, entry)| (*process, *entry, 0));
        let within = vector.iter().enumerate().map(|(process, known)| {
            let process = process as u32;
            (process, entry(trace, carried, process), *known)
        });
        // The violation itself if it follows from no other; or the one that it follows from.
        let mut own: Option<u32> = None;
        let mut cause: Option<(u32, Violation)> = None;
        for (process, entry, known) in within.chain(beyond) {
            if entry == u64::from(known) || logged_entry(trace, process, entry) == known {
                continue;
            }
            let violation = Violation {
                event,
                process,
                entry,
                known,
                following: 0,
            };
            let number = match self.inherited(trace, links, event, process, entry) {
                Some(number) => {
                    cause.get_or_insert((number, violation));
                    number
                }
                None => *own.get_or_insert_with(|| {
                    self.violations.push(violation);
                    self.violations.len() as u32 - 1
                }),
            };
            if self.wrong.len() < MOST_WRONG {
                self.wrong.insert((event, process), number);
            }
        }
        if let (None, Some((number, violation))) = (own, cause) {
            self.violations[number as usize].following += 1;
            if trace.findings.lists_all() && self.following.len() < MOST_WRONG {
                self.following.push(violation);
            }
        }
    }

    /// The violation that a wrong entry follows from: the event takes it over from one that happened before.
    fn inherited(
        &self,
        trace: &Trace,
        links: &Links,
        event: EventId,
        process: u32,
        present: u64,
    ) -> Option<u32> {
        let causes = links.to(event).iter().map(|link| link.from);
        let mut greatest = 0;
        let mut from = None;
        for before in trace.before(event).into_iter().chain(causes) {
            let theirs = trace.events[before].carried();
            greatest = greatest.max(theirs.map_or(0, |theirs| entry(trace, theirs, process)));
            from = from.or_else(|| self.wrong.get(&(before, process)).copied());
        }
        if self.wrong.len() >= MOST_WRONG && from.is_none() {
            return self.violations.len().checked_sub(1).map(|last| last as u32);
        }
        from.filter(|_| present == greatest)
    }

    /// Reports the violations. Returns how many clocks were checked.
    pub fn report(self, trace: &mut Trace) -> u64 {
        let all = trace.findings.lists_all();
        for violation in self.violations.into_iter().chain(self.following) {
            let place = trace.place_of(violation.event);
            let name = trace.processes[violation.process as usize].name.clone();
            let events = plural(u64::from(violation.known), "event");
            let entry = violation.entry;
            trace.findings.add(Property::Vectors, Severity::Fail, || {
                let following = match violation.following {
                    following if following == 0 || all => String::new(),
                    following => format!(
                        " (and so {} after it, which --all-findings lists)",
                        plural(following, "event")
                    ),
                };
                format!(
                    "{place}: has {name}:{entry}, but {events} of {name} happened before{following}"
                )
            });
        }
        self.checked
    }
}

/// The own entry of the last logged event at or below an entry; 0 if there is none.
fn logged_entry(trace: &Trace, process: u32, entry: u64) -> u32 {
    at_or_below(trace, process, entry).map_or(0, |event| trace.own_entry(event))
}
