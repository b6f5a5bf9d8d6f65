//! The reduction, held against the full search; and the packed states, held against the model's own.

use std::collections::HashSet;

use clap::ValueEnum;
use common::process::check::{
    model::Model,
    monitor::{Known, Monitor},
    packed::PackedSystem,
    relevance::Relevance,
    search::{End, Limits, Outcome, Progress, search, search_space},
    system::{FaultBudget, GlobalState, Step, System},
};

use super::{processes::search_processes, *};
use crate::algorithms::with_process;

fn settings(algorithm: Algorithm, processes: usize, bug: Option<Bug>, count: u16) -> Settings {
    Settings {
        algorithm,
        processes,
        bug,
        subject: Subject::Processes {
            count,
            budget: FaultBudget::default(),
        },
        order: ChannelOrder::Fifo,
        reduction: true,
        limits: Limits::none(2),
    }
}

fn faults(number: u8) -> FaultBudget {
    FaultBudget {
        lost: number & 1,
        duplicated: number >> 1 & 1,
        reordered: number >> 2 & 1,
        crashed: number >> 3 & 1,
        suspected: number >> 4 & 1,
    }
}

/// Every algorithm with every bug that it takes, and without one.
fn variants() -> impl Iterator<Item = (Algorithm, Option<Bug>)> {
    Algorithm::value_variants().iter().flat_map(|&algorithm| {
        let bugs = algorithm.bugs().iter().copied().map(Some);
        bugs.chain([None]).map(move |bug| (algorithm, bug))
    })
}

/// The most states of a comparison of packed states with the model's own.
const MOST_COMPARED: u64 = 20_000;

/// The most states of which every pair of steps is tried in both orders.
const MOST_COMMUTING: usize = 3_000;

fn all_of<M>(model: &M) -> Outcome<M::Action>
where
    M: Model,
{
    let limits = Limits {
        most: MOST_COMPARED,
        ..Limits::none(2)
    };
    search(model, limits, &Progress::default(), &|| false)
}

fn packed<P>(system: &System<P, PropertyMonitor>, workers: usize) -> Outcome<Step>
where
    P: Relevance,
{
    let limits = Limits::none(workers);
    let space = PackedSystem::new(system, &limits);
    search_space(&space, limits, &Progress::default(), &|| false)
}

fn violated<A>(outcome: &Outcome<A>) -> Vec<bool> {
    outcome.violations.iter().map(Option::is_some).collect()
}

#[test]
fn packed_states_are_those_of_the_model() {
    for &algorithm in Algorithm::value_variants() {
        let (mut compared, mut with_faults) = (0, 0);
        for (algorithm, bug) in variants().filter(|variant| variant.0 == algorithm) {
            // With a failure detector: also with a wrong suspicion, a crash and a loss.
            let detector = algorithm.has_detector().then_some(25);
            for number in [0, 6, 9, 15].into_iter().chain(detector) {
                let settings = settings(algorithm, 2, bug, 1);
                with_process!(algorithm, P => {
                    let count = if number == 0 { 2 } else { 1 };
                    let system = settings.system::<P>(count, faults(number));
                    let expected = all_of(&system);
                    if expected.end == End::TooMany {
                        continue;
                    }
                    compared += 1;
                    with_faults += i32::from(number > 0);
                    for workers in [1, 4] {
                        let found = packed(&system, workers);
                        let case = format!("{algorithm:?} {bug:?} {number} {workers}");
                        assert_eq!(found.end, expected.end, "{case}");
                        assert_eq!(found.counts, expected.counts, "{case}");
                        // Which of several shortest paths depends on the order of the states.
                        let lengths = |outcome: &Outcome<Step>| -> Vec<_> {
                            let paths = outcome.violations.iter();
                            paths.map(|path| path.as_ref().map(Vec::len)).collect()
                        };
                        assert_eq!(lengths(&found), lengths(&expected), "{case}");
                    }
                });
            }
        }
        assert!(
            compared > 1 && with_faults > 0,
            "{algorithm:?}: {compared}, {with_faults} with faults"
        );
    }
}

