//! Mutual exclusion (Lamport 1978; van Steen & Tanenbaum, "Mutual exclusion"): safety, liveness and fairness.

use common::{
    process::{
        Meaning,
        clock::Timestamp,
        detector::Detection,
        ids::ProcessId,
        property::Property,
        run_event::{MessageAction, RunEvent},
        verdict::{
            check::Check,
            checker::{Checker, Known},
            exercise::Exercise,
            run::{Expected, RunUnderTest},
        },
    },
    text::plural,
};

/// At most one process is inside; every request is granted; requests are granted in the order of their timestamps.
#[derive(Debug)]
pub(super) struct Exclusion {
    /// Whether requests are granted in the order of their timestamps.
    by_time: bool,
    /// The last entry of each process.
    entries: Vec<Option<Entry>>,
    /// The processes that were killed before they had logged a send that others received.
    cut: Vec<bool>,
    /// For each process, the events in which another one's failure detector suspected it: that one, and the event's number.
    suspicions: Vec<Vec<(ProcessId, u32)>>,
    /// The pending request of each process, by its time.
    pending: Vec<Option<u64>>,
    granted: u64,
    order: EntryOrder,
    together: Option<((usize, usize), &'static str)>,
    unfair: Option<(usize, usize)>,
}

/// One entry to the critical section.
#[derive(Clone, Copy, Debug)]
struct Entry {
    entered: usize,
    /// The number of the exit among the events of its process, from 1.
    exited: Option<u32>,
}

impl Exclusion {
    pub(super) fn new(processes: usize, by_time: bool) -> Self {
        Self {
            by_time,
            entries: vec![None; processes],
            cut: vec![false; processes],
            suspicions: vec![Vec::new(); processes],
            pending: vec![None; processes],
            granted: 0,
            order: EntryOrder::default(),
            together: None,
            unfair: None,
        }
    }

    /// Whether this process has crashed and another one's failure detector has noticed it, as is known.
    fn has_crashed(
        &self,
        process: ProcessId,
        me: ProcessId,
        run: &RunUnderTest<'_>,
        known: &Known,
    ) -> bool {
        let mut suspicions = self.suspicions[process.index()].iter();
        run.crashed.contains(&process)
            && suspicions.any(|(by, number)| *number <= known.of(me, *by))
    }

    fn enter(
        &mut self,
        (index, event): (usize, &RunEvent),
        request: Timestamp,
        run: &RunUnderTest<'_>,
        known: &Known,
    ) {
        let me = event.process;
        for other in ProcessId::all(self.entries.len()) {
            let Some(entry) = self.entries[other.index()].filter(|_| other != me) else {
                continue;
            };
            let reason = match entry.exited {
                // Its exit may be among the events that are missing in its log.
                None if self.cut[other.index()] => continue,
                // Its crash ended its stay, if nothing before did.
                _ if self.has_crashed(other, me, run, known) => continue,
                None => "the first had not exited when the second entered",
                // Then only the timing of this run kept them apart.
                Some(exit) if exit > known.of(me, other) => {
                    "the exit of the first did not happen before the entry of the second"
                }
                Some(_) => continue,
            };
            self.together
                .get_or_insert(((entry.entered, index), reason));
        }
        self.entries[me.index()] = Some(Entry {
            entered: index,
            exited: None,
        });
        if let Some(before) = self.order.enter(index, event, request, known) {
            self.unfair.get_or_insert((before, index));
        }
        self.pending[me.index()] = None;
        self.granted += 1;
    }
}

/// The greatest granted request of the entries that are known to precede the present one: by wall-clock time, of which a log
/// keeps microseconds, or by happened-before.
#[derive(Debug, Default)]
struct EntryOrder {
    before: Option<(Timestamp, usize)>,
    /// The entries in the present microsecond: the process, the entry's number among its events, the request, the index.
    now: Vec<(ProcessId, u32, Timestamp, usize)>,
    micros: u128,
}

impl EntryOrder {
    /// The index of a preceding entry whose request is later.
    fn enter(
        &mut self,
        index: usize,
        event: &RunEvent,
        request: Timestamp,
        known: &Known,
    ) -> Option<usize> {
        let micros = event.at.as_micros();
        if micros != self.micros {
            let ended = self
                .now
                .drain(..)
                .map(|(.., request, place)| (request, place));
            self.before = ended.chain(self.before).max_by_key(|entry| entry.0);
            self.micros = micros;
        }
        let me = event.process;
        let at_once = self
            .now
            .iter()
            .filter(|(process, entry, ..)| *entry <= known.of(me, *process));
        let before = at_once
            .map(|(.., request, place)| (*request, *place))
            .chain(self.before);
        let latest = before.max_by_key(|entry| entry.0);
        self.now.push((me, known.of(me, me), request, index));
        latest
            .filter(|(other, _)| *other > request)
            .map(|(_, place)| place)
    }
}

impl Checker for Exclusion {
    fn needs_times(&self) -> bool {
        true
    }

