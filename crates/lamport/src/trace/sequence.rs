//! The order of a process's events: by their numbers, which must have no gap; and the wall clocks of its threads.

use common::{
    event::Kind,
    process::property::Property,
    text::{plural, visible},
};
use hashbrown::HashMap;

use super::{
    Event, Trace,
    dedup::content,
    findings::{Findings, Severity},
    log::Log,
    skew,
};

/// How many events of other threads may be logged before a send that happened before them.
const LATE: usize = 4096;

/// Checks that the numbers are consecutive, in the order of the lines.
pub(super) fn check_numbers(log: &mut Log, trace: &Trace, findings: &mut Findings) {
    let (property, first, name) = match log.vectors {
        true => (Property::Vectors, 1, "its own entry"),
        false => (Property::WellFormed, 0, "seq"),
    };
    let events = &mut log.events;
    let follows = |pair: &[Event]| pair[0].number.checked_add(1) == Some(pair[1].number);
    let is_first = events.first().is_some_and(|event| event.number == first);
    if is_first && events.windows(2).all(follows) {
        return;
    }
    let same_file = |pair: &[Event]| pair[0].place.file == pair[1].place.file;
    for pair in events.windows(2) {
        if pair[0].number > pair[1].number && same_file(pair) {
            let (before, here) = (trace.place(pair[0].place), trace.place(pair[1].place));
            // The threads of other programs may write in any order.
            let severity = if log.vectors {
                Severity::Warn
            } else {
                Severity::Fail
            };
            findings.add(property, severity, || {
                let (number, before_it) = (pair[1].number, pair[0].number);
                format!("{here}: out of order, {name} {number} after {before_it} at {before}")
            });
        }
    }
    events.sort_by_key(|event| event.number);
    log.gaps = events.first().is_some_and(|event| event.number > first);
    let node = visible(log.node.as_bytes());
    if let Some(event) = events.first().filter(|event| event.number > first) {
        let place = trace.place(event.place);
        findings.add(property, Severity::Fail, || {
            let number = event.number;
            format!("{place}: {node} begins with {name} {number}, not {first}: its first events are missing")
        });
    }
    for pair in events.windows(2) {
        let (before, event) = (&pair[0], &pair[1]);
        if event.number - before.number == 1 {
            continue;
        }
        let (there, here) = (trace.place(before.place), trace.place(event.place));
        let (last, number) = (before.number, event.number);
        let same = content(before, trace) == content(event, trace);
        log.gaps |= number > last;
        // The program says itself that its disk was full.
        let unwritten = event.suppressed && event.kind == Kind::Error && number > last;
        let severity = if unwritten {
            Severity::Open
        } else {
            Severity::Fail
        };
        findings.add(property, severity, || match number - last {
            0 if same => format!("{here}: the same event as {there}"),
            0 => format!("{here}: {name} {number} of {node} is at {there} already"),
            gap => format!(
                "{here}: {name} {number} of {node} follows {last} at {there}: {} missing{}",
                plural(gap - 1, "event"),
                if unwritten {
                    ", which could not be written"
                } else {
                    ""
                }
            ),
        });
    }
    events.dedup_by(|event, before| {
        event.number == before.number && content(event, trace) == content(before, trace)
    });
}

/// Moves sends before their effects: a send happens when it begins and is logged when it has succeeded, so another thread may
/// log an effect first.
pub(super) fn reorder_sends(events: &mut [Event]) {
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

/// Reports wall clocks that jump back: the clock of a machine may be set at any time.
pub(super) fn check_clock_jumps(
    log: &Log,
    threads: &[(usize, String)],
    trace: &Trace,
    findings: &mut Findings,
) {
    let mut last: HashMap<u32, &Event> = HashMap::new();
    let mut present: Option<&Event> = None;
    for event in &log.events {
        // Usually it is the thread of the event before.
        let before = match present {
            Some(before) if before.thread == event.thread => Some(before),
            _ => last.get(&event.thread).copied(),
        };
        if let Some((before, (then, now))) =
            before.and_then(|before| Some((before, before.time.zip(event.time)?)))
            // A process learns after its start which clock it is to have.
            && now < then
            && before.kind != Kind::Start
        {
            let (there, here) = (trace.place(before.place), trace.place(event.place));
            findings.add(Property::Wall, Severity::Warn, || {
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
