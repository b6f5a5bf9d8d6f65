//! Asking every thread of a program to stop: by a signal, by a closed pipe, or by hand.
//!
//! One [`Shutdown`] is shared by all threads. A thread that waits on a channel selects on [`Shutdown::channel`]
//! too; a thread that waits on a socket polls [`Shutdown`]'s descriptor too (`net::wait`). Both wake every waiter
//! at once and stay "ready" for good, so no thread can miss it.

use std::{
    convert::Infallible,
    io,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use crossbeam::{
    channel::{Receiver, RecvTimeoutError, Sender},
    select,
};

use crate::sys::{
    signals::{self, Asked},
    wake_up::{WakeUp, Waker},
};

/// A request to stop, shared by all threads of a program; clones are the same request.
#[derive(Clone, Debug)]
pub struct Shutdown(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// When the stop was requested; set once.
    since: OnceLock<Instant>,
    /// Dropped by the request: it wakes every waiter.
    waker: Mutex<Option<Waker>>,
    wake_up: WakeUp,
}

impl Shutdown {
    /// A request that was not made yet.
    ///
    /// # Errors
    /// When the system has no descriptors left for the wake-up pair.
    pub fn new() -> io::Result<Self> {
        let (wake_up, waker) = WakeUp::new()?;
        Ok(Self(Arc::new(Shared {
            since: OnceLock::new(),
            waker: Mutex::new(Some(waker)),
            wake_up,
        })))
    }

    /// Asks every thread to stop; asking again changes nothing.
    pub fn request(&self) {
        self.0.since.get_or_init(Instant::now);
        self.0
            .waker
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }

    /// Whether a stop was requested.
    pub fn requested(&self) -> bool {
        self.since().is_some()
    }

    /// When the stop was requested, if it was.
    pub fn since(&self) -> Option<Instant> {
        self.0.since.get().copied()
    }

    /// Whether it was requested and `grace` has passed since.
    pub fn overdue(&self, grace: Duration) -> bool {
        self.since().is_some_and(|since| since.elapsed() >= grace)
    }

    /// Never carries anything, and disconnects when the stop is requested: for `select!`.
    pub fn channel(&self) -> &Receiver<Infallible> {
        self.0.wake_up.channel()
    }

    /// What wakes every waiter, for good: for waits on sockets and pipes.
    pub fn wake_up(&self) -> &WakeUp {
        &self.0.wake_up
    }

    /// Puts something into a queue, and waits for room in it until the stop is requested; whether it is in.
    pub fn put<T>(&self, queue: &Sender<T>, what: T) -> bool {
        select! {
            send(queue, what) -> put => put.is_ok(),
            recv(self.channel()) -> _ => false,
        }
    }

    /// Sleeps for `duration`, or until the stop is requested; says whether it was.
    pub fn sleep(&self, duration: Duration) -> bool {
        matches!(
            self.channel().recv_timeout(duration),
            Err(RecvTimeoutError::Disconnected)
        )
    }
}

/// What a signal requests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignalRequest {
    /// SIGUSR1: what the run has come to so far.
    SoFar,
    /// The first SIGINT or SIGTERM, or SIGHUP when the terminal is gone: what there is still to do.
    Stopping,
    /// SIGHUP: to open the log again, and to read again what the program has read.
    Again,
}

/// Handles the signals of a process for as long as it lives.
pub use signals::Guard as SignalGuard;

/// Handles what a signal requests.
pub type Handler = Box<dyn Fn(SignalRequest) + Send>;

/// From now on what is asked for goes to `handler` and ends nothing; a request to stop is a shutdown first. What ends the
/// process, does so until [`SignalGuard::catch_stop`].
///
/// # Errors
/// When the handlers cannot be installed or the thread cannot be started.
pub fn on_signals(shutdown: Shutdown, handler: Handler) -> io::Result<SignalGuard> {
    let stopping = shutdown.clone();
    signals::listen(
        move || stopping.requested(),
        move |asked| {
            handler(match asked {
                Asked::Report => SignalRequest::SoFar,
                Asked::Again => SignalRequest::Again,
                Asked::Stop => {
                    shutdown.request();
                    SignalRequest::Stopping
                }
            });
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_wakes_every_waiter_for_good() {
        let shutdown = Shutdown::new().unwrap();
        assert!(!shutdown.requested() && !shutdown.sleep(Duration::from_millis(1)));
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let shutdown = shutdown.clone();
                std::thread::spawn(move || shutdown.sleep(Duration::from_secs(60)))
            })
            .collect();
        shutdown.request();
        shutdown.request();
        assert!(waiters.into_iter().all(|waiter| waiter.join().unwrap()));
        assert!(shutdown.requested() && shutdown.sleep(Duration::from_secs(60)));
    }
}
