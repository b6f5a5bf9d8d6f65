//! The messages of an entry to the critical section, in simulated time: when one process requests it at a time, and when all
//! request it again as soon as they have exited.

use std::time::Duration;

use common::process::{
    Command, Meaning, To,
    ids::ProcessId,
    run_event::{MessageAction, RunEvent},
    simulation::{self, Settings},
    workload::Workload,
};

use super::row::Row;
use crate::algorithms::{Algorithm, central::COORDINATOR, maekawa::quorum::quorum, with_process};

/// The algorithms of mutual exclusion.
pub const ALGORITHMS: [Algorithm; 5] = [
    Algorithm::Mutex,
    Algorithm::RicartAgrawala,
    Algorithm::Central,
    Algorithm::TokenRing,
    Algorithm::Maekawa,
];

/// How many entries each process makes in each case.
const ENTRIES: u64 = 10;

/// The time between two requests of the processes that request one at a time: long enough for any algorithm.
const APART: Duration = Duration::from_secs(1);

/// Measures an algorithm.
pub fn measure(algorithm: Algorithm, processes: usize, seed: u64) -> Row {
    let (best, worst) = published(algorithm, processes);
    Row {
        processes,
        algorithm,
        measured: vec![
            one_requests(algorithm, processes, seed),
            all_request(algorithm, processes, seed),
        ],
        published: vec![Some(best), Some(worst)],
    }
}

/// The best and the worst case, as published.
fn published(algorithm: Algorithm, processes: usize) -> (f64, f64) {
    let others = (processes - 1) as f64;
    let always = |messages: f64| (messages, messages);
    match algorithm {
        // Lamport 1978: request, acknowledgement, release.
        Algorithm::Mutex => always(3.0 * others),
        // Ricart & Agrawala 1981: request, reply.
        Algorithm::RicartAgrawala => always(2.0 * others),
        // Request, grant, release.
        Algorithm::Central => always(3.0),
        // The token, which goes round also if no process waits for it.
        Algorithm::TokenRing => (1.0, f64::INFINITY),
        // Maekawa 1985: request, locked, release; at worst inquire and relinquish, too.
        _ => {
            let all = ProcessId::all(processes);
            let members: usize = all.map(|me| quorum(me, processes).len() - 1).sum();
            let members = members as f64 / processes as f64;
            (3.0 * members, 5.0 * members)
        }
    }
}

fn one_requests(algorithm: Algorithm, processes: usize, seed: u64) -> f64 {
    let workload = workload(algorithm, Workload::new(1.0, 0));
    let mut settings = Settings::new(processes, seed, workload, None);
    let users = ProcessId::all(processes);
    let users = users.filter(|me| algorithm != Algorithm::Central || *me != COORDINATOR);
    let turns = (0..ENTRIES).flat_map(|_| users.clone());
    settings.commands = turns
        .zip(1..)
        .map(|(process, turn)| (APART * turn, process, Command::Lock))
        .collect();
    messages(algorithm, &settings)
}

fn all_request(algorithm: Algorithm, processes: usize, seed: u64) -> f64 {
    let workload = workload(algorithm, Workload::new(1e6, ENTRIES));
    messages(algorithm, &Settings::new(processes, seed, workload, None))
}

/// Nobody gives up waiting.
fn workload(algorithm: Algorithm, workload: Workload) -> Workload {
    Workload {
        timeout: Duration::from_secs(3600),
        ..algorithm.workload(workload)
    }
}

/// The messages of an entry, on average.
fn messages(algorithm: Algorithm, settings: &Settings<Option<crate::bug::Bug>>) -> f64 {
    let mut settings = settings.clone();
    settings.faults.delay = crate::simulate::settings::DELAY;
    let run = with_process!(algorithm, P => simulation::run::<P>(&settings));
    let sent = |event: &RunEvent| match event.what {
        MessageAction::Send { to: To::All, .. } => settings.processes as u64 - 1,
        MessageAction::Send { .. } => 1,
        _ => 0,
    };
    let sent: u64 = run.events.iter().map(sent).sum();
    let entries = run.events.iter();
    let entries = entries.filter(|event| matches!(event.meaning, Some(Meaning::Enter(_))));
    sent as f64 / entries.count().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_needs_the_messages_that_were_published() {
        for processes in [3, 5, 9, 17] {
            for algorithm in ALGORITHMS {
                let row = measure(algorithm, processes, 1);
                let (one, all) = (row.measured[0], row.measured[1]);
                let (best, worst) = published(algorithm, processes);
                let case = format!("{algorithm:?} {processes}: {one} {all} {best} {worst}");
                match algorithm {
                    Algorithm::TokenRing => {
                        // When all request, each passes the token to the next; when nobody does, it goes round all the same.
                        assert_eq!((all, worst), (1.0, f64::INFINITY), "{case}");
                        assert!(one > 10.0, "{case}");
                    }
                    Algorithm::Maekawa => {
                        assert!((one - best).abs() < 1e-9, "{case}");
                        assert!(all > best && all < worst, "{case}");
                    }
                    _ => assert_eq!((one, all, one), (best, best, worst), "{case}"),
                }
            }
        }
    }

    #[test]
    fn the_quorums_are_those_of_the_table() {
        // Two lines of a plane of three processes, and a row and a column of a square of nine.
        let published = |processes| published(Algorithm::Maekawa, processes);
        assert_eq!(published(3), (3.0, 5.0));
        assert_eq!(published(9), (12.0, 20.0));
    }
}
