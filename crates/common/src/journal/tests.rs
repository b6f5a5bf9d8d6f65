//! The journal with sinks that can be read, stand still or fail.

use std::time::Duration;

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

/// A sink that takes nothing until it is let go, and keeps what it takes.
struct Gated(Receiver<()>, Shared);

impl Write for Gated {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.recv();
        self.1.write(bytes)
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
        err_is_out: false,
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
        err_is_out: false,
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
        err_is_out: false,
        log: Some(LogFile::open(&path).unwrap().0),
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

#[test]
fn nobody_waits_for_standard_error_and_what_is_dropped_is_counted() {
    let (out, err) = (Shared::default(), Shared::default());
    let (release, stalled) = channel::bounded(0);
    let sinks = Sinks {
        out: Box::new(out.clone()),
        err: Box::new(Gated(stalled, err.clone())),
        err_is_out: false,
        log: None,
    };
    let shutdown = Shutdown::new().unwrap();
    let (journal, writing) = Journal::start(style(false, false), sinks, view(), shutdown).unwrap();
    // More than the queue holds, of a kind that is not summed up.
    let lines = 3_000;
    for number in 0..lines {
        journal.record(Event::error(Level::Warn, format!("warning {number}")));
        journal.record(Event::new(Kind::Receive).text(number.to_string()));
    }
    // All answers are there, although standard error has taken nothing yet.
    while out.text().lines().count() < lines {
        thread::sleep(Duration::from_millis(1));
    }
    drop(release);
    assert_eq!(writing.finish(), Ok(Exit::Done));
    let text = err.text();
    let (last, shown) = text
        .trim_end()
        .rsplit_once('\n')
        .map(|(all, last)| (last, all))
        .unwrap();
    let shown = shown.lines().count();
    let dropped = crate::text::grouped((lines - shown) as u64);
    assert_eq!(
        last,
        format!("prog: … and {dropped} more lines, dropped while standard error was not read")
    );
}

#[test]
fn a_standard_error_that_is_never_read_does_not_hold_back_the_end() {
    let (release, stalled) = channel::bounded(0);
    let sinks = Sinks {
        out: Box::new(Shared::default()),
        err: Box::new(Stalled(stalled)),
        err_is_out: false,
        log: None,
    };
    let shutdown = Shutdown::new().unwrap();
    let (journal, writing) = Journal::start(style(false, false), sinks, view(), shutdown).unwrap();
    journal.record(Event::error(Level::Warn, "unread"));
    let begun = std::time::Instant::now();
    assert_eq!(writing.finish(), Ok(Exit::Done));
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    drop(release);
}

#[test]
fn warnings_about_peers_are_summed_up_and_all_are_logged() {
    let (out, err) = (Shared::default(), Shared::default());
    let folder = crate::testing::Folder::new();
    let path = folder.path("log");
    let sinks = Sinks {
        out: Box::new(out),
        err: Box::new(err.clone()),
        err_is_out: false,
        log: Some(LogFile::open(path.as_ref()).unwrap().0),
    };
    let shutdown = Shutdown::new().unwrap();
    let (journal, writing) = Journal::start(style(false, false), sinks, view(), shutdown).unwrap();
    for port in 1..=2_922 {
        let peer = format!("127.0.0.1:{port}");
        let text = format!("{peer}: closed");
        journal.record(Event::error(Level::Warn, text).peer(&*peer));
    }
    assert_eq!(writing.finish(), Ok(Exit::Done));
    let text = err.text();
    assert_eq!(text.lines().next(), Some("prog: 127.0.0.1:1: closed"));
    assert_eq!(text.lines().last(), Some("prog: … and 2,912 more: closed"));
    assert_eq!(text.lines().count(), 11, "{text}");
    assert_eq!(crate::testing::read_log(path).len(), 2_922);
}

#[test]
fn what_a_signal_asks_for_is_shown_also_when_quiet_and_never_waits() {
    let (out, err) = (Shared::default(), Shared::default());
    let (journal, writing, _) = start(style(true, true), out.clone(), &err);
    journal.record(Event::new(Kind::Receive).text("hello"));
    while out.text().is_empty() {
        thread::yield_now();
    }
    journal.report_figures();
    while err.text().is_empty() {
        thread::yield_now();
    }
    journal.report_with(|| Event::new(Kind::Report).text("7 so far"));
    journal.report_figures();
    assert_eq!(writing.finish(), Ok(Exit::Done));
    let text = err.text();
    let lines: Vec<_> = text.lines().collect();
    assert!(
        lines[0].starts_with("so far: 1 event after ") && lines[0].ends_with(": 1 receive"),
        "{text}"
    );
    assert_eq!(lines[1..], ["7 so far"]);
    let kinds = out
        .text()
        .lines()
        .map(|line| Record::parse(line).unwrap().event.kind)
        .collect::<Vec<_>>();
    assert_eq!(kinds, [Kind::Receive, Kind::Report, Kind::Report]);
}
