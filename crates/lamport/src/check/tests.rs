//! The models, compared with published counts, a literal implementation, and stateright's own search.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use clap::ValueEnum;
use common::{
    parallel,
    process::{
        TimerKind,
        check::{
            model::Model,
            packed::PackedSystem,
            path_event::ExplainPath,
            search::{Counts, End, Limits, Outcome, Progress, search, search_space},
            system::FaultBudget,
        },
        fault_event::PathEvent,
        ids::{Names, ProcessId},
        verdict::run::RunUnderTest,
    },
};
use stateright::{Checker, Model as _};

use super::{
    compared::Compared,
    lamport_mutex::LamportMutex,
    violations::{CRASHED, DUPLICATED, LOST, NONE, REORDERED},
    *,
};
use crate::{algorithms::with_process, verdict};

fn all_of<M>(model: &M, workers: usize) -> Outcome<M::Action>
where
    M: Model,
{
    let limits = Limits::none(workers);
    search(model, limits, &Progress::default(), &|| false)
}

fn settings(algorithm: Algorithm, processes: usize, bug: Option<Bug>) -> Settings {
    Settings {
        algorithm,
        processes,
        bug,
        subject: Subject::Module { max_clock: 1 },
        order: ChannelOrder::Fifo,
        reduction: false,
        limits: Limits::none(2),
    }
}

fn module(processes: usize, max_clock: u8) -> LamportMutex {
    LamportMutex {
        processes,
        max_clock,
        bug: None,
    }
}

#[test]
fn the_published_counts_are_reproduced() {
    let outcome = all_of(&module(3, 6), 2);
    assert_eq!(
        outcome.counts,
        Counts {
            distinct: 724_274,
            depth: 61,
            generated: 2_496_351,
            beyond: 2_729_079 - 2_496_351,
        }
    );
    assert_eq!(outcome.end, End::Complete);
    assert!(outcome.violations.iter().all(Option::is_none));
}

/// A literal and slow implementation of the module: states as TLA+ defines them, in sets of states.
mod by_the_letter {
    use std::collections::HashSet;

    #[derive(Clone, Eq, Hash, PartialEq)]
    struct State {
        clock: Vec<u64>,
        req: Vec<Vec<u64>>,
        ack: Vec<Vec<bool>>,
        network: Vec<Vec<Vec<(&'static str, u64)>>>,
        crit: Vec<bool>,
    }

    fn next(state: &State, n: usize) -> Vec<State> {
        let mut all = Vec::new();
        let broadcast = |state: &mut State, s: usize, message| {
            for r in (0..n).filter(|r| *r != s) {
                state.network[s][r].push(message);
            }
        };
        let beats = |p: usize, q: usize| {
            let req = &state.req[p];
            req[q] == 0 || req[p] < req[q] || req[p] == req[q] && p < q
        };
        for p in 0..n {
            if state.req[p][p] == 0 {
                let mut next = state.clone();
                next.req[p][p] = state.clock[p];
                broadcast(&mut next, p, ("req", state.clock[p]));
                next.ack[p] = (0..n).map(|q| q == p).collect();
                all.push(next);
            }
            if state.ack[p].iter().all(|ack| *ack) && (0..n).all(|q| q == p || beats(p, q)) {
                let mut next = state.clone();
                next.crit[p] = true;
                all.push(next);
            }
            if state.crit[p] {
                let mut next = state.clone();
                next.crit[p] = false;
                broadcast(&mut next, p, ("rel", 0));
                next.req[p][p] = 0;
                next.ack[p] = vec![false; n];
                all.push(next);
            }
            for q in (0..n).filter(|q| *q != p) {
                let Some((kind, c)) = state.network[q][p].first().copied() else {
                    continue;
                };
                let mut next = state.clone();
                next.network[q][p].remove(0);
                match kind {
                    "req" => {
                        next.req[p][q] = c;
                        let clock = state.clock[p];
                        next.clock[p] = if c > clock { c + 1 } else { clock + 1 };
                        next.network[p][q].push(("ack", 0));
                    }
                    "ack" => next.ack[p][q] = true,
                    _ => next.req[p][q] = 0,
                }
                all.push(next);
            }
        }
        all
    }