#[test]
fn the_number_of_threads_changes_no_path() {
    let settings = settings(Algorithm::RicartAgrawala, 3, Some(Bug::NoTieBreak), 1);
    with_process!(settings.algorithm, P => {
        let system = settings.system::<P>(1, FaultBudget::default());
        let one = packed(&system, 1);
        assert!(one.counts.distinct > 20_000);
        for workers in [2, 3, 7] {
            let several = packed(&system, workers);
            assert_eq!((one.counts, &one.violations), (several.counts, &several.violations));
        }
    });
}

#[test]
fn the_reduced_search_has_the_verdicts_of_the_full_one() {
    let mut reduced_ones = 0;
    for (algorithm, bug) in variants() {
        for (processes, count) in [(2, 1), (2, 2), (3, 1)] {
            let settings = settings(algorithm, processes, bug, count);
            // A million states each; the steps taken alone are checked with three of these, too.
            let is_large = matches!(
                algorithm,
                Algorithm::Mutex | Algorithm::Total | Algorithm::TokenRing
            );
            if reduction::why_not(&settings).is_some() || processes == 3 && is_large {
                continue;
            }
            reduced_ones += 1;
            let count = match algorithm {
                Algorithm::Events => count + 1,
                _ => count,
            };
            let case = format!("{algorithm:?} {bug:?} {processes} {count}");
            with_process!(algorithm, P => {
                let system = settings.system::<P>(count, FaultBudget::default());
                let full = packed(&system, 2);
                let reduced = settings.reduced(&system);
                let found = packed(&reduced, 2);
                // Which properties are violated is for the full search: two that are together have no order.
                let any = |outcome: &Outcome<Step>| violated(outcome).contains(&true);
                assert_eq!(any(&found), any(&full), "{case}");
                assert!(found.counts.distinct <= full.counts.distinct, "{case}");
                for property in algorithm.monitored() {
                    let lacks = |system: &System<P, PropertyMonitor>| system.exercise.so_far().lacks(*property);
                    assert_eq!(lacks(&reduced), lacks(&system), "{case} {property}");
                }
                // A violation is a shortest path of the full search, and that again is its path.
                let searched = search_processes(&settings, &system, &Progress::default(), &|| false);
                assert_eq!(violated(&searched.outcome), violated(&full), "{case}");
                if full.violations.iter().any(Option::is_some) {
                    assert_eq!(searched.outcome.violations, full.violations, "{case}");
                    assert!(searched.saving.is_none() && searched.suspected != 0, "{case}");
                } else {
                    let (possible, taken) = searched.saving.unwrap();
                    assert!(possible >= taken && taken > 0, "{case}");
                }
            });
        }
    }
    assert!(reduced_ones >= 20, "{reduced_ones}");
}

/// Forgets what is known of the last entry; what it was.
fn known<P: Relevance>(state: &mut GlobalState<P, PropertyMonitor>) -> Vec<Known> {
    let mut known = state.monitor.take_known();
    let in_flight = state.network.iter_mut();
    known.extend(in_flight.map(|in_flight| std::mem::take(&mut in_flight.known)));
    known
}

/// Checks that each step that is taken alone commutes with every other step, in states that clocks leave: the deepest ones first.
fn commuting<P: Relevance>(system: &System<P, PropertyMonitor>, case: &str) -> u64 {
    let mut seen: HashSet<GlobalState<P, PropertyMonitor>> = HashSet::new();
    let mut states = system.init_states();
    let mut pairs = 0;
    while let Some(state) = states.pop().filter(|_| seen.len() < MOST_COMMUTING) {
        let mut steps = Vec::new();
        system.actions(&state, &mut steps);
        for step in &steps {
            let after = system.reduced_next(&state, *step);
            if system.commutes(&state, step) {
                for other in steps.iter().filter(|other| *other != step) {
                    pairs += 1;
                    let first = system.reduced_next(&after, *other);
                    let before = system.reduced_next(&state, *other);
                    let last = system.reduced_next(&before, *step);
                    let words = || {
                        format!("{case}: {step:?} and {other:?} in\n{state:?}: {first:?} {last:?}")
                    };
                    assert!(system.commutes(&before, step), "{}", words());
                    if before.monitor.violates_any() {
                        let is_shown = after.monitor.violates_any() || first.monitor.violates_any();
                        assert!(is_shown, "{}", words());
                    } else if !first.monitor.violates_any() && !last.monitor.violates_any() {
                        let (mut first, mut last) = (first.clone(), last.clone());
                        first.monitor.step();
                        last.monitor.step();
                        // Taken first, it leaves no more known, which shows no fewer violations.
                        let mut at_most = known(&mut first).into_iter().zip(known(&mut last));
                        assert!(at_most.all(|(less, more)| less <= more), "{}", words());
                        assert!(first == last, "{}", words());
                    }
                }
            }
            // The reduced search ends with the first violation.
            if !after.monitor.violates_any() && seen.insert(after.clone()) {
                states.push(after);
            }
        }
    }
    pairs
}

