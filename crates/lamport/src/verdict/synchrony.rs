//! Clock synchronization (van Steen & Tanenbaum, "Clock synchronization algorithms"): a clock that follows another is wrong by no
//! more than the algorithm states, no clock is set back, one that is far off does not draw the others away, and every round ends. One
//! automaton serves the verdict on runs and the model checker.
//!
//! What is compared is how far clocks are ahead of true time, which the drivers of the processes know.

use common::{
    process::{
        Meaning,
        ids::ProcessId,
        physical::{ClockAction, ClockEvent, Nanos},
        property::Property,
        run_event::RunEvent,
        verdict::{
            check::Check,
            checker::{Checker, Known},
            exercise::Exercise,
            run::{Expected, RunUnderTest},
        },
    },
    text::plural,
};
use smallvec::{SmallVec, smallvec};

use crate::algorithms::{
    Algorithm,
    berkeley::{COORDINATOR, TOLERANCE},
};

/// How far two readings of one machine's clock by different processes may be apart, in nanoseconds.
const ALLOWANCE: i64 = 100_000;

/// The clocks of a path.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Synchrony {
    /// Whether the clocks are to agree, and none is right.
    by_rounds: bool,
    /// The processes that have asked for the time, and have not adjusted their clocks.
    waiting: SmallVec<[bool; 8]>,
    /// How far each clock was ahead of true time when its process reported it last: of a time server, or in a round.
    reported: SmallVec<[Option<(u32, i64)>; 8]>,
    /// The same of clocks that were adjusted in a round, and how far they may be wrong.
    adjusted: SmallVec<[Option<(u32, i64, i64)>; 8]>,
}

/// What an event violates.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Violations {
    /// The clock is wrong by more than the bound.
    pub(crate) error: bool,
    /// It differs by more from the clock of this process.
    pub(crate) skew: Option<ProcessId>,
    /// The new time is far from that of a majority.
    pub(crate) outliers: bool,
    /// The clock is set back.
    pub(crate) set_back: bool,
    /// How far the clock is from the one that it follows, or from the one in its round that is farthest from it; and how far it may
    /// be.
    pub(crate) difference: Option<(i64, i64)>,
}

impl Synchrony {
    /// For this number of processes.
    pub(crate) fn new(algorithm: Algorithm, processes: usize) -> Self {
        Self {
            by_rounds: algorithm == Algorithm::Berkeley,
            waiting: smallvec![false; processes],
            reported: smallvec![None; processes],
            adjusted: smallvec![None; processes],
        }
    }

    /// The next event of a clock.
    pub(crate) fn step(&mut self, process: ProcessId, event: &ClockEvent) -> Violations {
        let me = process.index();
        let (round, ahead) = (event.round, event.ahead());
        let mut violations = Violations::default();
        match event.action {
            ClockAction::Poll => {
                self.waiting[me] = true;
                if self.by_rounds {
                    self.reported[me] = Some((round, ahead));
                }
            }
            ClockAction::Report => self.reported[me] = Some((round, ahead)),
            ClockAction::Sample { .. } | ClockAction::Show => {}
            ClockAction::Keep => self.waiting[me] = false,
            ClockAction::Adjust { before, bound } => {
                self.waiting[me] = false;
                violations.set_back = event.shown < before;
                match self.by_rounds {
                    true => self.in_round(process, (round, ahead, bound), &mut violations),
                    false => {
                        // The server may have no log.
                        if let Some((_, server)) = self.reported[COORDINATOR.index()] {
                            let difference = (ahead - server).abs();
                            violations.difference = Some((difference, bound));
                            violations.error = difference > bound + ALLOWANCE;
                        }
                    }
                }
            }
        }
        violations
    }