    /// Distinct states, depth, generated within the bound, steps beyond it.
    pub(super) fn counts(n: usize, max_clock: u64) -> (u64, u64, u64, u64) {
        let init = State {
            clock: vec![1; n],
            req: vec![vec![0; n]; n],
            ack: vec![vec![false; n]; n],
            network: vec![vec![vec![]; n]; n],
            crit: vec![false; n],
        };
        let mut seen = HashSet::from([init.clone()]);
        let mut level = vec![init];
        let (mut depth, mut generated, mut beyond) = (0, 1, 0);
        while !level.is_empty() {
            depth += 1;
            let mut following = Vec::new();
            for state in level.iter().flat_map(|state| next(state, n)) {
                if state.clock.iter().any(|clock| *clock > max_clock) {
                    beyond += 1;
                } else {
                    generated += 1;
                    if seen.insert(state.clone()) {
                        following.push(state);
                    }
                }
            }
            level = following;
        }
        (seen.len() as u64, depth, generated, beyond)
    }
}

#[test]
fn the_counts_are_right_for_other_bounds_too() {
    fn compared(n: usize, max_clocks: std::ops::RangeInclusive<u8>) {
        for max_clock in max_clocks {
            let counts = all_of(&module(n, max_clock), 2).counts;
            let counts = (
                counts.distinct,
                counts.depth,
                counts.generated,
                counts.beyond,
            );
            let expected = by_the_letter::counts(n, max_clock.into());
            assert_eq!(counts, expected, "{n} processes, clocks up to {max_clock}");
        }
    }
    compared(2, 1..=9);
    compared(3, 1..=3);
    compared(4, 1..=2);
}

/// Calls the function with the model of the processes of each algorithm of which this is true.
macro_rules! each_system {
    ($processes:expr, $count:expr, $may:expr, $call:ident, $which:expr) => {
        let which: fn(Algorithm) -> bool = $which;
        let all = Algorithm::value_variants().iter().copied();
        for algorithm in all.filter(|algorithm| which(*algorithm)) {
            let settings = settings(algorithm, $processes, None);
            with_process!(algorithm, P => $call(algorithm, &settings.system::<P>($count, $may)));
        }
    };
}

#[test]
fn stateright_itself_and_any_number_of_threads_find_the_same_states() {
    fn compared<M>(algorithm: Algorithm, model: &M)
    where
        M: Model<State: 'static> + Clone + Send + 'static,
    {
        let own = all_of(model, 1);
        let several = all_of(model, 5);
        assert_eq!(own.counts, several.counts, "{algorithm:?}");
        assert_eq!(own.violations, several.violations, "{algorithm:?}");
        // On one thread its depth is right too.
        let theirs = Compared(model.clone()).checker().spawn_bfs().join();
        let counts = (
            theirs.unique_state_count() as u64,
            theirs.max_depth() as u64,
            theirs.state_count() as u64,
        );
        let all_violated = theirs.discoveries().len() == own.violations.len();
        assert_eq!(
            theirs.discoveries().len(),
            own.violations.iter().flatten().count(),
            "{algorithm:?}"
        );
        if !all_violated {
            let own = (own.counts.distinct, own.counts.depth, own.counts.generated);
            assert_eq!(counts, own, "{algorithm:?}");
        }
    }
    each_system!(2, 2, FaultBudget::default(), compared, |_| true);
    let budget = FaultBudget {
        lost: 1,
        duplicated: 1,
        reordered: 1,
        crashed: 1,
        suspected: 1,
    };
    each_system!(2, 1, budget, compared, |algorithm| !algorithm
        .has_detector()
        && !algorithm.reads_clock());
    // Suspicions beside all other faults have too many states.
    let budget = FaultBudget {
        duplicated: 0,
        reordered: 0,
        ..budget
    };
    each_system!(2, 1, budget, compared, |algorithm| algorithm.has_detector()
        && algorithm != Algorithm::TokenRing);
    compared(Algorithm::Mutex, &module(3, 3));
}

#[test]
fn a_state_that_is_reached_by_several_paths_is_counted_once() {
    /// Counters that are raised one after the other, in any order: (n + 1)^3 states, 3n + 1 deep.
    #[derive(Clone)]
    struct Counters(u8);
    impl Model for Counters {
        type State = [u8; 3];
        type Action = usize;
        fn init_states(&self) -> Vec<[u8; 3]> {
            vec![[0; 3]]
        }
        fn actions(&self, _: &[u8; 3], actions: &mut Vec<usize>) {
            actions.extend(0..3);
        }
        fn next_state(&self, state: &[u8; 3], action: usize) -> Option<[u8; 3]> {
            let mut next = *state;
            next[action] += 1;
            Some(next)
        }
        fn within_boundary(&self, state: &[u8; 3]) -> bool {
            state.iter().all(|counter| *counter <= self.0)
        }
        fn properties(&self) -> Vec<&'static str> {
            vec!["beyond", "nine", "holds"]
        }
        fn violated(&self, state: &[u8; 3]) -> u32 {
            let beyond = state.iter().any(|counter| *counter > self.0);
            u32::from(beyond) | u32::from(state.iter().sum::<u8>() >= 9) << 1
        }
    }
    for workers in [1, 2, 7] {
        let outcome = all_of(&Counters(80), workers);
        assert_eq!(outcome.counts.distinct, 81 * 81 * 81);
        assert_eq!(outcome.counts.depth, 3 * 80 + 1);
        assert_eq!(outcome.counts.beyond, 3 * 81 * 81);
        assert_eq!(
            outcome.counts.generated + outcome.counts.beyond,
            3 * 81 * 81 * 81 + 1
        );
        let lengths = outcome
            .violations
            .iter()
            .map(|path| path.as_ref().map(Vec::len));
        assert_eq!(lengths.collect::<Vec<_>>(), [Some(81), Some(9), None]);
    }
    let calls = AtomicU64::new(0);
    let limits = |most| Limits {
        most,
        ..Limits::none(2)
    };
    let stop = || calls.fetch_add(1, Ordering::Relaxed) == 20;
    let stopped = search(&Counters(80), limits(u64::MAX), &Progress::default(), &stop);
    assert_eq!(stopped.end, End::Interrupted);
    assert!((2..100).contains(&stopped.counts.depth), "{stopped:?}");
    let many = search(&Counters(80), limits(1000), &Progress::default(), &|| false);
    assert_eq!(many.end, End::TooMany);
    assert!((990..=1000).contains(&many.counts.distinct), "{many:?}");
}

