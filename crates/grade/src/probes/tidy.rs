//! What a submission leaves behind.

use crate::{
    bench::Bench,
    program::Program,
    requirement::{Finding, Probed, Requirement, Status},
};

/// The requirement, after the one that it needs.
pub const fn requirement(needs: Option<&'static str>) -> Requirement {
    Requirement {
        id: "tidy",
        points: 1,
        sentence: "leaves no process behind, changes none of its files, and tries no other network",
        source: "the rules of the lab",
        needs,
        when: None,
    }
}

/// Looks at what the submission has done beside its task.
///
/// # Errors
/// What it has done.
pub fn check(bench: &Bench<'_>, program: &Program) -> Probed {
    let wrong = |what: String, received: String, expected: &str| {
        let finding = Finding::new(Status::WrongAnswer, what);
        Err(finding.received(received).expected(expected))
    };
    let unknown = |why| Finding::grader(format!("what it leaves behind is not known: {why}"));
    let strays = program.strays().map_err(unknown)?;
    if strays > 0 {
        let what =
            "a process has left its parent and would stay when the program ends (a double fork)";
        let expected = "every process of it ends with it";
        return wrong(what.into(), format!("{strays} such"), expected);
    }
    let changed = bench.changed();
    if let Some(first) = changed.first() {
        let name = common::text::visible_path(first);
        let what = format!("it changed or removed {name}");
        let received = format!(
            "{} of its files are not as they were handed in",
            changed.len()
        );
        return wrong(what, received, "its files stay as they are");
    }
    match bench.tried_network() {
        0 => Ok(()),
        times => wrong(
            "it tried to reach an address outside of its sandbox".into(),
            format!("{times} packets without a route"),
            "it talks to this machine alone",
        ),
    }
}
