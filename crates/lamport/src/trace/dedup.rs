//! Logs of the same process in several files: parts are joined, and duplicate events are left out.

use std::collections::BTreeMap;

use common::{process::property::Property, text::visible};
use hashbrown::{HashMap, HashSet};

use super::{Event, Trace, findings::Severity, log::Log};

/// Joins the logs of each process. Two logs are of one process when their run and name are equal, and the events that both
/// contain are the same.
pub(super) fn join(logs: Vec<Log>, trace: &mut Trace) -> Vec<Log> {
    // In the order of the first one of each name.
    let mut groups: BTreeMap<usize, Vec<Log>> = BTreeMap::new();
    let mut by_name: HashMap<(String, String), usize> = HashMap::new();
    for (number, log) in logs.into_iter().enumerate() {
        if !log.events.is_empty() {
            let key = (log.run.clone(), log.node.clone());
            let first = *by_name.entry(key).or_insert(number);
            groups.entry(first).or_default().push(log);
        }
    }
    let mut processes = Vec::new();
    for mut group in groups.into_values() {
        if group.len() > 1 {
            group = of_one_name(group, trace);
        }
        processes.append(&mut group);
    }
    processes
}

fn first(log: &Log) -> u64 {
    let numbers = log.events.iter().map(|event| event.number);
    numbers.min().unwrap_or(0)
}

fn last(log: &Log) -> u64 {
    let numbers = log.events.iter().map(|event| event.number);
    numbers.max().unwrap_or(0)
}

/// The content of an event: its number, its text, and its vector clock.
pub(super) type Content<'t> = (u64, &'t str, &'t [(String, u64)]);

pub(super) fn content<'t>(event: &Event, trace: &'t Trace) -> Content<'t> {
    let clock = event
        .carried()
        .map(|clock| trace.carried[clock].unknown.as_slice());
    (
        event.number,
        trace.text(event.text),
        clock.unwrap_or_default(),
    )
}

/// Joins the logs of one run and name: parts in the order of their numbers, regardless of the order of the files.
fn of_one_name(mut group: Vec<Log>, trace: &mut Trace) -> Vec<Log> {
    group.sort_by_key(first);
    let parts = group.iter().any(|log| first(log) > 0) && !group[0].vectors;
    let mut kept: Vec<Log> = Vec::new();
    let mut findings = std::mem::take(&mut trace.findings);
    {
        // The content of the first events, and the index of their log.
        let mut known: HashMap<Content<'_>, usize> = HashMap::new();
        for log in group {
            let beginning = content(&log.events[0], trace);
            if let Some(same) = known.get(&beginning).copied() {
                let (there, here) = (
                    trace.place(kept[same].events[0].place),
                    trace.place(log.events[0].place),
                );
                findings.add(Property::WellFormed, Severity::Warn, || {
                    format!("{here}: the same log as {there}: read once")
                });
                add_new_events(&mut kept[same], log, trace);
                continue;
            }
            let number = first(&log);
            let before = |(_, other): &(usize, &Log)| last(other) < number;
            let continued = match number {
                0 => None,
                _ => kept
                    .iter()
                    .enumerate()
                    .filter(before)
                    .max_by_key(|(_, other)| last(other)),
            };
            // A host in logs with vector clocks is one process, regardless of the number of logs.
            let part = continued
                .map(|(part, _)| part)
                .or((log.vectors && !kept.is_empty()).then_some(0));
            for event in &log.events {
                known
                    .entry(content(event, trace))
                    .or_insert(part.unwrap_or(kept.len()));
                // Without parts a copy begins with the same event.
                if !parts {
                    break;
                }
            }
            match part {
                Some(part) => kept[part].events.extend(log.events),
                None => kept.push(log),
            }
        }
    }
    trace.findings = findings;
    report_concurrent_names(&kept, trace);
    kept
}

/// Adds the events that the log does not contain. If two different events have the same number, both stay, and `sequence`
/// reports them.
fn add_new_events(log: &mut Log, copy: Log, trace: &Trace) {
    let there: HashSet<Content<'_>> = log
        .events
        .iter()
        .map(|event| content(event, trace))
        .collect();
    let events = copy.events.into_iter();
    let new: Vec<Event> = events
        .filter(|event| !there.contains(&content(event, trace)))
        .collect();
    log.events.extend(new);
}

/// A process's first and last moment.
type Life = (Option<i64>, Option<i64>);

/// Reports processes of one name that exist at the same time; one after the other they may share a name.
fn report_concurrent_names(processes: &[Log], trace: &mut Trace) {
    let life = |log: &Log| -> Life {
        let times = log.events.iter().filter_map(|event| event.time);
        (times.clone().min(), times.max())
    };
    let mut by_start: Vec<_> = processes.iter().map(|log| (life(log), log)).collect();
    by_start.sort_by_key(|(life, _)| *life);
    // The process before that ends last.
    let mut latest: Option<(Life, &Log)> = None;
    for (life, log) in by_start {
        if let Some((other_life, other)) = latest
            && life.0 <= other_life.1
        {
            let (there, here) = (
                trace.place(other.events[0].place),
                trace.place(log.events[0].place),
            );
            trace.findings.add(Property::Names, Severity::Warn, || {
                let node = visible(log.node.as_bytes());
                format!("{here}: another process has the name {node}, at {there}")
            });
        }
        if latest.is_none_or(|(other, _)| life.1 > other.1) {
            latest = Some((life, log));
        }
    }
}
