//! Clocks that threads share: `cargo bench -p lamport`.
//!
//! A tick of the atomic clock, compared with a timestamp of the hybrid logical clock of the crate `uhlc` and with a plain
//! atomic addition, on one thread and on several; in nanoseconds of elapsed time for each tick. `--quick`, or a test run
//! of the benchmarks, only shows that it runs.

mod atomic;

use std::{
    hint::black_box,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use common::{process::clock::LamportClock, testing::measuring::Table};

use self::atomic::AtomicLamportClock;

/// Runs it `count` times in all, on N threads at once.
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
    let (clock, plain) = (AtomicLamportClock::new(), AtomicU64::new(0));
    assert_eq!((clock.receive(10), clock.time()), (Ok(11), 11));
    let hybrid = uhlc::HLC::default();
    let tick = || {
        let _ = black_box(clock.tick());
    };
    let add = || {
        let _ = black_box(plain.fetch_add(1, Ordering::Relaxed));
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
            &format!("atomic clock / plain atomic addition, {by}"),
            count,
            rounds,
            &mut || at_once(threads, count, tick),
            &mut || at_once(threads, count, add),
        );
    }
    let mut clock = LamportClock::new();
    table.compare(
        "clock of one process / plain atomic addition",
        count,
        rounds,
        &mut || {
            for _ in 0..count {
                let _ = black_box(clock.tick());
            }
        },
        &mut || at_once(1, count, add),
    );
}
