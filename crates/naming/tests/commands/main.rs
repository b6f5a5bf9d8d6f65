//! The commands that run a location scheme without a network.

mod check;
mod simulate;

use common::{
    event::Kind,
    testing::{Finished, run},
};

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

const SCHEMES: [&str; 7] = [
    "broadcast",
    "forwarding",
    "forwarding-shortened",
    "home",
    "chord",
    "chord-iterative",
    "hierarchical",
];

fn naming(arguments: &str) -> Finished {
    let arguments: Vec<_> = arguments.split_whitespace().collect();
    run(NAMING, &arguments)
}

/// The checked properties, each with its verdict.
fn checks(finished: &Finished) -> Vec<(String, &'static str)> {
    let events = finished.events().into_iter();
    let checks = events.filter(|event| event.kind == Kind::Check);
    let check = checks.map(|check| {
        let verdict = check.verdict.map_or("", |verdict| verdict.word());
        (check.check.unwrap().into(), verdict)
    });
    check.collect()
}

fn violated(finished: &Finished) -> Vec<String> {
    let checks = checks(finished).into_iter();
    let violated = checks.filter(|(_, verdict)| *verdict == "FAIL");
    violated.map(|(check, _)| check).collect()
}
