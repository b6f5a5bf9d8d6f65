//! The search through all states: `cargo bench -p lamport --bench states`.
//!
//! The TLA+ module LamportMutex with 3 processes and clocks up to 6, by the search of `lamport check` and by stateright's own
//! breadth-first search of the same model, on as many threads; the nanoseconds are those of the whole for each distinct state.
//! `--quick`, or a test run of the benchmarks, shows only that it runs.

use common::{
    parallel,
    process::check::search::{Limits, Progress, search},
    testing::measuring::Table,
};
use lamport::check::{compared::Compared, lamport_mutex::LamportMutex};
use stateright::{Checker, Model};

fn main() {
    let table = Table::new("ours / stateright's search", "states", "them");
    let (max_clock, states, rounds) = if table.quick {
        (3, 10_209, 1)
    } else {
        (6, 724_274, 11)
    };
    let module = LamportMutex {
        processes: 3,
        max_clock,
        bug: None,
    };
    let mut threads = vec![1, parallel::processors()];
    threads.dedup();
    for workers in threads {
        let limits = Limits::none(workers);
        let by = match workers {
            1 => "1 thread".to_owned(),
            workers => format!("{workers} threads"),
        };
        table.compare(
            &format!("LamportMutex, 3 processes to {max_clock}, {by}"),
            states,
            rounds,
            &mut || {
                let found = search(&module, limits, &Progress::default(), &|| false);
                assert_eq!(found.counts.distinct, states as u64);
            },
            &mut || {
                let found = Compared(module)
                    .checker()
                    .threads(workers)
                    .spawn_bfs()
                    .join();
                assert_eq!(found.unique_state_count(), states);
            },
        );
    }
}
