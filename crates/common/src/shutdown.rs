//! Asking every thread of a program to stop: by a signal, by a closed pipe, or by hand.
//!
//! One [`Shutdown`] is shared by all threads. A thread that waits on a channel selects on [`Shutdown::channel`]
//! too; a thread that waits on a socket polls [`Shutdown`]'s descriptor too (`net::wait`). Both wake every waiter
//! at once and stay "ready" for good, so no thread can miss it.

use std::{
    convert::Infallible,
    io::{self, IsTerminal},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
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
    low_level,
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

/// Handles the signals of a process for as long as it lives; owns the thread that listens for them.
#[derive(Debug)]
pub struct SignalGuard {
    handle: Handle,
    /// Set by the first signal that requests a stop.
    stopping: Arc<AtomicBool>,
    /// Whether a stop can be requested.
    caught: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Handles what a signal requests.
pub type Handler = Box<dyn Fn(SignalRequest) + Send>;

/// From now on SIGUSR1 and SIGHUP go to `handler` and end nothing, but for a SIGHUP because the terminal is gone: that is a
/// request to stop. SIGINT and SIGTERM end the process, until [`SignalGuard::catch_stop`].
///
/// # Errors
/// When the handlers cannot be installed or the thread cannot be started.
pub fn on_signals(shutdown: Shutdown, handler: Handler) -> io::Result<SignalGuard> {
    // A write beyond the limit of file sizes is an error like any other, and does not end the process.
    flag::register(SIGXFSZ, Arc::default())?;
    let mut signals = Signals::new([SIGUSR1, SIGHUP])?;
    let handle = signals.handle();
    let (stopping, caught) = (Arc::default(), Arc::<AtomicBool>::default());
    let can_stop = Arc::clone(&caught);
    let terminals = terminals();
    let thread = std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for signal in signals.forever() {
                let request = match signal {
                    SIGUSR1 => SignalRequest::SoFar,
                    // The shell has gone with its window: to go on would hold a port that nobody sees.
                    SIGHUP if terminals != self::terminals() => {
                        if shutdown.requested() || !can_stop.load(Ordering::Relaxed) {
                            let _ = low_level::emulate_default_handler(SIGHUP);
                        }
                        SignalRequest::Stopping
                    }
                    SIGHUP => SignalRequest::Again,
                    _ => SignalRequest::Stopping,
                };
                if request == SignalRequest::Stopping {
                    shutdown.request();
                }
                handler(request);
            }
        })?;
    Ok(SignalGuard {
        handle,
        stopping,
        caught,
        thread: Some(thread),
    })
}

impl SignalGuard {
    /// From now on the first SIGINT or SIGTERM requests the shutdown; a second one ends the process at once with 128 + its
    /// number, as the shell would report it. To be called once.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub fn catch_stop(&self) -> io::Result<()> {
        for signal in [SIGINT, SIGTERM] {
            // Handlers run in this order: the first signal finds the flag unset and sets it, the second finds it set.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&self.stopping))?;
            flag::register(signal, Arc::clone(&self.stopping))?;
            self.handle.add_signal(signal)?;
        }
        self.caught.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// Which of the standard streams are terminals. One that was hung up is none any more.
fn terminals() -> [bool; 3] {
    [
        io::stdin().is_terminal(),
        io::stdout().is_terminal(),
        io::stderr().is_terminal(),
    ]
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
