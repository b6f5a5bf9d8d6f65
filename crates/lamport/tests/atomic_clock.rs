//! The atomic clock that `benches/clocks` measures is a Lamport clock, whatever the number of threads.

#[path = "../benches/clocks/atomic.rs"]
mod atomic;

#[cfg(not(loom))]
mod tests {
    use std::{collections::HashSet, sync::atomic::AtomicU64, thread};

    use common::process::clock::Overflow;

    use super::atomic::{AtomicLamportClock, LAST};

    #[test]
    fn every_event_of_any_thread_has_a_time_of_its_own() {
        let clock = AtomicLamportClock::new();
        let times = thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|thread| {
                    let clock = &clock;
                    scope.spawn(move || {
                        let event = |number: u64| match number % 3 {
                            0 => clock.receive(number * thread),
                            _ => clock.tick(),
                        };
                        let times: Vec<_> = (0..2000).map(|n| event(n).unwrap()).collect();
                        assert!(times.is_sorted_by(|one, next| one < next));
                        times
                    })
                })
                .collect();
            let times = threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap());
            times.collect::<Vec<_>>()
        });
        assert_eq!(times.iter().collect::<HashSet<_>>().len(), times.len());
    }

    #[test]
    fn a_message_moves_it_past_its_time_and_never_back() {
        let clock = AtomicLamportClock::new();
        assert_eq!((clock.receive(10), clock.receive(3)), (Ok(11), Ok(12)));
        assert_eq!((clock.receive(u64::MAX), clock.time()), (Err(Overflow), 12));
    }

    #[test]
    fn at_its_end_it_does_not_move() {
        let clock = AtomicLamportClock(AtomicU64::new(LAST - 1));
        assert_eq!(clock.tick(), Ok(LAST));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| assert_eq!(clock.tick(), Err(Overflow))));
            }
        });
        assert_eq!((clock.time(), clock.receive(5)), (LAST, Err(Overflow)));
    }
}

/// All interleavings of threads that advance the clock (loom); `scripts/interleavings.sh` runs them.
#[cfg(loom)]
mod interleavings {
    use common::process::clock::Overflow;
    use loom::{
        sync::{Arc, atomic::AtomicU64},
        thread,
    };

    use super::atomic::{AtomicLamportClock, LAST};

    type Moved = Result<u64, Overflow>;
    type Step = fn(&AtomicLamportClock) -> Moved;

    const TICK: Step = AtomicLamportClock::tick;
    const RECEIVE_5: Step = |clock| clock.receive(5);
    const RECEIVE_LATE: Step = |clock| clock.receive(LAST - 1);

    /// Runs each list of events on a thread, while this one reads the clock once; returns the times, and the clock.
    fn on_threads(
        clock: AtomicLamportClock,
        events: &'static [&'static [Step]],
    ) -> (Vec<Vec<Moved>>, Arc<AtomicLamportClock>) {
        let clock = Arc::new(clock);
        let threads: Vec<_> = events
            .iter()
            .map(|events| {
                let clock = Arc::clone(&clock);
                thread::spawn(move || events.iter().map(|event| event(&clock)).collect())
            })
            .collect();
        assert!(clock.time() <= LAST);
        let times = threads.into_iter().map(|thread| thread.join().unwrap());
        (times.collect(), clock)
    }

    #[test]
    fn every_event_of_any_thread_has_a_time_of_its_own() {
        loom::model(|| {
            const EVENTS: [&[Step]; 2] = [&[TICK, RECEIVE_5], &[RECEIVE_5, TICK]];
            let (times, clock) = on_threads(AtomicLamportClock::new(), &EVENTS);
            let times: Vec<Vec<u64>> = times
                .into_iter()
                .map(|thread| thread.into_iter().map(Result::unwrap).collect())
                .collect();
            assert!(
                times.iter().all(|thread| thread[0] < thread[1]),
                "{times:?}"
            );
            assert!(times[0][1] > 5 && times[1][0] > 5, "past the received time");
            let mut all = times.concat();
            all.sort_unstable();
            assert!(all.is_sorted_by(|one, next| one < next), "{times:?}");
            assert_eq!(clock.time(), all[3], "the time of the last event");
        });
    }

    #[test]
    fn at_its_end_it_does_not_move_on_any_thread() {
        loom::model(|| {
            let nearly = AtomicLamportClock(AtomicU64::new(LAST - 1));
            let (times, clock) = on_threads(nearly, &[&[TICK, TICK], &[RECEIVE_LATE]]);
            let moved = times.concat().into_iter().filter(Result::is_ok);
            assert_eq!(
                moved.collect::<Vec<_>>(),
                [Ok(LAST)],
                "once, and never again"
            );
            assert_eq!(clock.time(), LAST);
            assert_eq!(clock.tick(), Err(Overflow));
        });
    }
}
