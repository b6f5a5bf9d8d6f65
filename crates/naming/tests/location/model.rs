//! Ring maintenance in every order of its steps: the published rules break the ring, the corrected ones do not.

use naming::location::{
    chord::{invariant::Broken, model::Model, settings::Rules},
    circle::Circle,
};

/// Three members with successor lists of two, as many as the corrected rules need (r + 1); others may join; one node may fail.
fn model(rules: Rules, nodes: usize, failures: usize) -> Model {
    Model {
        circle: Circle::new(5),
        nodes: [4, 14, 24, 9, 19][..nodes].to_vec(),
        members: 3,
        length: 2,
        failures,
        rules,
    }
}

#[test]
fn the_published_rules_break_the_ring() {
    let outcome = model(Rules::Published, 4, 1).search(1_000_000);
    let (steps, broken) = outcome.violation.expect("Zave's counterexample");
    let steps: Vec<_> = steps.iter().map(ToString::to_string).collect();
    // Who joins knows one node, and that fails.
    assert_eq!(steps, ["9 joins behind 4", "14 fails"]);
    assert!(
        matches!(broken, Broken::NoSuccessor(node) if node.id == 9),
        "{broken}"
    );
}

#[test]
fn the_corrected_rules_keep_it() {
    for nodes in [4, 5] {
        let outcome = model(Rules::Corrected, nodes, 1).search(2_000_000);
        assert_eq!(outcome.violation, None);
        assert!(outcome.states > 1_000, "{} states", outcome.states);
    }
}

#[test]
fn as_many_failures_as_successors_are_too_many_for_any_rules() {
    let outcome = model(Rules::Corrected, 4, 2).search(1_000_000);
    let (_, broken) = outcome.violation.expect("all successors of a node fail");
    assert!(matches!(broken, Broken::NoSuccessor(_)), "{broken}");
}
