//! The order of a process's events: by their numbers, which run without a gap; and what the clocks of its threads say.

use common::{
    event::Kind,
    text::{plural, visible},
};
use hashbrown::HashMap;

use super::{Event, Trace, dedup::says, findings::Severity, log::Log, skew};
use crate::property::Property;

/// How far another thread's events may have been logged before a send that came before them.
const LATE: usize = 4096;

/// The numbers must run without a gap, in the order of the lines.
pub(super) fn numbered(log: &mut Log, trace: &mut Trace) {
    let (rule, first, what) = match log.vectors {
        true => (Property::Vectors, 1, "its own entry"),
        false => (Property::WellFormed, 0, "seq"),
    };
    let events = &mut log.events;
    let same_file = |pair: &[Event]| pair[0].place.file == pair[1].place.file;
    for pair in events.windows(2) {
        if pair[0].number > pair[1].number && same_file(pair) {
            let (before, here) = (trace.place(pair[0].place), trace.place(pair[1].place));
            // Other programs' threads may write as they like.
            let severity = if log.vectors {
                Severity::Warn
            } else {
                Severity::Fail
            };
            trace.findings.add(rule, severity, || {
                let (number, before_it) = (pair[1].number, pair[0].number);
                format!("{here}: out of order, {what} {number} after {before_it} at {before}")
            });
        }
    }
    events.sort_by_key(|event| event.number);
    log.gaps = events.first().is_some_and(|event| event.number > first);
    let node = visible(log.node.as_bytes());
    if let Some(event) = events.first().filter(|event| event.number > first) {
        let place = trace.place(event.place);
        trace.findings.add(rule, Severity::Fail, || {
            let number = event.number;
            format!("{place}: {node} begins with {what} {number}, not {first}: its first events are missing")
        });
    }
    for pair in events.windows(2) {
        let (before, event) = (&pair[0], &pair[1]);
        if event.number - before.number == 1 {
            continue;
        }
        let (there, here) = (trace.place(before.place), trace.place(event.place));
        let (last, number) = (before.number, event.number);
        let same = says(before, trace) == says(event, trace);
        log.gaps |= number > last;
        trace
            .findings
            .add(rule, Severity::Fail, || match number - last {
                0 if same => format!("{here}: the same event as {there}"),
                0 => format!("{here}: {what} {number} of {node} is at {there} already"),
                gap => format!(
                    "{here}: {what} {number} of {node} follows {last} at {there}: {} missing",
                    plural(gap - 1, "event")
                ),
            });
    }
    events.dedup_by(|event, before| says(event, trace) == says(before, trace));
}

/// A send happens when it begins, and is logged when it has gone well: another thread may have logged first what
/// came of it.
pub(super) fn put_sends_right(events: &mut [Event]) {
    for index in 1..events.len() {
        if events[index].kind != Kind::Send {
            continue;
        }
        let send = &events[index];
        let later = |other: &Event| match other.kind {
            Kind::Receive => other.time >= send.time,
            _ => other.time > send.time,
        };
        let before = events[..index].iter().rev().take(LATE);
        let late = before
            .take_while(|other| other.thread != send.thread && later(other))
            .count();
        events[index - late..=index].rotate_right(1);
    }
}

/// The clock of a machine may be set while it is read.
pub(super) fn look_for_jumps(log: &Log, threads: &[(usize, String)], trace: &mut Trace) {
    let mut last: HashMap<u32, &Event> = HashMap::new();
    let mut present: Option<&Event> = None;
    for event in &log.events {
        // Nearly always the thread of the event before.
        let before = match present {
            Some(before) if before.thread == event.thread => Some(before),
            _ => last.get(&event.thread).copied(),
        };
        if let Some((before, (then, now))) =
            before.and_then(|it| Some((it, it.time.zip(event.time)?)))
            && now < then
        {
            let (there, here) = (trace.place(before.place), trace.place(event.place));
            trace.findings.add(Property::Wall, Severity::Warn, || {
                let thread = visible(threads[event.thread as usize].1.as_bytes());
                let back = skew::length(then - now);
                format!("{here}: the clock jumped back by {back} on thread {thread} since {there}")
            });
        }
        if present.is_none_or(|before| before.thread != event.thread) {
            last.extend(present.map(|before| (before.thread, before)));
        }
        present = Some(event);
    }
}
