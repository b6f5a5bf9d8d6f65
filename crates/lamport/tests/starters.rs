//! The starter nodes of docs/lab: each starts, and while its gaps are open the verdict says what is missing.

use std::{fs, thread};

use common::{
    event::{Kind, Verdict},
    testing::{have_program, run},
};

const LAMPORT: &str = env!("CARGO_BIN_EXE_lamport");

const NODES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/lab/nodes");

/// A workload, the property that its starter violates, and what is found.
type Case = (&'static str, &'static str, &'static str);

fn fails_for_its_gaps((workload, property, found): Case) {
    let program = match workload {
        "time" => "cristian",
        other => other,
    };
    let node = format!("python3 {NODES}/{program}.py");
    let count = if workload == "echo" { "1" } else { "10" };
    let arguments = [
        "run", workload, "--node", &node, "--count", count, "--rate", "500", "--settle", "200ms",
        "--json",
    ];
    let finished = run(LAMPORT, &arguments);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let checks = finished
        .events()
        .into_iter()
        .filter(|event| event.kind == Kind::Check);
    let checks: Vec<_> = checks.collect();
    let of = |name: &str| {
        let found = checks
            .iter()
            .find(|check| check.check.as_deref() == Some(name));
        found.unwrap_or_else(|| panic!("no {name}: {finished:?}"))
    };
    assert_eq!(of("protocol").verdict, Some(Verdict::Ok), "{finished:?}");
    let check = of(property);
    let text = check.text.as_deref().unwrap_or_default();
    assert_eq!(check.verdict, Some(Verdict::Fail), "{finished:?}");
    assert!(text.contains(found), "{workload}: {text}");
}

#[test]
fn a_starter_node_speaks_the_protocol_and_fails_for_its_gaps() {
    if !have_program("python3") {
        return;
    }
    let cases = [
        (
            "echo",
            "every request answered",
            "n1 left 1 of its 1 request unanswered",
        ),
        ("clocks", "clock condition", " at 0 "),
        ("broadcast", "nothing lost", "n1 lacks "),
        ("mutex", "mutual exclusion", "enters the critical section"),
        ("election", "agreement in the end", "n1 has no leader"),
        ("commit", "every process decides", "not decided: n1 on 1"),
        ("wireless", "agreement in the end", "n1 has no leader"),
        ("snapshot", "snapshots completed", "not completed: 1 of n1"),
        ("time", "every round ends", "waiting: n2"),
        ("berkeley", "every request answered", "n1 left 1 of its "),
    ];
    // They wait more than they compute.
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || fails_for_its_gaps(case));
        }
    });
}

#[test]
fn a_starter_node_is_short() {
    let nodes = fs::read_dir(NODES).expect("the starter nodes");
    let mut count = 0;
    for node in nodes {
        let path = node.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.lines().count() < 60 && text.contains("# GAP"),
            "{path:?}"
        );
        count += 1;
    }
    assert_eq!(count, 10);
}
