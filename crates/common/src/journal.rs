//! Telling what happened: threads hand their events over, one thread writes them.
//!
//! A thread that has something to tell calls [`Journal::record`], which costs it a time stamp and a place in a
//! bounded channel. The thread `journal` numbers the events, and writes each as a line of the event log, as a line
//! for people, or as both, in batches, flushing whenever it has caught up.
//!
//! When the channel is full, `record` waits: nothing is dropped, and whoever reads the output sets the pace. Only
//! when the program was asked to stop and the output still stands still after [`STALL`] are events given up, and
//! then the program says so and ends with code 2.

mod writer;

use std::{
    fs::File,
    io::{self, Write},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle, Thread},
    time::{Duration, Instant},
};

use crossbeam::{
    channel::{self, Receiver, Sender, TrySendError},
    select,
};

use self::writer::Writer;
use crate::{
    event::{Event, Kind},
    exit::{Exit, Failure},
    shutdown::Shutdown,
};

/// How many events may wait for the writer.
const QUEUE: usize = 4096;

/// How long after a request to stop an output that takes nothing is still waited for.
pub const STALL: Duration = if cfg!(test) {
    Duration::from_millis(200)
} else {
    Duration::from_secs(5)
};

/// What people see of one event: lines without their line ends; an empty one is not shown.
#[derive(Debug, Default)]
pub struct Lines {
    /// For standard output: the answer. With `--json` the event itself is printed in its place.
    pub answer: String,
    /// For standard error: what is not the answer. `--quiet` hides it unless the event is an error.
    pub status: String,
}

/// How a program shows an event to people.
pub type View = Box<dyn Fn(&Event, &mut Lines) + Send>;

/// The part of a view that is the same in every program: troubles and errors are told.
pub fn usual_view(event: &Event, lines: &mut Lines) {
    if event.kind == Kind::Error {
        lines
            .status
            .push_str(event.text.as_deref().unwrap_or_default());
    }
}

/// Who is telling, and how much of it goes where.
#[derive(Clone, Debug)]
pub struct Style {
    /// The program's name, before every error line.
    pub program: &'static str,
    /// The process's name in the log.
    pub node: String,
    /// The run's name in the log.
    pub run: String,
    /// JSON Lines on standard output.
    pub json: bool,
    /// Only the answer and errors on the terminal.
    pub quiet: bool,
    /// Colour on standard error.
    pub colour: bool,
}

/// Where it goes.
pub struct Sinks {
    /// Standard output.
    pub out: Box<dyn Write + Send>,
    /// Standard error.
    pub err: Box<dyn Write + Send>,
    /// The event log, open for appending, and its path.
    pub log: Option<(PathBuf, File)>,
}

impl std::fmt::Debug for Sinks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sinks")
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}

/// The threads' end: clones hand events to the same writer.
#[derive(Clone, Debug)]
pub struct Journal {
    queue: Sender<Message>,
    shutdown: Shutdown,
    /// Events given up because an output stood still.
    lost: Arc<AtomicU64>,
}

/// The writer's end, owned by the program's frame, which finishes it last.
#[derive(Debug)]
pub struct Writing {
    journal: Journal,
    /// Disconnects when the writer has ended.
    ended: Receiver<()>,
    thread: JoinHandle<Exit>,
}

// Nearly every message is an event, and boxing it would cost each thread an allocation.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
enum Message {
    Event { thread: Thread, event: Event },
    Finish,
}