#[test]
fn threads_work_at_the_same_time() {
    // The thread with the first item waits for the thread with the second.
    let (give, take) = crossbeam::channel::bounded(0);
    let long = Duration::from_secs(30);
    let met = parallel::each("test", 2, 0..2, |item| match item {
        0 => give.send_timeout((), long).is_ok(),
        _ => take.recv_timeout(long).is_ok(),
    });
    assert_eq!(met, [true, true]);
    assert_eq!(parallel::each("test", 9, 0..3, |item| item * 2), [0, 2, 4]);
}

/// The properties that the verdict finds violated on the path: a checker that is independent of the search.
fn violated<M: ExplainPath>(
    algorithm: Algorithm,
    model: &M,
    path: &[M::Action],
) -> HashSet<&'static str> {
    let events = PathEvent::run_events(&model.explain(path));
    let names = Names::numbered(model.names().count());
    let verdict = verdict::of(algorithm, &RunUnderTest::new(&names, &events));
    let violated = verdict.checks.iter().filter(|check| check.is_violated());
    violated.map(|check| check.property.name()).collect()
}

/// The violated properties with the lengths of their paths; the verdict on each path must find the same violation.
fn violations(
    algorithm: Algorithm,
    (processes, count): (usize, u16),
    bug: Option<Bug>,
    budget: FaultBudget,
) -> Vec<(&'static str, usize)> {
    let settings = Settings {
        subject: Subject::Processes { count, budget },
        ..settings(algorithm, processes, bug)
    };
    violations::violations(&settings, false)
}

const EXCLUSION: &str = "mutual exclusion";
const GRANTED: &str = "every request granted";
const IN_ORDER: &str = "in timestamp order";
const SEQUENCE: &str = "same sequence";
const ONCE: &str = "delivered once";
const DELIVERED: &str = "everything delivered";
const CLOCK: &str = "clock condition";
const CAUSAL: &str = "causal order";

