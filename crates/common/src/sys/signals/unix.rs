//! Signals, by signal-hook.

use std::{
    io::{self, IsTerminal},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGXFSZ},
    flag,
    iterator::{Handle, Signals},
    low_level,
};

use crate::sys::types::Asked;

/// Handles the signals of a process for as long as it lives; owns the thread that listens for them.
#[derive(Debug)]
pub struct Guard {
    handle: Handle,
    /// Set by the first signal that asks for a stop.
    stopping: Arc<AtomicBool>,
    /// Whether a stop can be asked for.
    caught: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// From now on SIGUSR1 and SIGHUP go to `handler` and end nothing, but for a SIGHUP because the terminal is gone: that asks for
/// a stop. SIGINT and SIGTERM end the process, until [`Guard::catch_stop`]. `stopping` says whether a stop was requested.
///
/// # Errors
/// When the handlers cannot be installed or the thread cannot be started.
pub fn listen(
    stopping: impl Fn() -> bool + Send + 'static,
    handler: impl Fn(Asked) + Send + 'static,
) -> io::Result<Guard> {
    // A write beyond the limit of file sizes is an error like any other, and does not end the process.
    flag::register(SIGXFSZ, Arc::default())?;
    let mut signals = Signals::new([SIGUSR1, SIGHUP])?;
    let handle = signals.handle();
    let caught = Arc::<AtomicBool>::default();
    let can_stop = Arc::clone(&caught);
    let terminals = terminals();
    let thread = thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for signal in signals.forever() {
                handler(match signal {
                    SIGUSR1 => Asked::Report,
                    // The shell has gone with its window: to go on would hold a port that nobody sees.
                    SIGHUP if terminals != self::terminals() => {
                        if stopping() || !can_stop.load(Ordering::Relaxed) {
                            let _ = low_level::emulate_default_handler(SIGHUP);
                        }
                        Asked::Stop
                    }
                    SIGHUP => Asked::Again,
                    _ => Asked::Stop,
                });
            }
        })?;
    Ok(Guard {
        handle,
        stopping: Arc::default(),
        caught,
        thread: Some(thread),
    })
}

impl Guard {
    /// From now on the first SIGINT or SIGTERM asks for a stop; a second one ends the process at once with 128 + its
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

impl Drop for Guard {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the panic hook already; there is nothing left to stop.
            let _ = thread.join();
        }
    }
}
