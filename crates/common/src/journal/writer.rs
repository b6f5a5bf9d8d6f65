//! The journal's one thread: numbers the events and writes them, in batches.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Write},
    path::PathBuf,
    thread::Thread,
};

use crossbeam::channel::Receiver;

use super::{Lines, Message, Sinks, Style, View};
use crate::{
    event::{Event, Kind, Level, Record, VERSION},
    exit::{Exit, Failure, why},
    shutdown::Shutdown,
};

/// How many bytes are gathered, at the most, before they are written although more events wait.
const BATCH: usize = 64 * 1024;

/// The one thread that writes.
pub(super) struct Writer {
    style: Style,
    view: View,
    shutdown: Shutdown,
    log: Option<(PathBuf, File)>,
    /// None once it is closed.
    out: Option<Box<dyn Write + Send>>,
    err: Box<dyn Write + Send>,
    out_pending: Vec<u8>,
    log_pending: Vec<u8>,
    lines: Lines,
    seq: u64,
    exit: Exit,
}

impl Writer {
    pub(super) fn new(style: Style, sinks: Sinks, view: View, shutdown: Shutdown) -> Self {
        Self {
            style,
            view,
            shutdown,
            log: sinks.log,
            out: Some(sinks.out),
            err: sinks.err,
            out_pending: Vec::new(),
            log_pending: Vec::new(),
            lines: Lines::default(),
            seq: 0,
            exit: Exit::Done,
        }
    }

    /// Writes until it is told to finish; [`Exit::CouldNotRun`] when an output failed.
    pub(super) fn run(mut self, messages: &Receiver<Message>) -> Exit {
        let mut next = messages.recv().ok();
        while let Some(Message::Event { thread, event }) = next {
            self.format(&thread, event);
            next = messages.try_recv().ok().or_else(|| {
                self.flush();
                messages.recv().ok()
            });
            if self.out_pending.len().max(self.log_pending.len()) >= BATCH {
                self.flush();
            }
        }
        self.flush();
        self.exit
    }

    fn format(&mut self, thread: &Thread, event: Event) {
        let record = Record {
            v: VERSION,
            run: self.style.run.as_str().into(),
            node: self.style.node.as_str().into(),
            thread: thread.name().unwrap_or("unnamed").into(),
            seq: self.seq,
            event,
        };
        self.seq += 1;
        self.lines.answer.clear();
        self.lines.status.clear();
        (self.view)(&record.event, &mut self.lines);
        if self.log.is_some() {
            push_json(&mut self.log_pending, &record);
        }
        if !self.lines.answer.is_empty() {
            if self.style.json {
                push_json(&mut self.out_pending, &record);
            } else {
                self.out_pending
                    .extend_from_slice(self.lines.answer.as_bytes());
                self.out_pending.push(b'\n');
            }
        }
        let (level, kind) = (record.event.level, record.event.kind);
        if !self.lines.status.is_empty() && (!self.style.quiet || level == Level::Error) {
            // What a person reads on one terminal stays in order.
            self.flush_out();
            let status = std::mem::take(&mut self.lines.status);
            self.tell(
                level,
                if kind == Kind::Error {
                    self.style.program
                } else {
                    ""
                },
                &status,
            );
            self.lines.status = status;
        }
    }

    /// One line on standard error. Should that be closed, there is nobody left to tell.
    fn tell(&mut self, level: Level, who: &str, text: &str) {
        let (on, off) = match level {
            _ if !self.style.colour => ("", ""),
            Level::Info => ("\x1b[2m", "\x1b[0m"),
            Level::Warn => ("\x1b[33m", "\x1b[0m"),
            Level::Error => ("\x1b[1;31m", "\x1b[0m"),
        };
        let mut line = String::new();
        let colon = if who.is_empty() { "" } else { ": " };
        writeln!(line, "{on}{who}{colon}{text}{off}").expect("a String takes all that is written");
        let _ = self
            .err
            .write_all(line.as_bytes())
            .and_then(|()| self.err.flush());
    }

    fn flush(&mut self) {
        self.flush_out();
        if let Some((path, log)) = &mut self.log
            && let Err(error) = log.write_all(&self.log_pending)
        {
            let what = format!("--log {}", path.display());
            self.log = None;
            self.fail(&Failure::could_not_run(what, why(&error)));
        }
        self.log_pending.clear();
    }

    fn flush_out(&mut self) {
        if let Some(out) = &mut self.out
            && !self.out_pending.is_empty()
            && let Err(error) = out.write_all(&self.out_pending).and_then(|()| out.flush())
        {
            // Nobody is left to give an answer to. A closed pipe (`| head`) is no fault and ends quietly.
            self.out = None;
            self.shutdown.request();
            if error.kind() != io::ErrorKind::BrokenPipe {
                self.fail(&Failure::could_not_run("standard output", why(&error)));
            }
        }
        self.out_pending.clear();
    }

    fn fail(&mut self, failure: &Failure) {
        self.exit = failure.exit;
        self.tell(Level::Error, self.style.program, &failure.to_string());
    }
}

fn push_json(pending: &mut Vec<u8>, record: &Record<'_>) {
    serde_json::to_writer(&mut *pending, record)
        .expect("a record is JSON, and a Vec takes all that is written");
    pending.push(b'\n');
}