    /// A clock is adjusted in a round.
    fn in_round(
        &mut self,
        process: ProcessId,
        (round, ahead, bound): (u32, i64, i64),
        violations: &mut Violations,
    ) {
        for (other, adjusted) in self.adjusted.iter().enumerate() {
            if let Some((in_round, other_ahead, other_bound)) = *adjusted
                && in_round == round
                && other != process.index()
            {
                let (difference, most) = ((ahead - other_ahead).abs(), bound + other_bound);
                if difference > most + ALLOWANCE {
                    violations.skew = Some(ProcessId::at(other));
                }
                let worst = violations.difference.get_or_insert((difference, most));
                if difference - most > worst.0 - worst.1 {
                    *worst = (difference, most);
                }
            }
        }
        self.adjusted[process.index()] = Some((round, ahead, bound));
        if process == COORDINATOR {
            violations.outliers = self.is_drawn_away(round, ahead);
        }
    }

    /// Whether more than half of all clocks agreed before the round, and the coordinator's is now far from them. Those that it knows to
    /// agree may differ by a bit more than the tolerance, and so may its estimates.
    fn is_drawn_away(&self, round: u32, ahead: i64) -> bool {
        let reported = self.reported.iter().flatten();
        let mut before: SmallVec<[i64; 8]> = reported
            .filter(|(in_round, _)| *in_round == round)
            .map(|(_, ahead)| *ahead)
            .collect();
        before.sort_unstable();
        let majority = self.reported.len() / 2 + 1;
        let mut sets = before.windows(majority);
        sets.any(|set| {
            let (first, last) = (set[0], set[majority - 1]);
            let slack = 3 * TOLERANCE;
            last - first <= TOLERANCE && !(first - slack..=last + slack).contains(&ahead)
        })
    }

    /// Whether the process has asked for the time, and waits.
    pub(crate) fn waits(&self, process: ProcessId) -> bool {
        self.waiting[process.index()]
    }
}

/// Two events after which clocks differ too much, by how much, and by how much they may.
type Difference = ((usize, usize), (i64, i64));

/// Checks the clocks of a run.
#[derive(Debug)]
pub(super) struct SynchronyChecker {
    state: Synchrony,
    /// The last event of each process's clock: its index, what the clock showed, and how far the hardware clock was ahead.
    last: Vec<Option<(usize, i64, i64)>>,
    /// The last event by which each process asked for the time.
    asked: Vec<Option<usize>>,
    adjustments: u64,
    /// The adjustment that comes closest to what it may be wrong: the difference, and the bound.
    worst: Option<(i64, i64)>,
    error: Option<Difference>,
    skew: Option<Difference>,
    outliers: Option<(usize, usize)>,
    set_back: Option<((usize, usize), String)>,
}

impl SynchronyChecker {
    pub(super) fn new(algorithm: Algorithm, processes: usize) -> Self {
        Self {
            state: Synchrony::new(algorithm, processes),
            last: vec![None; processes],
            asked: vec![None; processes],
            adjustments: 0,
            worst: None,
            error: None,
            skew: None,
            outliers: None,
            set_back: None,
        }
    }

    /// Whether the clock shows an earlier time than before.
    fn runs_back(&mut self, index: usize, process: ProcessId, event: &ClockEvent) {
        let error = event.reading.error;
        let last = self.last[process.index()].replace((index, event.shown, error));
        if let Some((before, shown, was)) = last
            && event.shown < shown
        {
            let by = error - was;
            let why = match by < -ALLOWANCE {
                true => format!("its hardware clock has jumped by {}", Nanos(by)),
                false => format!("the clock is set back by {}", Nanos(shown - event.shown)),
            };
            self.set_back.get_or_insert(((before, index), why));
        }
    }
}

