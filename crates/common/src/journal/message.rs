//! What the threads hand to the thread `journal`, and what that leaves.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use crate::{event::Event, exit::Exit, threads::thread::Thread};

// Nearly every message is an event, and boxing it would cost each thread an allocation.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub(super) enum Message {
    Event {
        source: Source,
        event: Event,
        shown: Shown,
    },
    /// Something is in [`Requests`].
    Wake,
    Finish,
}

/// Who decides what people see of an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shown {
    /// The program's view.
    ByView,
    /// The program listens. With `--json` the event is part of the answer. On a port that only this line says, it is shown
    /// also when the program is quiet.
    #[cfg_attr(not(feature = "net"), allow(dead_code))]
    Ready { port_was_free: bool },
    /// On standard error, whatever the view would make of it.
    Status,
    /// A person asked for it by a signal: on standard error, also when the program is quiet, and with `--json` part of the
    /// answer.
    Requested,
}

/// The source of an event.
#[derive(Debug)]
pub(super) enum Source {
    /// The thread on which it happened.
    Thread(Thread),
    /// A process that has no journal of its own.
    Other(Arc<str>),
}

impl Source {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Thread(thread) => thread.name().unwrap_or("unnamed"),
            Self::Other(name) => name,
        }
    }
}

/// What the writer leaves.
#[derive(Debug)]
pub(super) struct Written {
    /// [`Exit::CouldNotRun`] when an output failed, which has been reported.
    pub(super) exit: Exit,
    /// Whether the terminal was given up.
    pub(super) terminal_stalled: bool,
}

/// What the signals ask of the thread `journal`. Asking never waits, however full the queue is: a thread that handles
/// signals must be free for the next one.
#[derive(Debug, Default)]
pub(super) struct Requests {
    pending: AtomicBool,
    asked: Mutex<Asked>,
}

/// What was asked since it was last taken.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// The log is to be opened again.
    pub(super) reopen: bool,
    /// The events so far are to be counted.
    pub(super) counts: bool,
    /// These are to be recorded.
    pub(super) reports: Vec<(Event, Shown)>,
}

/// How many reports may wait; those of further signals would say the same.
const REPORTS: usize = 16;

impl Requests {
    fn ask(&self, ask: impl FnOnce(&mut Asked)) {
        ask(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner));
        self.pending.store(true, Ordering::Release);
    }

    pub(super) fn reopen(&self) {
        self.ask(|asked| asked.reopen = true);
    }

    pub(super) fn counts(&self) {
        self.ask(|asked| asked.counts = true);
    }

    pub(super) fn report(&self, event: Event, shown: Shown) {
        self.ask(|asked| {
            if asked.reports.len() < REPORTS {
                asked.reports.push((event, shown));
            }
        });
    }

    /// What was asked, if anything.
    pub(super) fn take(&self) -> Option<Asked> {
        if !self.pending.load(Ordering::Relaxed) || !self.pending.swap(false, Ordering::Acquire) {
            return None;
        }
        Some(std::mem::take(
            &mut self.asked.lock().unwrap_or_else(PoisonError::into_inner),
        ))
    }
}