#[test]
fn a_step_that_is_taken_alone_commutes_with_all_others() {
    let mut pairs = 0;
    for (algorithm, bug) in variants() {
        for (processes, count) in [(2, 2), (3, 1)] {
            let settings = settings(algorithm, processes, bug, count);
            if reduction::why_not(&settings).is_some() {
                continue;
            }
            let case = format!("{algorithm:?} {bug:?} {processes} {count}");
            with_process!(algorithm, P => {
                let system = settings.system::<P>(count, FaultBudget::default());
                let system = settings.reduced(&system);
                pairs += commuting(&system, &case);
            });
        }
    }
    assert!(pairs > 10_000, "{pairs}");
}

#[test]
fn it_does_so_where_operations_have_no_end() {
    let mut pairs = 0;
    for (algorithm, processes) in [
        (Algorithm::Central, 4),
        (Algorithm::RicartAgrawala, 3),
        (Algorithm::Mutex, 2),
    ] {
        for bug in algorithm.bugs().iter().copied().map(Some).chain([None]) {
            let settings = settings(algorithm, processes, bug, system::UNBOUNDED);
            // Where a bug violates safety, the states have no end.
            let is_finite =
                bug.is_none() || (algorithm, bug) == (Algorithm::Central, Some(Bug::UnfairQueue));
            if is_finite {
                let case = format!("{algorithm:?} {bug:?} without end");
                with_process!(algorithm, P => {
                    pairs += commuting(&liveness::system::<P>(&settings), &case);
                });
            }
        }
    }
    assert!(pairs > 1_000, "{pairs}");
}

#[test]
fn no_reduction_is_claimed_where_none_is_sound() {
    let mutex = settings(Algorithm::Mutex, 2, None, 1);
    assert_eq!(reduction::why_not(&mutex), None);
    let with_bug = |bug| Settings {
        bug: Some(bug),
        ..mutex
    };
    assert!(reduction::why_not(&with_bug(Bug::NoTieBreak)).is_some());
    assert!(reduction::why_not(&with_bug(Bug::NoAdvance)).is_some());
    assert_eq!(reduction::why_not(&with_bug(Bug::NoAcknowledgement)), None);
    for number in 1..16 {
        let subject = Subject::Processes {
            count: 1,
            budget: faults(number),
        };
        assert!(reduction::why_not(&Settings { subject, ..mutex }).is_some());
    }
    let module = Subject::Module { max_clock: 3 };
    let module = Settings {
        subject: module,
        ..mutex
    };
    assert!(reduction::why_not(&module).is_some());
}

#[test]
fn a_limit_ends_a_reduced_search_too() {
    let limits = Limits {
        most: 100,
        ..Limits::none(2)
    };
    let settings = Settings {
        limits,
        ..settings(Algorithm::Mutex, 3, None, 1)
    };
    with_process!(settings.algorithm, P => {
        let system = settings.system::<P>(1, FaultBudget::default());
        let searched = search_processes(&settings, &system, &Progress::default(), &|| false);
        assert_eq!(searched.outcome.end, End::TooMany);
        assert_eq!(searched.outcome.counts.distinct, 100);
    });
}
