//! A logical clock that the threads of a process share.

#[cfg(loom)]
use loom::sync::atomic::{AtomicU64, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicU64, Ordering};

use super::Overflow;

/// The last time that the clock shows. The 2³² beyond it are room for as many threads as find the clock at its end at
/// the same moment, before each of them has put it back.
const LAST: u64 = u64::MAX - (1 << 32);

/// A logical clock for the threads of one process: no lock, and no thread waits for another.
///
/// Every event gets a time of its own, whatever thread it happens on.
///
/// ```
/// use std::thread;
/// use lamport::clock::AtomicLamportClock;
///
/// let clock = AtomicLamportClock::new();
/// thread::scope(|scope| {
///     for _ in 0..4 {
///         scope.spawn(|| (0..100).for_each(|_| drop(clock.tick())));
///     }
/// });
/// assert_eq!(clock.time(), 400, "no event is lost");
/// assert_eq!(clock.receive(1000), Ok(1001));
/// ```
#[derive(Debug, Default)]
pub struct AtomicLamportClock(AtomicU64);

impl AtomicLamportClock {
    /// A clock at 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// The time of the last event.
    pub fn time(&self) -> u64 {
        self.0.load(Ordering::Relaxed).min(LAST)
    }

    /// Something happens, or a message is sent: the clock moves by one (IR1).
    ///
    /// # Errors
    /// At the end of the clock's range, 2³² before that of the number; the clock stays there.
    #[inline]
    pub fn tick(&self) -> Result<u64, Overflow> {
        // One atomic addition orders all events of the threads; what else they tell one another is not the clock's.
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        if before >= LAST {
            return Err(self.put_back());
        }
        Ok(before + 1)
    }

    /// A message with this time is received: the clock moves past both its own time and the message's (IR2b).
    ///
    /// ```
    /// # use lamport::clock::{AtomicLamportClock, Overflow};
    /// let clock = AtomicLamportClock::new();
    /// assert_eq!((clock.receive(10), clock.receive(3)), (Ok(11), Ok(12)));
    /// assert_eq!((clock.receive(u64::MAX), clock.time()), (Err(Overflow), 12));
    /// ```
    ///
    /// # Errors
    /// At the end of the clock's range; the clock stays as it is.
    pub fn receive(&self, sent: u64) -> Result<u64, Overflow> {
        if sent >= LAST {
            return Err(Overflow);
        }
        // What happens on another thread between the two only makes the time later.
        self.0.fetch_max(sent, Ordering::Relaxed);
        self.tick()
    }

    #[cold]
    fn put_back(&self) -> Overflow {
        self.0.fetch_sub(1, Ordering::Relaxed);
        Overflow
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::{collections::HashSet, thread};

    use super::*;

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
    fn at_its_end_it_refuses_and_stays() {
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

/// Every order in which threads can move the clock (loom). `scripts/interleavings.sh` runs it.
#[cfg(all(test, loom))]
mod interleavings {
    use loom::{sync::Arc, thread};

    use super::*;

    type Moved = Result<u64, Overflow>;
    type Act = fn(&AtomicLamportClock) -> Moved;

    const TICK: Act = AtomicLamportClock::tick;
    const RECEIVE_5: Act = |clock| clock.receive(5);
    const RECEIVE_LATE: Act = |clock| clock.receive(LAST - 1);

    /// Events on threads of their own, while this one looks once; what came of each, and the clock.
    fn on_threads(
        clock: AtomicLamportClock,
        events: &'static [&'static [Act]],
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
            const EVENTS: [&[Act]; 2] = [&[TICK, RECEIVE_5], &[RECEIVE_5, TICK]];
            let (times, clock) = on_threads(AtomicLamportClock::new(), &EVENTS);
            let times: Vec<Vec<u64>> = times
                .into_iter()
                .map(|own| own.into_iter().map(Result::unwrap).collect())
                .collect();
            assert!(times.iter().all(|own| own[0] < own[1]), "{times:?}");
            assert!(times[0][1] > 5 && times[1][0] > 5, "past what was received");
            let mut all = times.concat();
            all.sort_unstable();
            assert!(all.is_sorted_by(|one, next| one < next), "{times:?}");
            assert_eq!(clock.time(), all[3], "the last event's");
        });
    }

    #[test]
    fn at_its_end_it_refuses_and_stays_whoever_comes() {
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
