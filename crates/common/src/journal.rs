//! The event journal: threads hand their events over, and two threads write them.
//!
//! A thread calls [`Journal::record`], which costs it a place in a bounded channel. The
//! thread `journal` numbers the events, writes each as a line of the event log, and makes of it the line that people
//! see; in batches, flushing whenever it has caught up.
//!
//! Those lines are written by the thread `terminal`, behind the journal's: a terminal that stands still holds
//! back the log only when it stands still for long, and never costs it an event.
//!
//! Both channels are bounded and apply back-pressure: nothing is dropped, and the reader of the output sets the pace. Only when the program was asked to stop and an output has taken nothing for [`STALL`] is what waits for
//! that output given up, and then the program says so and ends with code 2.

#[cfg(all(test, shuttle))]
mod interleavings;
mod message;
mod queue;
mod style;
mod terminal;
mod writer;

use std::{
    fs::File,
    io::{self, Write},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use self::{
    message::{Message, Source, Written},
    queue::{BoundedSender, WriterHandle},
    terminal::Terminal,
    writer::Writer,
};
pub use self::{
    queue::STALL,
    style::{Answers, Lines, Style, View, usual_view},
};
use crate::{
    event::Event,
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
    queue: BoundedSender<Message>,
    /// Events given up because the log stood still.
    lost: Arc<AtomicU64>,
}

/// The writer's end, owned by the program's frame, which finishes it last.
#[derive(Debug)]
pub struct Writing {
    journal: Journal,
    ending: WriterHandle<Written>,
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
        let Sinks { out, err, log } = sinks;
        let stop = shutdown.clone();
        let terminal = queue::thread(
            "terminal",
            terminal::QUEUE,
            shutdown.clone(),
            move |chunks, progress| {
                Terminal::new(out, err, style.program, stop).run(&chunks, &progress)
            },
        )?;
        let (queue, ending) =
            queue::thread("journal", QUEUE, shutdown, move |messages, progress| {
                Writer::new(style, log, view, terminal, progress).run(&messages)
            })?;
        let journal = Self {
            queue,
            lost: Arc::default(),
        };
        Ok((journal.clone(), Writing { journal, ending }))
    }

    /// Records what happened on this thread.
    pub fn record(&self, event: Event) {
        self.put(Source::Thread(thread::current()), event);
    }

    /// Records what happened elsewhere, in a process that has no journal of its own; `name` stands in the thread's place.
    pub fn record_of(&self, name: &Arc<str>, event: Event) {
        self.put(Source::Other(Arc::clone(name)), event);
    }

    fn put(&self, source: Source, event: Event) {
        if !self.queue.put(Message::Event { source, event }, || ()) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Writing {
    /// Writes out everything that was recorded and ends the writing threads.
    ///
    /// Waits as long as the reader of the output goes on taking it (a person may be paging through it); once a stop
    /// was requested, an output that takes nothing for [`STALL`] is given up.
    ///
    /// # Errors
    /// When an output was given up. An output that failed has been reported on standard error; then the code is
    /// [`Exit::CouldNotRun`].
    pub fn finish(self) -> Result<Exit, Failure> {
        let Self { journal, ending } = self;
        let stalled = |what, left| {
            let why = format!("not read for {} s; {left}", STALL.as_secs());
            Err(Failure::could_not_run(what, why))
        };
        let put = journal.queue.put(Message::Finish, || ());
        let written = if put { ending.wait(|| ()) } else { None };
        let lost = journal.lost.load(Ordering::Relaxed);
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

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::{sync::Mutex, time::Duration};

    use crossbeam::channel::{self, Receiver};

    use super::*;
    use crate::event::{Kind, Level, Record};

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

    /// A sink that takes nothing until it is let go, as a pipe that is not read.
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
            answers: if json { Answers::Json } else { Answers::Lines },
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

    fn shown(json: bool, quiet: bool) -> (String, String) {
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
            shown(false, false),
            (
                "hello\n".into(),
                "listening\nprog: accept: out of luck\n".into()
            )
        );
        let (out, _) = shown(true, false);
        let record = Record::parse(out.trim_end()).unwrap();
        assert_eq!(
            (record.seq, record.event.text.as_deref()),
            (1, Some("hello"))
        );
    }

    #[test]
    fn a_prompt_stands_last_and_makes_way() {
        let (out, err) = (Shared::default(), Shared::default());
        let sinks = Sinks {
            out: Box::new(out.clone()),
            err: Box::new(err.clone()),
            log: None,
        };
        let view: View = Box::new(|event, lines| {
            lines.answer = event.text.clone().unwrap_or_default();
            lines.prompt = "> ".to_owned();
        });
        let shutdown = Shutdown::new().unwrap();
        let style = style(false, false);
        let (journal, writing) = Journal::start(style, sinks, view, shutdown).unwrap();
        for line in ["one", "two"] {
            journal.record(Event::new(Kind::Local).text(line));
            // Until it is written, so that the next one finds a prompt.
            while !out.text().ends_with(&format!("{line}\n> ")) {
                thread::yield_now();
            }
        }
        assert_eq!(writing.finish(), Ok(Exit::Done));
        assert_eq!(out.text(), "one\n> \r\x1b[Ktwo\n> ");
    }

    #[test]
    fn quiet_leaves_the_answer_and_errors() {
        assert_eq!(
            shown(false, true),
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
                "thread {name} is recorded in its order"
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
    fn a_stalled_terminal_costs_the_log_nothing_and_the_end_little() {
        let path = std::env::temp_dir().join(format!("lab-journal-{}", std::process::id()));
        let (release, stalled) = channel::bounded(0);
        let shutdown = Shutdown::new().unwrap();
        let sinks = Sinks {
            out: Box::new(Stalled(stalled)),
            err: Box::new(Shared::default()),
            log: Some((path.clone(), File::create(&path).unwrap())),
        };
        let (journal, writing) =
            Journal::start(style(false, false), sinks, view(), shutdown.clone()).unwrap();
        // More than both queues hold, so that the recording waits for the terminal until that is given up.
        let events = 5 * QUEUE;
        let recording = thread::spawn(move || {
            for _ in 0..events {
                journal.record(Event::new(Kind::Receive).text("hello".repeat(20)));
            }
        });
        shutdown.request();
        recording.join().unwrap();
        let failure = writing.finish().unwrap_err();
        assert_eq!(
            failure.to_string(),
            "output: not read for 0 s; the rest of it is not shown"
        );
        let log = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        let numbers = log.lines().map(|line| Record::parse(line).unwrap().seq);
        assert!(numbers.eq(0..events as u64));
        drop(release);
    }

    #[test]
    fn a_stop_that_takes_long_is_no_stall() {
        let (out, err) = (Shared::default(), Shared::default());
        let (journal, writing, shutdown) = start(style(false, false), out.clone(), &err);
        shutdown.request();
        // As a program that finishes what was taken, for longer than a stalled output is waited for.
        thread::sleep(2 * STALL);
        journal.record(Event::new(Kind::Receive).text("hello"));
        assert_eq!(
            (writing.finish(), out.text()),
            (Ok(Exit::Done), "hello\n".into())
        );
    }

    #[test]
    fn a_slow_reader_gets_everything() {
        /// Takes a little at a time, far slower in all than a stalled output is waited for.
        struct Slow(Shared);
        impl Write for Slow {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                thread::sleep(STALL / 8);
                self.0.write(&bytes[..bytes.len().min(16)])
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let out = Shared::default();
        let (journal, writing, shutdown) =
            start(style(false, false), Slow(out.clone()), &Shared::default());
        for _ in 0..100 {
            journal.record(Event::new(Kind::Receive).text("hello"));
        }
        shutdown.request();
        assert_eq!(
            (writing.finish(), out.text().lines().count()),
            (Ok(Exit::Done), 100)
        );
    }
}
