//! Distributed snapshots in every interleaving: what they tolerate, what they need of channels, and their bugs.

use common::process::{
    Command,
    check::{
        search::{End, Limits, Outcome, Progress, search},
        system::{FaultBudget, Step, TimerBounds},
    },
    ids::ProcessId,
};

use super::{
    violations::{CRASHED, DUPLICATED, LOST, NONE, REORDERED},
    *,
};
use crate::algorithms::with_process;

const CUT: &str = "consistent cut";
const MONEY: &str = "money conserved";
const COMPLETED: &str = "snapshots completed";

fn settings(
    algorithm: Algorithm,
    bug: Option<Bug>,
    order: ChannelOrder,
    budget: FaultBudget,
) -> Settings {
    Settings {
        algorithm,
        processes: 3,
        bug,
        subject: Subject::Processes { count: 1, budget },
        order,
        reduction: false,
        limits: Limits::none(2),
    }
}

fn violated(settings: &Settings) -> Vec<&'static str> {
    let found = violations::violations(settings, false).into_iter();
    found.map(|(property, _)| property).collect()
}

#[test]
fn what_snapshots_tolerate() {
    let all_crashed = FaultBudget { crashed: 3, ..NONE };
    let (fifo, unordered) = (ChannelOrder::Fifo, ChannelOrder::Unordered);
    let network = [
        (fifo, NONE),
        (fifo, LOST),
        (fifo, DUPLICATED),
        (fifo, REORDERED),
        (fifo, CRASHED),
        (fifo, all_crashed),
        (unordered, NONE),
        (unordered, CRASHED),
    ];
    type Row<'a> = (Algorithm, [&'a [&'a str]; 8]);
    let table: [Row<'_>; 2] = [
        (
            Algorithm::Snapshot,
            [
                &[],
                &[CUT, MONEY, COMPLETED],
                &[MONEY],
                &[CUT, MONEY],
                // It stays incomplete, and is never wrong: also when its initiator crashes, at each of its steps.
                &[COMPLETED],
                &[COMPLETED],
                &[CUT, MONEY],
                &[CUT, MONEY, COMPLETED],
            ],
        ),
        (
            Algorithm::VectorSnapshot,
            [
                &[],
                &[COMPLETED],
                &[MONEY, COMPLETED],
                &[],
                &[COMPLETED],
                &[COMPLETED],
                &[],
                &[COMPLETED],
            ],
        ),
    ];
    for (algorithm, expected) in table {
        for ((order, budget), expected) in network.into_iter().zip(expected) {
            let found = violated(&settings(algorithm, None, order, budget));
            assert_eq!(found, expected, "{algorithm:?} {order:?} {budget:?}");
        }
    }
}

/// docs/reference/model-checking.md has it as a table; of mutex for two operations each.
#[test]
fn which_algorithms_need_fifo_channels() {
    for (algorithm, processes, count, expected) in [
        (Algorithm::Events, 3, 2, &[][..]),
        (Algorithm::Mutex, 2, 1, &["mutual exclusion"]),
        (Algorithm::RicartAgrawala, 2, 2, &[]),
        (Algorithm::Central, 3, 2, &["every request granted"]),
        (Algorithm::Maekawa, 3, 1, &[]),
        (Algorithm::Total, 2, 2, &["same sequence"]),
        (Algorithm::Causal, 3, 1, &[]),
        (Algorithm::Bully, 3, 1, &[]),
        (Algorithm::Ring, 3, 1, &[]),
        (Algorithm::Wireless, 3, 1, &[]),
        (Algorithm::TwoPhase, 3, 1, &[]),
        (Algorithm::ThreePhase, 3, 1, &[]),
    ] {
        let settings = Settings {
            processes,
            subject: Subject::Processes {
                count,
                budget: NONE,
            },
            ..settings(algorithm, None, ChannelOrder::Unordered, NONE)
        };
        assert_eq!(violated(&settings), expected, "{algorithm:?}");
    }
}

#[test]
fn each_bug_of_a_snapshot_is_found_by_a_shortest_path() {
    for (algorithm, bug, expected) in [
        (Algorithm::Snapshot, Bug::NoMarker, (CUT, 4)),
        (Algorithm::Snapshot, Bug::LateRecord, (CUT, 6)),
        (Algorithm::Snapshot, Bug::NoChannelState, (MONEY, 11)),
        (Algorithm::VectorSnapshot, Bug::NoPiggyback, (CUT, 4)),
        (Algorithm::VectorSnapshot, Bug::NoCounters, (MONEY, 6)),
    ] {
        let settings = settings(algorithm, Some(bug), ChannelOrder::Fifo, NONE);
        let found = violations::violations(&settings, true);
        assert!(found.contains(&expected), "{bug:?}: {found:?}");
    }
    let unordered = settings(Algorithm::Snapshot, None, ChannelOrder::Unordered, NONE);
    let found = violations::violations(&unordered, true);
    assert_eq!(found, [(CUT, 4)]);
}

/// The search of three processes that only get commands.
fn commanded(
    algorithm: Algorithm,
    order: ChannelOrder,
    commands: &[(u32, Command)],
) -> (Outcome<Step>, Vec<bool>) {
    let settings = settings(algorithm, None, order, NONE);
    with_process!(algorithm, P => {
        let mut model = settings.system::<P>(0, NONE);
        model.bounds = TimerBounds::operations(0);
        let commands = commands.iter().cloned();
        model.commands = commands.map(|(number, command)| (ProcessId(number - 1), command)).collect();
        let outcome = search(&model, settings.limits, &Progress::default(), &|| false);
        let violated = outcome.violations.iter().map(Option::is_some).collect();
        (outcome, violated)
    })
}

#[test]
fn two_snapshots_at_once_and_a_second_one_of_one_process_are_kept_apart() {
    let transfer = |to: u32| Command::Transfer(ProcessId(to - 1), 10);
    let two = [
        (1, Command::Snapshot),
        (2, Command::Snapshot),
        (3, transfer(1)),
    ];
    // The second is refused while the first is not complete.
    let again = [
        (1, Command::Snapshot),
        (1, Command::Snapshot),
        (2, transfer(3)),
        (3, transfer(2)),
    ];
    for algorithm in [Algorithm::Snapshot, Algorithm::VectorSnapshot] {
        for commands in [&two[..], &again] {
            let (outcome, violated) = commanded(algorithm, ChannelOrder::Fifo, commands);
            assert_eq!(outcome.end, End::Complete);
            assert_eq!(violated, [false; 3], "{algorithm:?} {commands:?}");
        }
    }
    let (_, violated) = commanded(Algorithm::VectorSnapshot, ChannelOrder::Unordered, &two);
    assert_eq!(violated, [false; 3]);
}
