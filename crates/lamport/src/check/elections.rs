//! Elections in every interleaving: what they tolerate, what they need of a failure detector, and their bugs.

use common::process::check::{search::Limits, system::FaultBudget};

use super::{
    violations::{CRASHED, DUPLICATED, LOST, NONE, REORDERED, SUSPECTED},
    *,
};

const ONE: &str = "one leader a term";
const AGREE: &str = "agreement in the end";

/// The violated properties with the lengths of their paths: all, or the first. The verdict on each path is the same.
fn violations(
    algorithm: Algorithm,
    processes: usize,
    bug: Option<Bug>,
    budget: FaultBudget,
    until_violation: bool,
) -> Vec<(&'static str, usize)> {
    let settings = Settings {
        algorithm,
        processes,
        bug,
        subject: Subject::Processes { count: 1, budget },
        order: ChannelOrder::Fifo,
        reduction: false,
        limits: Limits::none(2),
    };
    violations::violations(&settings, until_violation)
}

#[test]
fn what_elections_tolerate() {
    let both_crashed = FaultBudget { crashed: 2, ..NONE };
    // The process whose election is lost holds no other; in the bully algorithm the highest one's own tells all.
    type Row<'a> = (Algorithm, [&'a [&'a str]; 7]);
    let table: [Row<'_>; 3] = [
        (Algorithm::Bully, [&[], &[], &[], &[], &[], &[], &[]]),
        (Algorithm::Ring, [&[], &[AGREE], &[], &[], &[], &[], &[]]),
        (
            Algorithm::Wireless,
            [&[], &[AGREE], &[], &[], &[], &[], &[]],
        ),
    ];
    for (algorithm, expected) in table {
        let budgets = [
            NONE,
            LOST,
            DUPLICATED,
            REORDERED,
            CRASHED,
            both_crashed,
            SUSPECTED,
        ];
        for (budget, expected) in budgets.into_iter().zip(expected) {
            let found = violations(algorithm, 3, None, budget, false);
            let found: Vec<_> = found.into_iter().map(|(property, _)| property).collect();
            assert_eq!(found, expected, "{algorithm:?} {budget:?}");
        }
    }
}

#[test]
fn a_detector_that_is_only_eventually_perfect_lets_two_lead_in_one_term() {
    for (algorithm, processes, suspected, steps) in
        [(Algorithm::Bully, 3, 3, 6), (Algorithm::Ring, 2, 2, 4)]
    {
        let budget = FaultBudget { suspected, ..NONE };
        let found = violations(algorithm, processes, None, budget, true);
        assert_eq!(found, [(ONE, steps)], "{algorithm:?}");
    }
    // All the same they agree in the end.
    for (algorithm, suspected) in [(Algorithm::Bully, 3), (Algorithm::Ring, 3)] {
        let budget = FaultBudget { suspected, ..NONE };
        let found = violations(algorithm, 2, None, budget, false);
        let agree = found.iter().all(|(property, _)| *property != AGREE);
        assert!(agree, "{algorithm:?} {found:?}");
    }
}

#[test]
fn each_bug_of_an_election_is_found_by_a_shortest_path() {
    for (algorithm, bug, expected) in [
        (Algorithm::Bully, Bug::NoAcknowledgement, (ONE, 2)),
        (Algorithm::Bully, Bug::NoTimeout, (AGREE, 7)),
        (Algorithm::Bully, Bug::OldTerms, (ONE, 6)),
        (Algorithm::Ring, Bug::NoDiscard, (ONE, 8)),
        (Algorithm::Ring, Bug::OldTerms, (ONE, 9)),
    ] {
        let found = violations(algorithm, 3, Some(bug), CRASHED, true);
        assert!(
            found.contains(&expected),
            "{algorithm:?} {bug:?}: {found:?}"
        );
    }
    for (bug, processes, budget, steps) in [
        (Bug::NoAcknowledgement, 3, NONE, 9),
        (Bug::NoTimeout, 3, CRASHED, 5),
        // Without a circle nobody is asked twice.
        (Bug::LateParent, 4, NONE, 9),
    ] {
        let found = violations(Algorithm::Wireless, processes, Some(bug), budget, true);
        assert!(found.contains(&(AGREE, steps)), "{bug:?}: {found:?}");
    }
}
