//! Runs of nodes, and what is said of them.

use common::{
    event::{Event, Kind, Verdict},
    testing::{Finished, run},
};

const LAMPORT: &str = env!("CARGO_BIN_EXE_lamport");

/// A network that does everything but partition.
pub(crate) const BAD: [&str; 8] = [
    "--loss",
    "10%",
    "--duplicate",
    "10%",
    "--reorder",
    "20%",
    "--delay",
    "0ms..4ms",
];

pub(crate) fn run_nodes(workload: &str, command: &str, arguments: &[&str]) -> Finished {
    let first = ["run", workload, "--node", command];
    run(LAMPORT, &[&first, arguments, &["--json"]].concat())
}

/// The verdict on each property, and the finding.
pub(crate) fn checks(finished: &Finished) -> Vec<(String, Verdict, String)> {
    let events = finished.events().into_iter();
    let checks = events.filter(|event| event.kind == Kind::Check);
    let check = |event: Event| {
        let name = event.check.unwrap_or_default().into_owned();
        let verdict = event.verdict.expect("a verdict");
        (name, verdict, event.text.unwrap_or_default())
    };
    checks.map(check).collect()
}

pub(crate) fn assert_holds(finished: &Finished, why: &str) {
    let checks = checks(finished);
    let holds = checks.iter().all(|check| check.1 == Verdict::Ok);
    assert!(
        finished.code == Some(0) && holds && checks.len() >= 2,
        "{why}: {finished:?}"
    );
}

/// The one property that is violated, and the finding.
pub(crate) fn violated(finished: &Finished) -> (String, String) {
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let violated = checks(finished)
        .into_iter()
        .find(|check| check.1 == Verdict::Fail);
    let (name, _, found) = violated.unwrap_or_else(|| panic!("{finished:?}"));
    (name, found)
}
