//! The program, and the properties that it checked.

use common::{
    event::Kind,
    testing::{Finished, run},
};

/// The program with these arguments.
pub(crate) fn lamport(arguments: &str) -> Finished {
    let arguments: Vec<_> = arguments.split_whitespace().collect();
    run(env!("CARGO_BIN_EXE_lamport"), &arguments)
}

/// The checked properties, and their verdicts.
pub(crate) fn checks(finished: &Finished) -> Vec<(String, String)> {
    let events = finished.events().into_iter();
    let checks = events.filter(|event| event.kind == Kind::Check);
    checks
        .map(|check| {
            let verdict = check.verdict.unwrap().word().to_owned();
            (check.check.unwrap().into(), verdict)
        })
        .collect()
}
