//! Clocks that threads share: `cargo bench -p lamport`.
//!
//! A tick of the atomic clock, beside a timestamp of the hybrid logical clock of the crate `uhlc` and beside a bare atomic
//! addition, by one thread and by several at once; the nanoseconds are those of the whole for each tick. `--quick`, or a
//! test run of the benchmarks, shows only that it runs.

use std::{
    hint::black_box,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use common::measuring::Table;
use lamport::clock::{AtomicLamportClock, LamportClock};

/// Has so many threads at once do it, together so many times.
fn at_once(threads: usize, count: usize, one: impl Fn() + Sync) {
    if threads == 1 {
        return (0..count).for_each(|_| one());
    }
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| (0..count / threads).for_each(|_| one()));
        }
    });
}

fn main() {
    let table = Table::new("ours / theirs", "ticks", "them");
    let (count, rounds) = if table.quick {
        (1_000, 1)
    } else {
        (1_000_000, 51)
    };
    let (clock, bare) = (AtomicLamportClock::new(), AtomicU64::new(0));
    let hybrid = uhlc::HLC::default();
    let tick = || {
        let _ = black_box(clock.tick());
    };
    let add = || {
        let _ = black_box(bare.fetch_add(1, Ordering::Relaxed));
    };
    let stamp = || {
        let _ = black_box(hybrid.new_timestamp());
    };
    for threads in [1, 2, 4] {
        let by = match threads {
            1 => "1 thread".to_owned(),
            _ => format!("{threads} threads"),
        };
        table.compare(
            &format!("atomic clock / uhlc's timestamp, {by}"),
            count,
            rounds,
            &mut || at_once(threads, count, tick),
            &mut || at_once(threads, count, stamp),
        );
        table.compare(
            &format!("atomic clock / bare atomic addition, {by}"),
            count,
            rounds,
            &mut || at_once(threads, count, tick),
            &mut || at_once(threads, count, add),
        );
    }
    let mut own = LamportClock::new();
    table.compare(
        "clock of one process / bare atomic addition",
        count,
        rounds,
        &mut || {
            for _ in 0..count {
                let _ = black_box(own.tick());
            }
        },
        &mut || at_once(1, count, add),
    );
}
