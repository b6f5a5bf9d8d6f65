//! What processes that elect a leader say of themselves at the prompt, the same for all algorithms.

use common::process::{
    detector::Suspected,
    ids::{Names, ProcessId},
};

/// Why a process does not start an election.
pub(super) const ELECTING: &str = "it takes part in an election already";

/// The leader that it knows, what it waits for, and whom it suspects.
pub(super) fn status(
    (term, leader): (u64, Option<ProcessId>),
    waits: Option<String>,
    suspected: &Suspected,
    names: &Names,
) -> Vec<String> {
    let leader = match leader {
        Some(leader) => format!("leader of term {term}: {}", names.of(leader)),
        None if term == 0 => "no leader yet".to_owned(),
        None => format!("no leader known of term {term}"),
    };
    let suspects = suspected
        .iter()
        .map(|other| format!("suspects {}", names.of(other)));
    [leader].into_iter().chain(waits).chain(suspects).collect()
}
