//! Clocks that std does not have: the processor's time, and one that processes share.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
#[cfg(unix)]
use self::unix as system;
#[cfg(windows)]
use self::windows as system;

pub use self::system::{of_all_processes, of_process, of_thread};

#[cfg(test)]
mod tests {
    use std::{
        thread,
        time::{Duration, Instant},
    };

    use super::*;

    /// Computes for this long, by the thread's own clock.
    fn compute(time: Duration) -> Duration {
        let (begun, end) = (Instant::now(), of_thread().unwrap() + time);
        while of_thread().unwrap() < end {
            assert!(begun.elapsed() < Duration::from_secs(60), "it stands still");
        }
        time
    }

    #[test]
    fn a_thread_has_the_processor_time_that_it_used_itself() {
        let before = of_process().unwrap();
        let (used, slept) = thread::scope(|scope| {
            let busy = scope.spawn(|| compute(Duration::from_millis(50)));
            let idle = scope.spawn(|| {
                thread::sleep(Duration::from_millis(50));
                of_thread().unwrap()
            });
            (busy.join().unwrap(), idle.join().unwrap())
        });
        assert!(slept < used, "{slept:?} for a sleep");
        assert!(of_process().unwrap() - before >= used);
    }

    #[test]
    #[cfg(unix)]
    fn the_clock_of_all_processes_runs_as_an_instant_does() {
        let (begun, instant) = (of_all_processes().unwrap(), Instant::now());
        thread::sleep(Duration::from_millis(10));
        let longest = instant.elapsed() + Duration::from_millis(1);
        let passed = of_all_processes().unwrap() - begun;
        assert!(passed >= Duration::from_millis(10), "{passed:?}");
        assert!(of_all_processes().unwrap() - begun >= passed && passed < longest + passed);
    }
}
