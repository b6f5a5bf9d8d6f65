//! Asking every thread of a program to stop: by a signal, by a closed pipe, or by hand.
//!
//! One [`Shutdown`] is shared by all threads. A thread that waits on a channel selects on [`Shutdown::channel`]
//! too; a thread that waits on a socket polls [`Shutdown`]'s descriptor too (`net::wait`). Both wake every waiter
//! at once and stay "ready" for good, so no thread can miss it.

use std::{
    convert::Infallible,
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::{Arc, Mutex, OnceLock, PoisonError, atomic::AtomicBool},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crossbeam::{
    channel::{self, Receiver, RecvTimeoutError, Sender},
    select,
};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGXFSZ},
    flag,
    iterator::{Handle, Signals},
};

/// A request to stop, shared by all threads of a program; clones are the same request.
#[derive(Clone, Debug)]
pub struct Shutdown(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// When the stop was requested; set once.
    since: OnceLock<Instant>,
    /// Dropped by the request: the channel disconnects and the descriptor reads end of file, for every waiter.
    held_open: Mutex<Option<(Sender<Infallible>, UnixStream)>>,
    channel: Receiver<Infallible>,
    descriptor: UnixStream,
}

impl Shutdown {
    /// A request that was not made yet.
    ///
    /// # Errors
    /// When the system has no descriptors left for the wake-up pair.
    pub fn new() -> io::Result<Self> {
        let (sender, channel) = channel::bounded(0);
        let (descriptor, writer) = UnixStream::pair()?;
        let held_open = Mutex::new(Some((sender, writer)));
        Ok(Self(Arc::new(Shared {
            since: OnceLock::new(),
            held_open,
            channel,
            descriptor,
        })))
    }

    /// Asks every thread to stop; asking again changes nothing.
    pub fn request(&self) {
        self.0.since.get_or_init(Instant::now);
        self.0
            .held_open
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
        &self.0.channel
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
            self.0.channel.recv_timeout(duration),
            Err(RecvTimeoutError::Disconnected)
        )
    }
}

/// Readable (end of file) from the request on: for `poll`.
impl AsFd for Shutdown {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.descriptor.as_fd()
    }
}

/// Turns SIGINT and SIGTERM into a shutdown for as long as it lives; owns the thread that listens for them.
#[derive(Debug)]
pub struct SignalGuard {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

/// What a signal requests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignalRequest {
    /// SIGUSR1: what the run has come to so far.
    SoFar,
    /// The first SIGINT or SIGTERM: what there is still to do.
    Stopping,
    /// SIGHUP, where a program has a use for it: to read its files again.
    Again,
}

/// Makes the event that a signal requests.
pub type Report = Option<Box<dyn Fn(SignalRequest) + Send>>;

/// The first SIGINT or SIGTERM requests `shutdown`; a second one ends the process at once with 128 + its number,
/// as the shell would report it. Without `report` SIGUSR1 ends the process, as ever, and SIGHUP unless it shall be
/// reported too.
///
/// # Errors
/// When the handlers cannot be installed or the thread cannot be started.
pub fn on_signals(shutdown: Shutdown, report: Report, hangup: bool) -> io::Result<SignalGuard> {
    let stopping = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // Handlers run in this order: the first signal finds the flag unset and sets it, the second finds it set.
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stopping))?;
        flag::register(signal, Arc::clone(&stopping))?;
    }
    // A write beyond the limit of file sizes is an error like any other, and does not end the process.
    flag::register(SIGXFSZ, Arc::default())?;
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    if report.is_some() {
        signals.add_signal(SIGUSR1)?;
    }
    if hangup {
        signals.add_signal(SIGHUP)?;
    }
    let handle = signals.handle();
    let thread = std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for signal in signals.forever() {
                let asked = match signal {
                    SIGUSR1 => SignalRequest::SoFar,
                    SIGHUP => SignalRequest::Again,
                    _ => {
                        shutdown.request();
                        SignalRequest::Stopping
                    }
                };
                if let Some(report) = &report {
                    report(asked);
                }
            }
        })?;
    Ok(SignalGuard {
        handle,
        thread: Some(thread),
    })
}

impl Drop for SignalGuard {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the panic hook already; there is nothing left to stop.
            let _ = thread.join();
        }
    }
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
