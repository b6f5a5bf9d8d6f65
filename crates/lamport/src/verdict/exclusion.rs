//! What mutual exclusion promises.

use common::text::plural;

use super::{Case, Check, Judge, causality::Knowledge};
use crate::{
    clock::Timestamp,
    happening::{Happening, What},
    process::{Deed, ProcessId},
};

/// One process at a time, every request granted, and in the order of their timestamps.
#[derive(Debug)]
pub(super) struct Exclusion {
    /// Whether requests are granted in the order of their timestamps.
    by_time: bool,
    /// How many events of each process there were so far.
    events: Vec<u64>,
    /// Each process's last visit.
    visits: Vec<Option<Visit>>,
    /// Of whom a message came that its log does not have: it was killed before it had written all it did.
    cut_off: Vec<bool>,
    /// Each process's request that is not granted yet, by the time that it was made.
    open: Vec<Option<u64>>,
    granted: u64,
    /// The last that was granted, and where.
    last: Option<(Timestamp, usize)>,
    together: Option<((usize, usize), &'static str)>,
    overtaken: Option<(usize, usize)>,
}

/// One time in the critical section.
#[derive(Clone, Copy, Debug)]
struct Visit {
    entered: usize,
    /// Which of the process's events the leaving was.
    left: Option<u64>,
}

impl Exclusion {
    pub(super) fn new(processes: usize, by_time: bool) -> Self {
        Self {
            by_time,
            events: vec![0; processes],
            visits: vec![None; processes],
            cut_off: vec![false; processes],
            open: vec![None; processes],
            granted: 0,
            last: None,
            together: None,
            overtaken: None,
        }
    }

    fn enter(&mut self, place: usize, me: ProcessId, request: Timestamp, known: &Knowledge) {
        for other in ProcessId::all(self.visits.len()) {
            let Some(visit) = self.visits[other.index()].filter(|_| other != me) else {
                continue;
            };
            let so = match visit.left {
                // Whether it had left nobody knows any more.
                None if self.cut_off[other.index()] => continue,
                None => "the first had not left",
                // Whether they were there together is then a matter of luck.
                Some(left) if left > known.of(me, other) => {
                    "the second could not know that the first had left"
                }
                Some(_) => continue,
            };
            self.together.get_or_insert(((visit.entered, place), so));
        }
        self.visits[me.index()] = Some(Visit {
            entered: place,
            left: None,
        });
        if let Some((last, before)) = self.last
            && last > request
        {
            self.overtaken.get_or_insert((before, place));
        }
        self.last = Some((request, place));
        self.open[me.index()] = None;
        self.granted += 1;
    }
}

impl Judge for Exclusion {
    fn see(&mut self, place: usize, happening: &Happening, case: &Case<'_>, known: &Knowledge) {
        let me = happening.process;
        if let What::Receive { from, .. } = happening.what
            && known.sending().is_none()
        {
            self.cut_off[from.index()] |= case.gone.contains(&from);
        }
        self.events[me.index()] += 1;
        match happening.deed {
            Some(Deed::Request) => self.open[me.index()] = Some(happening.time),
            Some(Deed::Enter(request)) => self.enter(place, me, request, known),
            Some(Deed::Leave(_)) => {
                if let Some(visit) = &mut self.visits[me.index()] {
                    visit.left = Some(self.events[me.index()]);
                }
            }
            _ => {}
        }
    }

    fn conclude(self: Box<Self>, case: &Case<'_>) -> Vec<Check> {
        const EXCLUSION: &str = "mutual exclusion";
        const GRANTED: &str = "every request granted";
        const ORDER: &str = "in timestamp order";
        let entries = plural(self.granted, "visit");
        let exclusion = match self.together {
            Some((events, so)) => Check::broken(case, EXCLUSION, events, so),
            None => Check::good(
                EXCLUSION,
                format!("at most one process in the critical section, in {entries}"),
            ),
        };
        let name = |process: &ProcessId| case.names.of(*process);
        let open: Vec<_> = ProcessId::all(self.open.len())
            .filter_map(|process| Some((process, self.open[process.index()]?)))
            .map(|(process, time)| format!("{}'s of {time}", name(&process)))
            .collect();
        let inside = ProcessId::all(self.visits.len()).filter(|process| {
            self.visits[process.index()].is_some_and(|visit| visit.left.is_none())
        });
        let inside: Vec<_> = inside.map(|process| case.names.of(process)).collect();
        let granted = if open.is_empty() {
            Check::good(GRANTED, format!("all {}", plural(self.granted, "request")))
        } else {
            let mut found = format!("not granted: {}", open.join(", "));
            if !inside.is_empty() {
                found += &format!("; {} never left the critical section", inside.join(", "));
            }
            if !case.gone.is_empty() {
                let gone: Vec<_> = case.gone.iter().map(name).collect();
                found += &format!("; {} is gone", gone.join(", "));
            }
            Check::missing(GRANTED, found)
        };
        let mut checks = vec![exclusion, granted];
        if self.by_time {
            checks.push(match self.overtaken {
                Some(events) => {
                    Check::broken(case, ORDER, events, "the second had asked before the first")
                }
                None => Check::good(ORDER, "no request was overtaken by a later one".into()),
            });
        }
        checks
    }
}