    fn see(&mut self, index: usize, event: &RunEvent, run: &RunUnderTest<'_>, known: &Known) {
        let me = event.process;
        if let MessageAction::Receive { from, .. } = event.what
            && known.send.is_none()
        {
            self.cut[from.index()] |= run.is_incomplete(from);
        }
        match event.meaning {
            Some(Meaning::Request) => self.pending[me.index()] = Some(event.time),
            Some(Meaning::Enter(request)) => self.enter((index, event), request, run, known),
            Some(Meaning::Detect(Detection::Suspect(other))) => {
                self.suspicions[other.index()].push((me, known.of(me, me)));
            }
            Some(Meaning::Exit(_)) => {
                if let Some(entry) = &mut self.entries[me.index()] {
                    entry.exited = Some(known.of(me, me));
                }
            }
            _ => {}
        }
    }

    fn conclude(self: Box<Self>, run: &RunUnderTest<'_>, exercise: Exercise) -> Vec<Check> {
        let entries = match self.granted {
            1 => "1 entry".to_owned(),
            count => format!("{count} entries"),
        };
        // A missing or cut log leaves this undecided.
        let unknown: Vec<_> = ProcessId::all(self.cut.len())
            .filter(|process| self.cut[process.index()])
            .collect();
        let compared = match self.granted {
            0 | 1 => Exercise::default(),
            _ => Exercise::ENTRIES_COMPARED,
        };
        let exercise = exercise | compared;
        let held = |property, found: String| Check::held(run, exercise, property, found, &unknown);
        let exclusion = match self.together {
            Some((events, reason)) => {
                Check::violated(run, Property::MutualExclusion, events, reason)
            }
            None => held(
                Property::MutualExclusion,
                format!("at most one process in the critical section, in {entries}"),
            ),
        };
        let mut checks = vec![exclusion, self.granted(run, exercise)];
        if self.by_time {
            checks.push(match self.unfair {
                Some(events) => Check::violated(
                    run,
                    Property::TimestampOrder,
                    events,
                    "the second has the earlier request",
                ),
                None => held(
                    Property::TimestampOrder,
                    "every entry has a later request than the one before it".into(),
                ),
            });
        }
        checks
    }
}

impl Exclusion {
    fn granted(&self, run: &RunUnderTest<'_>, exercise: Exercise) -> Check {
        let property = Property::Granted;
        let name = |process: &ProcessId| run.names.of(*process);
        let pending = |expected: Expected| {
            let pending = ProcessId::all(self.pending.len())
                .filter(|process| run.expects(*process) == expected)
                .filter_map(|process| Some((process, self.pending[process.index()]?)))
                .map(|(process, time)| format!("{}'s of {time}", name(&process)));
            pending.collect::<Vec<_>>().join(", ")
        };
        let (never, not_yet) = (pending(Expected::Yes), pending(Expected::Unknown));
        if never.is_empty() && not_yet.is_empty() {
            let requests = format!("all {}", plural(self.granted, "request"));
            return Check::held(run, exercise, property, requests, &[]);
        }
        if never.is_empty() {
            let found = format!("not granted so far: {not_yet}; {}", run.cut_short());
            return Check::open(property, found);
        }
        let mut found = format!("not granted: {never}");
        let inside = ProcessId::all(self.entries.len()).filter(|process| {
            self.entries[process.index()].is_some_and(|entry| entry.exited.is_none())
        });
        let inside: Vec<_> = inside.map(|process| run.names.of(process)).collect();
        if !inside.is_empty() {
            found += &format!("; {} never exited the critical section", inside.join(", "));
        }
        let ended = run.crashed.iter().chain(run.unfinished);
        let ended: Vec<_> = ended.map(name).collect();
        if !ended.is_empty() {
            found += &format!("; {} did not terminate normally", ended.join(", "));
        }
        Check::unfulfilled(property, found)
    }
}
