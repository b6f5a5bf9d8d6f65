//! Nodes that elect, commit, take snapshots and synchronize their clocks: a right one has all points, and each wrong one loses those of the requirement that it does not meet.

mod support;

use common::testing::{Folder, check_several};
use grade::{requirement::Status, results::Results};
use support::{can_grade, grade};

/// The nodes, which are also those of the tests of `lamport run --node`.
const NODES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../lamport/tests/nodes");

/// A node, what is asked of it, and what it does not meet.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

/// How many are graded at once.
const AT_ONCE: usize = 14;

const CASES: [Case; 38] = [
    ("election", "", "calm,delays,losses,partition", &[]),
    ("election", "", "leader,leader-losses", &[]),
    ("election", "each-leads", "calm", &["calm"]),
    ("election", "one-term", "leader", &["leader"]),
    ("election", "trusts", "leader", &["leader"]),
    ("election", "once", "leader-losses", &["leader-losses"]),
    ("commit", "", "calm,delays,losses,partition", &[]),
    ("commit", "", "participant,coordinator,termination", &[]),
    ("commit", "early", "calm", &["calm"]),
    ("commit", "willing", "calm", &["calm"]),
    ("commit", "once", "losses", &["losses"]),
    ("commit", "waits", "participant", &["participant"]),
    (
        "commit",
        "aborts",
        "coordinator,termination",
        &["coordinator", "termination"],
    ),
    (
        "commit",
        "silent",
        "coordinator,termination",
        &["termination"],
    ),
    ("wireless", "", "calm,delays,losses,partition", &[]),
    ("wireless", "", "leader,leader-losses,hops", &[]),
    ("wireless", "greatest-number", "calm", &["calm"]),
    ("wireless", "one-term", "leader", &["leader"]),
    ("wireless", "trusts", "leader", &["leader"]),
    ("wireless", "once", "leader-losses", &["leader-losses"]),
    ("snapshot", "", "calm,delays,losses,partition,transit", &[]),
    ("snapshot", "liar", "calm", &["calm"]),
    ("snapshot", "no-channels", "transit", &["transit"]),
    ("snapshot", "late-record", "transit", &["transit"]),
    ("snapshot", "datagrams", "losses", &["losses"]),
    ("time", "", "calm,delays,losses,partition", &[]),
    ("time", "", "asymmetric,ahead", &[]),
    ("time", "own-clock", "ahead", &["ahead"]),
    ("time", "refuse", "calm", &["calm"]),
    ("time", "frozen", "calm", &["calm"]),
    ("snapshot", "alone", "calm", &["calm"]),
    ("berkeley", "first-round", "calm", &["calm"]),
    ("time", "no-halving", "delays", &["delays"]),
    ("time", "set-back", "ahead", &["ahead"]),
    ("time", "stale", "asymmetric", &["asymmetric"]),
    ("berkeley", "", "calm,delays,losses,partition", &[]),
    ("berkeley", "", "asymmetric,ahead,outlier", &[]),
    ("berkeley", "average-all", "outlier", &["outlier"]),
];

/// What is wrong with the grade of this node.
fn wrong(folder: &Folder, (workload, fault, only, lost): Case) -> Option<String> {
    let program = match workload {
        "election" => "elect",
        "time" => "cristian",
        other => other,
    };
    let command = format!("python3 {program}.py {fault}");
    let words = [
        "node", workload, "--cmd", &command, "--only", only, "--format", "json",
    ];
    let finished = grade(std::path::Path::new(&folder.path("")), &words);
    let results: Result<Results, _> = serde_json::from_str(&finished.out);
    let Ok(results) = results else {
        return Some(format!(
            "{workload} {fault}: {}{}",
            finished.out, finished.err
        ));
    };
    let graded = results.submissions[0].graded();
    let found = graded.filter(|(_, graded)| graded.status != Status::Pass);
    let found: Vec<_> = found.map(|(_, graded)| graded.id.as_str()).collect();
    (found != lost).then(|| format!("{workload} {fault}: {found:?}: {}", finished.out))
}

#[test]
fn each_wrong_node_loses_what_it_does_not_meet_and_a_right_one_nothing() {
    if !can_grade() {
        return;
    }
    let folder = Folder::new();
    let programs = [
        "elect", "commit", "wireless", "snapshot", "cristian", "berkeley",
    ];
    for name in programs.map(|program| format!("{program}.py")) {
        folder.write(
            &name,
            std::fs::read_to_string(format!("{NODES}/{name}")).unwrap(),
        );
    }
    check_several(&CASES, AT_ONCE, |case| wrong(&folder, *case));
}