impl Journal {
    /// Starts the writer thread. A closed standard output requests `shutdown`.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        style: Style,
        sinks: Sinks,
        view: View,
        shutdown: Shutdown,
    ) -> io::Result<(Self, Writing)> {
        let (queue, messages) = channel::bounded(QUEUE);
        let (ending, ended) = channel::bounded(0);
        let journal = Self {
            queue,
            shutdown: shutdown.clone(),
            lost: Arc::default(),
        };
        let writer = Writer::new(style, sinks, view, shutdown);
        let thread = thread::Builder::new()
            .name("journal".into())
            .spawn(move || {
                let _ending = ending;
                writer.run(&messages)
            })?;
        Ok((
            journal.clone(),
            Writing {
                journal,
                ended,
                thread,
            },
        ))
    }

    /// Tells what happened on this thread.
    pub fn record(&self, event: Event) {
        self.hand_over(Message::Event {
            thread: thread::current(),
            event,
        });
    }

    /// Whether the writer took it, or will.
    fn hand_over(&self, message: Message) -> bool {
        // A disconnected channel is a writer that panicked: its panic is brought up when it is joined.
        let Err(TrySendError::Full(message)) = self.queue.try_send(message) else {
            return true;
        };
        let mut message = Some(message);
        let mut take = || message.take().expect("a message is sent once");
        if !self.shutdown.requested() {
            select! {
                send(self.queue, take()) -> _ => return true,
                recv(self.shutdown.channel()) -> _ => {}
            }
        }
        let Some(left) = message else { return true };
        let taken = self.queue.send_timeout(left, self.patience()).is_ok();
        if !taken {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    /// How long an output that stands still is waited for from now on.
    fn patience(&self) -> Duration {
        let since = self.shutdown.since().unwrap_or_else(Instant::now);
        (since + STALL).saturating_duration_since(Instant::now())
    }
}

impl Writing {
    /// Writes out everything that was recorded and ends the writer.
    ///
    /// Waits as long as whoever reads the output takes (somebody may be paging through it), but once a stop was
    /// requested only for [`STALL`].
    ///
    /// # Errors
    /// When an output stood still until the end. An output that failed has been told of on standard error; then
    /// the code is [`Exit::CouldNotRun`].
    pub fn finish(self) -> Result<Exit, Failure> {
        if self.journal.hand_over(Message::Finish) {
            select! {
                recv(self.ended) -> _ => {}
                recv(self.journal.shutdown.channel()) -> _ => {
                    // Disconnection, the only thing this channel ever reports, ends the wait early.
                    let _ = self.ended.recv_timeout(self.journal.patience());
                }
            }
        }
        if matches!(
            self.ended.try_recv(),
            Err(channel::TryRecvError::Disconnected)
        ) {
            return Ok(self
                .thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        let lost = self.journal.lost.load(Ordering::Relaxed) + self.journal.queue.len() as u64;
        let why = format!(
            "nobody takes it, after {} s; up to {lost} events are not written",
            STALL.as_secs()
        );
        Err(Failure::could_not_run("output", why))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::event::{Level, Record};

    /// A sink that can be read while it is written.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Shared {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    /// A sink that takes nothing until it is let go, as a pipe that nobody reads.
    struct Stalled(Receiver<()>);

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A sink that fails with this error.
    struct Failing(io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn style(json: bool, quiet: bool) -> Style {
        Style {
            program: "prog",
            node: "n".into(),
            run: "r".into(),
            json,
            quiet,
            colour: false,
        }
    }

    fn view() -> View {
        Box::new(|event, lines| match event.kind {
            Kind::Receive => lines.answer.push_str(event.text.as_deref().unwrap()),
            Kind::Ready => lines.status.push_str("listening"),
            _ => usual_view(event, lines),
        })
    }

    fn start(
        style: Style,
        out: impl Write + Send + 'static,
        err: &Shared,
    ) -> (Journal, Writing, Shutdown) {
        let shutdown = Shutdown::new().unwrap();
        let sinks = Sinks {
            out: Box::new(out),
            err: Box::new(err.clone()),
            log: None,
        };
        let (journal, writing) = Journal::start(style, sinks, view(), shutdown.clone()).unwrap();
        (journal, writing, shutdown)
    }

    fn told(json: bool, quiet: bool) -> (String, String) {
        let (out, err) = (Shared::default(), Shared::default());
        let (journal, writing, _) = start(style(json, quiet), out.clone(), &err);
        journal.record(Event::new(Kind::Ready));
        journal.record(Event::new(Kind::Receive).text("hello"));
        journal.record(Event::error(Level::Error, "accept: out of luck"));
        assert_eq!(writing.finish(), Ok(Exit::Done));
        (out.text(), err.text())
    }

    #[test]
    fn people_and_machines_get_the_same_answer() {
        assert_eq!(
            told(false, false),
            (
                "hello\n".into(),
                "listening\nprog: accept: out of luck\n".into()
            )
        );
        let (out, _) = told(true, false);
        let record = Record::parse(out.trim_end()).unwrap();
        assert_eq!(
            (record.seq, record.event.text.as_deref()),
            (1, Some("hello"))
        );
    }

    #[test]
    fn quiet_leaves_the_answer_and_errors() {
        assert_eq!(
            told(false, true),
            ("hello\n".into(), "prog: accept: out of luck\n".into())
        );
    }

    #[test]
    fn many_threads_one_numbered_log() {
        let (out, err) = (Shared::default(), Shared::default());
        let (journal, writing, _) = start(style(true, false), out.clone(), &err);
        thread::scope(|scope| {
            for name in 0..8 {
                let journal = &journal;
                scope.spawn(move || {
                    for number in 0..2_000 {
                        journal.record(Event::new(Kind::Receive).text(format!("{name} {number}")));
                    }
                });
            }
        });
        assert_eq!(writing.finish(), Ok(Exit::Done));
        let text = out.text();
        let records: Vec<_> = text
            .lines()
            .map(|line| Record::parse(line).unwrap())
            .collect();
        assert!((0..16_000).eq(records.iter().map(|record| record.seq)));
        for name in 0..8 {
            let own = format!("{name} ");
            let numbers = records
                .iter()
                .filter_map(|record| record.event.text.as_deref()?.strip_prefix(&own));
            assert!(
                (0..2_000).map(|number| number.to_string()).eq(numbers),
                "thread {name} is told in its order"
            );
        }
    }

    #[test]
    fn a_closed_pipe_asks_to_stop_and_is_no_error() {
        let err = Shared::default();
        let (journal, writing, shutdown) = start(
            style(false, false),
            Failing(io::ErrorKind::BrokenPipe),
            &err,
        );
        journal.record(Event::new(Kind::Receive).text("hello"));
        assert!(shutdown.sleep(Duration::from_secs(60)));
        assert_eq!(
            (writing.finish(), err.text()),
            (Ok(Exit::Done), String::new())
        );
    }

    #[test]
    fn a_full_disk_is_told_and_ends_with_2() {
        let err = Shared::default();
        let (journal, writing, shutdown) = start(
            style(false, false),
            Failing(io::ErrorKind::StorageFull),
            &err,
        );
        journal.record(Event::new(Kind::Receive).text("hello"));
        assert!(shutdown.sleep(Duration::from_secs(60)));
        assert_eq!(writing.finish(), Ok(Exit::CouldNotRun));
        assert_eq!(err.text(), "prog: standard output: no storage space\n");
    }

    #[test]
    fn a_stalled_output_holds_threads_back_but_not_the_end() {
        let (release, stalled) = channel::bounded(0);
        let (journal, writing, shutdown) =
            start(style(false, false), Stalled(stalled), &Shared::default());
        let recording = thread::spawn(move || {
            for _ in 0..2 * QUEUE {
                journal.record(Event::new(Kind::Receive).text("hello"));
            }
        });
        shutdown.request();
        recording.join().unwrap();
        let failure = writing.finish().unwrap_err();
        assert!(
            failure.to_string().starts_with("output: nobody takes it"),
            "{failure}"
        );
        drop(release);
    }
}
