//! The thread that sends each line typed, while the client receives.

use std::thread::{self, Scope, ScopedJoinHandle};

use common::{
    event::{Event, Level},
    exit::{Exit, Failure, Summary, why},
    journal::Journal,
    multicast::{LONGEST, ReceiveStats, Receiver, stamp::Clock},
    shutdown::Shutdown,
    typed::{Line, Lines},
};

use crate::{config::Settings, sending::Senders};

/// An input whose lines are sent: a terminal, a pipe or a file.
pub use common::sys::pipes::Input as Keyboard;

/// The running thread. When it is dropped, the thread is asked to stop.
#[derive(Debug)]
pub struct Typist<'scope> {
    thread: Option<ScopedJoinHandle<'scope, (Senders, Exit)>>,
    clock: Clock,
    shutdown: &'scope Shutdown,
}

impl<'scope> Typist<'scope> {
    /// Opens the sockets to the destinations, logs that the client is ready, and starts the thread.
    ///
    /// # Errors
    /// As [`Senders::new`], or when the thread cannot be started (exit code 2).
    pub fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        settings: &Settings,
        keyboard: impl Keyboard,
        receiver: &mut Receiver,
        journal: &'scope Journal,
        shutdown: &'scope Shutdown,
    ) -> Result<Self, Failure> {
        let mut senders = Senders::new(settings, receiver.group().port())?;
        senders.report_to(journal);
        let mut ready = receiver.ready();
        if let Some(text) = &mut ready.text {
            *text += &format!("; each line typed goes to {}", senders.destinations());
        }
        receiver.announce(ready, journal)?;

        let clock = senders.clock.clone();
        let type_lines = move || {
            let exit = send_lines(
                Lines::new(keyboard, LONGEST),
                &mut senders,
                journal,
                shutdown,
            );
            (senders, exit)
        };
        let thread = thread::Builder::new()
            .name("typist".into())
            .spawn_scoped(scope, type_lines)
            .map_err(|error| Failure::could_not_run("start a thread", why(&error)))?;
        Ok(Self {
            thread: Some(thread),
            clock,
            shutdown,
        })
    }

    /// The Lamport clock of the client, which its messages carry.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Stops the thread and waits for it, and sums up what the client sent and received. Its exit code is the worst of
    /// both; a shutdown request excuses what was not sent.
    pub fn finish(mut self, stats: ReceiveStats<'_>, receiver: Receiver) -> Summary {
        self.shutdown.request();
        let thread = self.thread.take().expect("a typist is finished once");
        let (senders, exit) = thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let exit = if receiver.interrupted() {
            Exit::Done
        } else {
            exit
        };
        let summary = stats.finish_after(&format!("{}; ", senders.cost()), receiver);
        let exit = exit.max(summary.exit);
        senders.count(summary).exit(exit)
    }
}

impl Drop for Typist<'_> {
    fn drop(&mut self) {
        self.shutdown.request();
    }
}

/// Sends each line; the worst that happened to one, or to the input, is the exit code.
fn send_lines(
    mut lines: Lines<impl Keyboard>,
    senders: &mut Senders,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Exit {
    let report = |text| journal.record(Event::error(Level::Error, text));
    loop {
        match lines.next(shutdown) {
            Ok(Some(Line::Text(message))) => {
                if let Err(failure) = senders.send(&message, journal) {
                    senders.failed += 1;
                    journal.record(Event::failure(&failure));
                }
            }
            Ok(Some(Line::TooLong)) => {
                senders.failed += 1;
                report(format!(
                    "standard input: a line too long to send; a datagram carries at most {LONGEST} bytes"
                ));
            }
            Ok(None) if senders.failed > 0 => return Exit::No,
            Ok(None) => return Exit::Done,
            Err(error) => {
                report(format!(
                    "standard input: {}; nothing more is sent",
                    why(&error)
                ));
                return Exit::CouldNotRun;
            }
        }
    }
}
