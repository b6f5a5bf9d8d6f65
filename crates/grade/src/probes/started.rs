//! A start of a submission: the wait until it does what it has to do first, and the probes that it serves.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::kernel::bound;
use crate::{
    program::Program,
    requirement::{Finding, Probed, Status},
};

/// Between two looks at what a submission has done.
pub(super) const LOOK: Duration = Duration::from_millis(3);

/// Waits until `look` sees what a program has to do first: `first`, as in "it listens", with what is `expected`. `late` is
/// what there is instead when the time is over.
///
/// # Errors
/// The program has ended, or the time is over, or the grader cannot look.
pub(super) fn awaited<T>(
    program: &Program,
    deadline: Instant,
    (first, expected): (String, String),
    mut look: impl FnMut() -> Result<Option<T>, Finding>,
    late: impl FnOnce() -> Finding,
) -> Result<T, Finding> {
    loop {
        if let Some(seen) = look()? {
            return Ok(seen);
        }
        if let Some(ended) = program.ended() {
            let _ = program.wait_ended(deadline);
            let finding = Finding::new(Status::NotStarted, format!("before it {first}"));
            return Err(program.explain_end(ended, finding.expected(expected)));
        }
        if Instant::now() >= deadline {
            return Err(program.explain(late().expected(expected)));
        }
        thread::sleep(LOOK);
    }
}

/// Waits until a program has bound this UDP port, as what is `expected` does first.
///
/// # Errors
/// As [`awaited`].
pub(super) fn bound_udp(
    program: &Program,
    deadline: Instant,
    port: u16,
    expected: String,
) -> Probed {
    let is_bound = || Ok(bound(port).0.then_some(()));
    let late = || {
        let ports: Vec<String> = bound(port).1.iter().map(u16::to_string).collect();
        let what = format!("it has not bound UDP port {port}");
        let received = match ports.as_slice() {
            [] => "a program that runs and has bound no UDP port".to_owned(),
            ports => format!("it has bound UDP port {}", ports.join(", ")),
        };
        Finding::new(Status::NotStarted, what).received(received)
    };
    let first = format!("has bound UDP port {port}");
    awaited(program, deadline, (first, expected), is_bound, late)
}

/// A program that serves many probes.
#[derive(Debug, Default)]
pub(super) struct Started {
    /// The last start.
    pub(super) program: Option<Program>,
    /// Whether it serves no probe any more.
    pub(super) is_spent: bool,
}

impl Started {
    /// Whether the program runs.
    pub(super) fn is_running(&self) -> bool {
        let program = self.program.as_ref();
        program.is_some_and(|program| program.ended().is_none())
    }

    /// The one that was started for this probe, though it may have ended.
    ///
    /// # Errors
    /// `the NAME is not there`.
    pub(super) fn program(&self, name: &str) -> Result<&Program, Finding> {
        let program = self.program.as_ref();
        program.ok_or_else(|| Finding::grader(format!("the {name} is not there")))
    }

    /// What was found by a probe, explained by what the program printed. One that has ended, or that did not meet a
    /// requirement, is not the next probe's.
    pub(super) fn explained(&mut self, probed: Probed) -> Probed {
        let Some(program) = &self.program else {
            self.is_spent = true;
            return probed;
        };
        let probed = probed.map_err(|finding| program.explain(finding));
        self.is_spent = probed.is_err() || program.ended().is_some();
        probed
    }
}