#[test]
fn what_each_algorithm_tolerates() {
    type Row<'a> = (Algorithm, usize, u16, [&'a [&'a str]; 5]);
    let table: [Row<'_>; 8] = [
        (Algorithm::Events, 3, 2, [&[], &[], &[], &[], &[]]),
        (
            Algorithm::Mutex,
            2,
            2,
            [
                &[],
                &[EXCLUSION, GRANTED],
                // The copy of a request that arrives after its release.
                &[EXCLUSION, GRANTED],
                &[EXCLUSION, GRANTED],
                &[GRANTED],
            ],
        ),
        // Reordering does not affect it, as its paper says: a process awaits at most one message from another.
        (
            Algorithm::RicartAgrawala,
            2,
            2,
            [&[], &[GRANTED], &[EXCLUSION, IN_ORDER], &[], &[GRANTED]],
        ),
        (
            Algorithm::Central,
            3,
            2,
            [
                &[],
                &[GRANTED],
                &[EXCLUSION, GRANTED],
                &[GRANTED],
                &[GRANTED],
            ],
        ),
        // A lost token is made again, and one that comes late is discarded.
        (
            Algorithm::TokenRing,
            2,
            1,
            [&[], &[], &[EXCLUSION], &[], &[]],
        ),
        (
            Algorithm::Maekawa,
            3,
            1,
            [&[], &[GRANTED], &[GRANTED], &[], &[GRANTED]],
        ),
        (
            Algorithm::Total,
            2,
            2,
            [
                &[],
                &[SEQUENCE, DELIVERED],
                &[SEQUENCE, ONCE, DELIVERED],
                &[SEQUENCE],
                &[DELIVERED],
            ],
        ),
        // A multicast may reach only one of the other processes when its sender crashes.
        (
            Algorithm::Causal,
            3,
            1,
            [&[], &[DELIVERED], &[], &[], &[DELIVERED]],
        ),
    ];
    for (algorithm, processes, count, expected) in table {
        for (budget, expected) in [NONE, LOST, DUPLICATED, REORDERED, CRASHED]
            .iter()
            .zip(expected)
        {
            let found = violations(algorithm, (processes, count), None, *budget);
            let rules: Vec<_> = found.iter().map(|(rule, _)| *rule).collect();
            assert_eq!(rules, expected, "{algorithm:?} {budget:?}");
        }
    }
}

#[test]
fn each_injected_bug_is_found_by_a_shortest_path() {
    use Algorithm::{Causal, Central, Events, Maekawa, RicartAgrawala, TokenRing, Total};
    use Bug::{
        KeepToken, NoAcknowledgement, NoAdvance, NoHoldBack, NoRelinquish, NoRound, NoTieBreak,
    };
    for (algorithm, processes, bug, expected) in [
        (Events, 2, NoAdvance, vec![(CLOCK, 3)]),
        (Algorithm::Mutex, 2, NoTieBreak, vec![(EXCLUSION, 5)]),
        (
            Algorithm::Mutex,
            2,
            NoAcknowledgement,
            vec![(EXCLUSION, 2), (IN_ORDER, 2)],
        ),
        (Algorithm::Mutex, 2, NoAdvance, vec![(CLOCK, 2)]),
        (
            RicartAgrawala,
            2,
            NoTieBreak,
            vec![(EXCLUSION, 6), (IN_ORDER, 6)],
        ),
        (
            RicartAgrawala,
            2,
            NoAcknowledgement,
            vec![(EXCLUSION, 2), (IN_ORDER, 2)],
        ),
        (
            RicartAgrawala,
            2,
            NoAdvance,
            vec![(CLOCK, 2), (IN_ORDER, 11)],
        ),
        (Central, 3, NoAcknowledgement, vec![(EXCLUSION, 2)]),
        (Central, 3, NoAdvance, vec![(CLOCK, 2)]),
        (TokenRing, 2, KeepToken, vec![(GRANTED, 5)]),
        (TokenRing, 2, NoRound, vec![(EXCLUSION, 3)]),
        (TokenRing, 2, NoAcknowledgement, vec![(EXCLUSION, 2)]),
        (TokenRing, 2, NoAdvance, vec![(CLOCK, 2)]),
        (Maekawa, 3, NoRelinquish, vec![(GRANTED, 6)]),
        (Maekawa, 3, NoTieBreak, vec![(GRANTED, 9)]),
        (Maekawa, 3, NoAcknowledgement, vec![(EXCLUSION, 2)]),
        (Maekawa, 3, NoAdvance, vec![(CLOCK, 2)]),
        (Total, 2, NoTieBreak, vec![(SEQUENCE, 4)]),
        (Total, 2, NoAcknowledgement, vec![(SEQUENCE, 2)]),
        (Total, 2, NoAdvance, vec![(CLOCK, 2)]),
        (Causal, 3, NoHoldBack, vec![(CAUSAL, 4)]),
        (Causal, 3, NoAdvance, vec![(CLOCK, 2)]),
    ] {
        let count = match algorithm {
            Causal | TokenRing | Maekawa => 1,
            _ => 2,
        };
        let found = violations(
            algorithm,
            (processes, count),
            Some(bug),
            FaultBudget::default(),
        );
        assert_eq!(found, expected, "{algorithm:?} {bug:?}");
    }
}

/// A ring of three, in which a process crashes at every moment, the one with the token included.
#[test]
fn a_token_survives_its_holder_if_no_process_is_suspected_wrongly() {
    let settings = Settings {
        order: ChannelOrder::Fifo,
        reduction: true,
        ..settings(Algorithm::TokenRing, 3, None)
    };
    let searched = |budget| {
        let mut system = settings.system::<crate::algorithms::token_ring::TokenRing>(1, budget);
        system.bounds.timeouts = 0;
        let system = settings.reduced(&system);
        let limits = Limits {
            until_violation: true,
            ..Limits::none(2)
        };
        let space = PackedSystem::new(&system, &limits);
        let outcome = search_space(&space, limits, &Progress::default(), &|| false);
        let violated = outcome.violations.iter().map(Option::is_some);
        (violated.collect::<Vec<_>>(), outcome.counts.distinct)
    };
    let (violated, states) = searched(FaultBudget {
        crashed: 1,
        ..FaultBudget::default()
    });
    assert_eq!(violated, [false; 3], "{states}");
    assert!((1_000..1_000_000).contains(&states), "{states}");
    // Its holder lives, and is inside when another process makes a new one.
    let (violated, _) = searched(FaultBudget {
        suspected: 1,
        ..FaultBudget::default()
    });
    assert_eq!(violated, [false, true, false]);
}

#[test]
fn the_modules_invariants_can_be_violated() {
    let lengths = |bug| {
        let bug = Some(bug);
        let module = LamportMutex {
            bug,
            ..module(2, 4)
        };
        let outcome = all_of(&module, 2);
        let path = outcome.violations[0].as_ref();
        let violated = path.map(|path| violated(Algorithm::Mutex, &module, path));
        assert!(violated.is_none_or(|violated| violated.contains(EXCLUSION)));
        let lengths = outcome
            .violations
            .iter()
            .map(|path| path.as_ref().map(Vec::len));
        lengths.collect::<Vec<_>>()
    };
    // Two requests, their receives, the acknowledgements, and two entries.
    assert_eq!(lengths(Bug::NoTieBreak), [Some(8), None, None]);
    // Two requests, and two entries without an acknowledgement; four messages without a receive.
    assert_eq!(lengths(Bug::NoAcknowledgement), [Some(4), None, Some(6)]);
    // A process whose clock stays behind a request that it has acknowledged sends a request with a smaller time.
    assert_eq!(lengths(Bug::NoAdvance), [Some(14), None, None]);

    let module = module(2, 4);
    let type_correct = |state: &lamport_mutex::State| module.violated(state) >> 1 & 1 == 0;
    assert_eq!(module.properties()[1], "type correctness");
    let mut state = module.init_states().remove(0);
    assert!(type_correct(&state));
    state.set_clock(ProcessId(0), 6);
    assert!(!type_correct(&state));
}

#[test]
fn a_crashed_process_takes_no_step() {
    use common::process::check::system::Step;
    let [p1, p2] = [ProcessId(0), ProcessId(1)];
    let budget = FaultBudget {
        crashed: 1,
        ..FaultBudget::default()
    };
    let settings = settings(Algorithm::Mutex, 2, None);
    let model = settings.system::<crate::algorithms::mutex::Mutex>(1, budget);
    let mut state = model.init_states().remove(0);
    for step in [
        Step::Timer(p1, TimerKind::Think),
        Step::Timer(p2, TimerKind::Think),
        Step::Crash(p1),
    ] {
        state = model.next_state(&state, step).unwrap();
    }
    let mut steps = Vec::new();
    model.actions(&state, &mut steps);
    // Its message arrives, or is lost in the crash.
    let receive = Step::Receive {
        from: p1,
        to: p2,
        position: 0,
        copy: false,
        duplicated: false,
    };
    assert_eq!(steps, [Step::LossInCrash(p1, p2), receive]);
}
