//! The journal with its threads let on in many orders, at random (shuttle). `scripts/interleavings.sh` runs it.

use std::sync::Mutex;

use shuttle::thread;

use super::*;
use crate::event::{Kind, Record};

/// How many orders are tried.
const ORDERS: usize = 20_000;

/// A sink that can be read afterwards, and fails from the so many-th write on.
#[derive(Clone)]
struct Sink {
    written: Arc<Mutex<Vec<u8>>>,
    writes_left: Arc<Mutex<usize>>,
}

impl Sink {
    fn new(writes: usize) -> Self {
        Self {
            written: Arc::default(),
            writes_left: Arc::new(Mutex::new(writes)),
        }
    }

    fn text(&self) -> String {
        String::from_utf8(self.written.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut left = self.writes_left.lock().unwrap();
        *left = left.checked_sub(1).ok_or(io::ErrorKind::BrokenPipe)?;
        drop(left);
        thread::yield_now();
        self.written.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn start(out: &Sink, err: &Sink) -> (Journal, Writing, Shutdown) {
    start_with(out, err, false)
}

fn start_with(out: &Sink, err: &Sink, err_is_out: bool) -> (Journal, Writing, Shutdown) {
    let style = Style {
        program: "prog",
        node: "n".into(),
        run: "r".into(),
        answers: super::Answers::Json,
        quiet: false,
        colour: false,
    };
    let sinks = Sinks {
        out: Box::new(out.clone()),
        err: Box::new(err.clone()),
        err_is_out,
        log: None,
    };
    let view: View = Box::new(|event, lines| match event.kind {
        Kind::Receive => lines.answer.push_str(event.text.as_deref().unwrap()),
        _ => lines.status.push_str(event.text.as_deref().unwrap()),
    });
    let shutdown = Shutdown::new().unwrap();
    let (journal, writing) = Journal::start(style, sinks, view, shutdown.clone()).unwrap();
    (journal, writing, shutdown)
}

fn record(journal: &Journal, who: usize, events: usize) {
    for number in 0..events {
        journal.record(Event::new(Kind::Receive).text(format!("{who} {number}")));
    }
}

/// Checks that what was recorded is numbered without a gap, and each source's events in its order. Returns the number of
/// events of each.
fn recorded(out: &Sink, sources: usize) -> Vec<usize> {
    let mut next = vec![0; sources];
    for (seq, line) in out.text().lines().enumerate() {
        let record = Record::parse(line).unwrap();
        assert_eq!(record.seq, seq as u64);
        let text = record.event.text.unwrap();
        let (who, number) = text.split_once(' ').unwrap();
        let who: usize = who.parse().unwrap();
        assert_eq!(number.parse(), Ok(next[who]), "{text}");
        next[who] += 1;
    }
    next
}

#[test]
fn whatever_was_recorded_before_the_end_is_written_once_and_in_order() {
    shuttle::check_random(
        || {
            let (out, err) = (Sink::new(usize::MAX), Sink::new(usize::MAX));
            let (journal, writing, _) = start(&out, &err);
            let sources: Vec<_> = (0..3)
                .map(|who| {
                    let journal = journal.clone();
                    thread::spawn(move || record(&journal, who, 3))
                })
                .collect();
            sources
                .into_iter()
                .for_each(|source| source.join().unwrap());
            assert_eq!(writing.finish(), Ok(Exit::Done));
            assert_eq!(recorded(&out, 3), [3, 3, 3]);
            assert_eq!(err.text(), "");
        },
        ORDERS,
    );
}

#[test]
fn whoever_still_records_at_the_end_spoils_nothing() {
    shuttle::check_random(
        || {
            let (out, err) = (Sink::new(usize::MAX), Sink::new(usize::MAX));
            let (journal, writing, _) = start(&out, &err);
            record(&journal, 0, 2);
            let late = {
                let journal = journal.clone();
                thread::spawn(move || record(&journal, 1, 4))
            };
            assert_eq!(writing.finish(), Ok(Exit::Done));
            let written = recorded(&out, 2);
            assert_eq!(written[0], 2);
            assert!(written[1] <= 4);
            // No thread takes it any more, and no thread waits for ever.
            late.join().unwrap();
            assert_eq!(recorded(&out, 2), written, "the end is the end");
        },
        ORDERS,
    );
}

#[test]
fn statuses_come_after_the_answers_before_them() {
    shuttle::check_random(
        || {
            let both = Sink::new(usize::MAX);
            let (journal, writing, _) = start_with(&both, &both, true);
            record(&journal, 0, 2);
            journal.record(Event::new(Kind::Ready).text("ready"));
            record(&journal, 0, 1);
            assert_eq!(writing.finish(), Ok(Exit::Done));
            let text = both.text();
            let lines: Vec<_> = text.lines().collect();
            assert!(lines.len() == 4 && lines[2] == "ready", "{text}");
        },
        ORDERS,
    );
}

#[test]
fn an_output_that_closes_ends_the_program_quietly() {
    shuttle::check_random(
        || {
            let (out, err) = (Sink::new(1), Sink::new(usize::MAX));
            let (journal, writing, shutdown) = start(&out, &err);
            let source = {
                let journal = journal.clone();
                thread::spawn(move || record(&journal, 0, 5))
            };
            source.join().unwrap();
            assert_eq!(writing.finish(), Ok(Exit::Done));
            let whole = recorded(&out, 1)[0] == 5;
            assert!(
                whole || shutdown.requested(),
                "a source that is given up learns of it"
            );
            assert_eq!(err.text(), "");
        },
        ORDERS,
    );
}

#[test]
fn what_a_signal_asks_for_before_the_end_is_shown_once() {
    shuttle::check_random(
        || {
            let (out, err) = (Sink::new(usize::MAX), Sink::new(usize::MAX));
            let (journal, writing, _) = start(&out, &err);
            let source = {
                let journal = journal.clone();
                thread::spawn(move || record(&journal, 0, 3))
            };
            journal.report(Event::new(Kind::Ready).text("asked"), false);
            source.join().unwrap();
            assert_eq!(writing.finish(), Ok(Exit::Done));
            assert_eq!(out.text().lines().count(), 3);
            assert_eq!(err.text(), "asked\n");
        },
        ORDERS,
    );
}
