//! What the threads hand to the thread `journal`, and what that leaves.

use std::sync::Arc;

use crate::{event::Event, exit::Exit, threads::thread::Thread};

// Nearly every message is an event, and boxing it would cost each thread an allocation.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub(super) enum Message {
    Event { source: Source, event: Event },
    Finish,
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
