//! The event journal: threads hand their events over, and other threads write them.
//!
//! A thread calls [`Journal::record`], which costs it a place in a bounded channel. The
//! thread `journal` numbers the events, writes each as a line of the event log, and makes of it the line that people
//! see; in batches, flushing whenever it has caught up.
//!
//! | output | written by | when it takes nothing |
//! | --- | --- | --- |
//! | the event log | `journal` | what records waits; what a full disk has no room for is counted, and said in the log |
//! | standard output | `terminal` | the log goes on until the channel is full; then what records waits: nothing is dropped |
//! | standard error | `stderr` | nobody waits: lines are dropped, and counted; the log has their events |
//!
//! Only when the program was asked to stop and an output has taken nothing for [`STALL`] is what waits for
//! that output given up, and then the program says so and ends with code 2. Where standard error is the same file as
//! standard output, the thread `terminal` writes both, in the order in which the events were recorded.

mod history;
#[cfg(all(test, shuttle))]
mod interleavings;
mod log;
mod logging;
mod message;
mod queue;
#[cfg(feature = "net")]
mod ready;
mod sink;
mod stderr;
mod style;
mod terminal;
#[cfg(all(test, not(shuttle)))]
mod tests;
mod warnings;
mod writer;

use std::{
    io::{self, Write},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
#[cfg(feature = "net")]
use std::{net::SocketAddr, path::PathBuf};

#[cfg(feature = "net")]
pub(crate) use self::ready::FLAG as READY_FILE;
pub use self::{
    log::LogFile,
    queue::STALL,
    style::{Answers, Lines, Style, View, usual_view},
};
use self::{
    logging::Logging,
    message::{Message, Requests, Shown, Source, Written},
    queue::{BoundedSender, WriterHandle},
    stderr::ErrorEnding,
    terminal::{ErrorOutput, Terminal},
    writer::{Outputs, Writer},
};
use crate::{
    event::{Event, Time},
    exit::{Exit, Failure},
    shutdown::Shutdown,
    threads::thread,
};

/// How many events may wait for the writer.
const QUEUE: usize = if cfg!(shuttle) { 2 } else { 2048 };

/// Where it goes.
pub struct Sinks {
    /// Standard output.
    pub out: Box<dyn Write + Send>,
    /// Standard error.
    pub err: Box<dyn Write + Send>,
    /// Whether both are the same file, such as a terminal: then their order is kept.
    pub err_is_out: bool,
    /// The event log.
    pub log: Option<LogFile>,
}

impl std::fmt::Debug for Sinks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sinks")
            .field("err_is_out", &self.err_is_out)
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}

/// Makes the event that reports the program's figures so far.
type Figures = Box<dyn Fn() -> Event + Send>;

/// Turns the time of the machine's clock into that of the clock that the program has, or pretends to have.
type Clock = Box<dyn Fn(Time) -> Time + Send + Sync>;

/// What all clones of a journal share.
#[derive(Default)]
struct Shared {
    /// Events given up because the log stood still.
    lost: AtomicU64,
    requests: Arc<Requests>,
    figures: Mutex<Vec<Figures>>,
    clock: OnceLock<Clock>,
    #[cfg(feature = "net")]
    ready_file: OnceLock<ready::ReadyFile>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// The threads' end: clones hand events to the same writer.
#[derive(Clone, Debug)]
pub struct Journal {
    queue: BoundedSender<Message>,
    shared: Arc<Shared>,
}

/// The writer's end, owned by the program's frame, which finishes it last.
#[derive(Debug)]
pub struct Writing {
    journal: Journal,
    ending: WriterHandle<Written>,
    /// None where the terminal's thread writes standard error.
    err_ending: Option<ErrorEnding>,
}

impl Journal {
    /// Starts the writing threads. A closed standard output requests `shutdown`.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(
        style: Style,
        sinks: Sinks,
        view: View,
        shutdown: Shutdown,
    ) -> io::Result<(Self, Writing)> {
        let Sinks {
            out,
            err,
            err_is_out,
            log,
        } = sinks;
        let (err_output, err, err_ending) = if err_is_out {
            (ErrorOutput::Same(err), None, None)
        } else {
            let (sender, ending) = stderr::start(err, style.program)?;
            (ErrorOutput::Own(sender.clone()), Some(sender), Some(ending))
        };
        let stop = shutdown.clone();
        let terminal = queue::thread(
            "terminal",
            terminal::QUEUE,
            shutdown.clone(),
            move |chunks, progress| {
                Terminal::new(out, err_output, style.program, stop).run(&chunks, &progress)
            },
        )?;
        let shared = Arc::new(Shared::default());
        let requests = Arc::clone(&shared.requests);
        let outputs = Outputs {
            log: log.map(Logging::new),
            terminal,
            err,
        };
        let (queue, ending) =
            queue::thread("journal", QUEUE, shutdown, move |messages, progress| {
                Writer::new(style, view, outputs, requests, progress).run(&messages)
            })?;
        let journal = Self { queue, shared };
        let writing = Writing {
            journal: journal.clone(),
            ending,
            err_ending,
        };
        Ok((journal, writing))
    }

