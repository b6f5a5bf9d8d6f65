//! A panic within redb is an error like any other: it is caught, and nothing of it is printed.
//!
//! A file that passes its integrity check leads to none; this is for what no check foresees.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

use common::exit::Failure;

thread_local! {
    /// Whether this thread is within [`guarded`].
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// What an operation on a store returns; a panic in it is a failure.
pub(super) fn guarded<T>(
    what: &str,
    operation: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panicked| {
            if !GUARDED.get() {
                usual(panicked);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    // What the operation leaves half done is dropped with the database, which is not used again.
    let done = panic::catch_unwind(AssertUnwindSafe(operation));
    GUARDED.set(outer);
    done.unwrap_or_else(|_| Err(damaged(what, "its pages contradict each other")))
}

/// The failure of an operation on a damaged file.
pub(super) fn damaged(what: &str, why: impl std::fmt::Display) -> Failure {
    let text = why.to_string();
    let text = text
        .lines()
        .next()
        .unwrap_or_default()
        .trim_end_matches('.');
    Failure::could_not_run(what, format!("{BEFORE}{text}{BEHIND}"))
}

const BEFORE: &str = "damaged (";
const BEHIND: &str = "); naming store export FILE prints what can be read";

/// The cause of a failure that [`damaged`] made; None of another one.
pub(super) fn cause(failure: &Failure) -> Option<&str> {
    let why = failure.why.strip_prefix(BEFORE)?;
    why.strip_suffix(BEHIND)
}