impl Checker for SynchronyChecker {
    fn see(&mut self, index: usize, event: &RunEvent, _: &RunUnderTest<'_>, _: &Known) {
        let Some(Meaning::Clock(clock)) = &event.meaning else {
            return;
        };
        let last = |process: ProcessId| self.last[process.index()].map_or(index, |last| last.0);
        let violations = self.state.step(event.process, clock);
        if violations.error {
            let asked = self.asked[event.process.index()].unwrap_or(index);
            let differ = violations.difference.unwrap_or_default();
            self.error.get_or_insert(((asked, index), differ));
        }
        if let Some(other) = violations.skew {
            let differ = violations.difference.unwrap_or_default();
            self.skew.get_or_insert(((last(other), index), differ));
        }
        if violations.outliers {
            self.outliers.get_or_insert((index, index));
        }
        if clock.action == ClockAction::Poll {
            self.asked[event.process.index()] = Some(index);
        }
        self.adjustments += u64::from(matches!(clock.action, ClockAction::Adjust { .. }));
        if let Some((difference, bound)) = violations.difference {
            let share = |(difference, bound): (i64, i64)| difference as f64 / bound.max(1) as f64;
            let worst = self.worst.get_or_insert((difference, bound));
            if share((difference, bound)) > share(*worst) {
                *worst = (difference, bound);
            }
        }
        self.runs_back(index, event.process, clock);
        if violations.set_back && self.set_back.is_none() {
            let why = "the clock is set back".to_owned();
            self.set_back = Some(((index, index), why));
        }
    }

    fn conclude(self: Box<Self>, run: &RunUnderTest<'_>, exercise: Exercise) -> Vec<Check> {
        let count = plural(self.adjustments, "adjustment");
        let safety =
            |property, violated: Option<(usize, usize)>, why: &str, found: String| match violated {
                Some(events) => Check::violated(run, property, events, why),
                None => Check::held(run, exercise, property, found, &[]),
            };
        let worst = self.worst.map(|(difference, bound)| {
            let (difference, bound) = (Nanos(difference), Nanos(bound));
            format!("at worst {difference}, where {bound} is possible")
        });
        let differ = |of: Option<Difference>, what: &str| {
            let (events, differ) = of.unzip();
            let (difference, bound) = differ.unwrap_or_default();
            let (difference, bound) = (Nanos(difference), Nanos(bound));
            (
                events,
                format!("{what} {difference}, where {bound} is possible"),
            )
        };
        let mut checks = Vec::new();
        match self.state.by_rounds {
            true => {
                let found = match worst {
                    Some(worst) => format!("{worst}, in {count}"),
                    None => "no two clocks were adjusted in one round".to_owned(),
                };
                let (events, why) = differ(self.skew, "after a round two clocks differ by");
                checks.push(safety(Property::ClockSkew, events, &why, found));
                let why = "a majority agrees, and is drawn away";
                let found = format!("{count} near the majority's clocks");
                checks.push(safety(Property::Outliers, self.outliers, why, found));
            }
            false => {
                let found = match worst {
                    Some(worst) => format!("{worst}, in {count}"),
                    None => "the time server has not reported its time".to_owned(),
                };
                let (events, why) = differ(self.error, "the clock is wrong by");
                checks.push(safety(Property::ClockError, events, &why, found));
            }
        }
        let (events, why) = match &self.set_back {
            Some((events, why)) => (Some(*events), why.as_str()),
            None => (None, ""),
        };
        let found = format!("the clocks only go forward, in {count}");
        checks.push(safety(Property::ClockMonotonic, events, why, found));
        checks.push(self.ended(run, exercise));
        checks
    }
}

impl SynchronyChecker {
    fn ended(&self, run: &RunUnderTest<'_>, exercise: Exercise) -> Check {
        let property = Property::Synchronized;
        let waiting = |expected| {
            let all = ProcessId::all(run.names.count());
            let waiting = all.filter(|it| self.state.waits(*it) && run.expects(*it) == expected);
            let names: Vec<_> = waiting.map(|process| run.names.of(process)).collect();
            names.join(", ")
        };
        let (never, not_yet) = (waiting(Expected::Yes), waiting(Expected::Unknown));
        if let Some(undone) = Check::undone(run, property, "waiting", (&never, &not_yet)) {
            return undone;
        }
        let found = "no process that lives waits for the time".to_owned();
        Check::held(run, exercise, property, found, &[])
    }
}