    /// Records what happened on this thread.
    pub fn record(&self, event: Event) {
        self.put(Source::Thread(thread::current()), event, Shown::ByView);
    }

    /// Records what happened elsewhere, in a process that has no journal of its own; `name` stands in the thread's place.
    pub fn record_of(&self, name: &Arc<str>, event: Event) {
        self.put(Source::Other(Arc::clone(name)), event, Shown::ByView);
    }

    /// Writes the addresses to the file of `--ready-file`, which is removed at the end, and then records the event that the
    /// program is ready, which gets them too. With `--json` the event is printed, too. When the port was left to
    /// the system, the ready line is shown even if the program is quiet: nothing else says where it listens.
    ///
    /// # Errors
    /// `--ready-file FILE: why` (exit code 2).
    #[cfg(feature = "net")]
    pub fn ready(
        &self,
        event: Event,
        addresses: &[SocketAddr],
        port_was_free: bool,
    ) -> Result<(), Failure> {
        if let Some(file) = self.shared.ready_file.get() {
            file.write(addresses, self.queue.shutdown())?;
        }
        let words: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        let event = Event {
            address: Some(words.join(" ").into()),
            ..event
        };
        let source = Source::Thread(thread::current());
        self.put(source, event, Shown::Ready { port_was_free });
        Ok(())
    }

    /// The file that [`Self::ready`] writes.
    #[cfg(feature = "net")]
    pub(crate) fn set_ready_file(&self, path: PathBuf) {
        let _ = self.shared.ready_file.set(ready::ReadyFile::new(path));
    }

    /// The times of the events from now on are those of this clock.
    pub fn set_clock(&self, clock: impl Fn(Time) -> Time + Send + Sync + 'static) {
        let _ = self.shared.clock.set(Box::new(clock));
    }

    /// Adds what is reported when a person asks for the figures so far (SIGUSR1): `figures` makes the event, and never waits.
    /// Without any, the number of events of each kind is reported.
    pub fn report_with(&self, figures: impl Fn() -> Event + Send + 'static) {
        self.figures().push(Box::new(figures));
    }

    fn figures(&self) -> std::sync::MutexGuard<'_, Vec<Figures>> {
        let figures = self.shared.figures.lock();
        figures.unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows the figures so far. Never waits, as all that a signal asks for.
    pub(crate) fn report_figures(&self) {
        let figures = self.figures();
        if figures.is_empty() {
            self.shared.requests.counts();
        }
        for figures in figures.iter() {
            self.shared.requests.report(figures(), Shown::Requested);
        }
        self.queue.wake(Message::Wake);
    }

    /// Records an event that a signal asked for: one that is `requested` is shown whatever the view makes of it, also when
    /// the program is quiet. Never waits.
    pub(crate) fn report(&self, event: Event, requested: bool) {
        let shown = if requested {
            Shown::Requested
        } else {
            Shown::ByView
        };
        self.shared.requests.report(event, shown);
        self.queue.wake(Message::Wake);
    }

    /// Opens the log again, under whose name there may be another file by now. Never waits.
    pub(crate) fn reopen_log(&self) {
        self.shared.requests.reopen();
        self.queue.wake(Message::Wake);
    }

    fn put(&self, source: Source, mut event: Event, shown: Shown) {
        if let Some(clock) = self.shared.clock.get() {
            event.time = clock(event.time);
        }
        let message = Message::Event {
            source,
            event,
            shown,
        };
        if !self.queue.put(message, || ()) {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Writing {
    /// Writes out everything that was recorded and ends the writing threads.
    ///
    /// Waits as long as the reader of the output goes on taking it (a person may be paging through it); once a stop
    /// was requested, an output that takes nothing for [`STALL`] is given up. Standard error is given up sooner.
    ///
    /// # Errors
    /// When an output was given up. An output that failed has been reported on standard error; then the code is
    /// [`Exit::CouldNotRun`].
    pub fn finish(self) -> Result<Exit, Failure> {
        let Self {
            journal,
            ending,
            err_ending,
        } = self;
        #[cfg(feature = "net")]
        if let Some(file) = journal.shared.ready_file.get() {
            file.remove();
        }
        let stalled = |what, left| {
            let why = format!("not read for {} s; {left}", STALL.as_secs());
            Err(Failure::could_not_run(what, why))
        };
        let put = journal.queue.put(Message::Finish, || ());
        let written = if put { ending.wait(|| ()) } else { None };
        if let Some(err) = err_ending {
            let is_left = written
                .as_ref()
                .is_none_or(|written| written.terminal_stalled);
            err.wait(is_left);
        }
        let lost = journal.shared.lost.load(Ordering::Relaxed);
        match written {
            None => stalled(
                "--log",
                format!(
                    "up to {} events are not written",
                    lost + journal.queue.waiting()
                ),
            ),
            Some(_) if lost > 0 => stalled("--log", format!("{lost} events are not written")),
            Some(written) if written.terminal_stalled => {
                stalled("output", "the rest of it is not shown".into())
            }
            Some(written) => Ok(written.exit),
        }
    }
}
