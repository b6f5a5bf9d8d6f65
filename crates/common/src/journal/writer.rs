//! The thread `journal`: numbers the events, writes the log, and hands the terminal what people see; in batches.

use std::{
    fmt::Write as _,
    fs::File,
    io::Write,
    path::PathBuf,
    time::{Duration, Instant},
};

use super::{
    message::{Message, Source, Written},
    queue::{BoundedSender, Progress, WriterHandle},
    style::{Answers, Lines, Style, View},
    terminal::Chunk,
};
use crate::{
    event::{Event, Kind, Level, Record, VERSION},
    exit::{Exit, Failure, why},
    text::visible_path,
    threads::{channel::Receiver, thread},
};

/// How many bytes are gathered, at the most, before they are written although more events wait.
const BATCH: usize = 64 * 1024;

/// The least time between two flushes.
const PACE: Duration = Duration::from_millis(5);

pub(super) struct Writer {
    style: Style,
    view: View,
    log: Option<(PathBuf, File)>,
    /// None once it was given up.
    terminal: Option<BoundedSender<Chunk>>,
    terminal_ending: WriterHandle<Exit>,
    progress: Progress,
    answers: Vec<u8>,
    log_lines: Vec<u8>,
    lines: Lines,
    prompt: Option<String>,
    seq: u64,
    exit: Exit,
}

impl Writer {
    pub(super) fn new(
        style: Style,
        log: Option<(PathBuf, File)>,
        view: View,
        (terminal, terminal_ending): (BoundedSender<Chunk>, WriterHandle<Exit>),
        progress: Progress,
    ) -> Self {
        Self {
            style,
            view,
            log,
            terminal: Some(terminal),
            terminal_ending,
            progress,
            answers: Vec::new(),
            log_lines: Vec::new(),
            lines: Lines::default(),
            prompt: None,
            seq: 0,
            exit: Exit::Done,
        }
    }

    /// Writes until it is asked to finish.
    pub(super) fn run(mut self, messages: &Receiver<Message>) -> Written {
        let mut next = messages.recv().ok();
        while let Some(Message::Event { source, event }) = next {
            self.format(&source, event);
            next = messages.try_recv().ok().or_else(|| {
                self.flush();
                let flushed = Instant::now();
                let next = messages.recv().ok();
                // After a silence at once. In a rush waking this thread for every event would cost those who
                // record more than all the rest: the others gather meanwhile.
                if !matches!(next, Some(Message::Finish)) {
                    thread::sleep(PACE.saturating_sub(flushed.elapsed()));
                }
                next
            });
            if self.answers.len().max(self.log_lines.len()) >= BATCH {
                self.flush();
            }
        }
        self.flush();
        let Self {
            terminal,
            terminal_ending,
            progress,
            exit,
            ..
        } = self;
        let given_up = terminal.is_none();
        // It ends when no sender is left.
        drop(terminal);
        let ended = if given_up {
            None
        } else {
            terminal_ending.wait(|| progress.made())
        };
        Written {
            exit: exit.max(ended.unwrap_or(Exit::Done)),
            terminal_stalled: ended.is_none(),
        }
    }

    fn format(&mut self, source: &Source, event: Event) {
        let record = Record {
            v: VERSION,
            run: self.style.run.as_str().into(),
            node: self.style.node.as_str().into(),
            thread: source.name().into(),
            seq: self.seq,
            event,
        };
        self.seq += 1;
        self.lines.answer.clear();
        self.lines.status.clear();
        self.lines.prompt.clear();
        (self.view)(&record.event, &mut self.lines);
        if self.log.is_some() {
            record.write_line(&mut self.log_lines);
        }
        let is_answer = !self.lines.answer.is_empty();
        match self.style.answers {
            Answers::Log => record.write_line(&mut self.answers),
            Answers::Json if is_answer => record.write_line(&mut self.answers),
            Answers::Lines if is_answer => {
                self.answers.extend_from_slice(self.lines.answer.as_bytes());
                self.answers.push(b'\n');
            }
            _ => {}
        }
        let (level, kind) = (record.event.level, record.event.kind);
        if !self.lines.status.is_empty() && (!self.style.quiet || level == Level::Error) {
            let status = std::mem::take(&mut self.lines.status);
            self.report(
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
        if !self.lines.prompt.is_empty() && self.style.answers == Answers::Lines {
            self.prompt = Some(std::mem::take(&mut self.lines.prompt));
        }
    }

    /// One line on standard error, after the answers that were recorded before it.
    fn report(&mut self, level: Level, who: &str, text: &str) {
        let (on, off) = match level {
            _ if !self.style.colour => ("", ""),
            Level::Info => ("\x1b[2m", "\x1b[0m"),
            Level::Warn => ("\x1b[33m", "\x1b[0m"),
            Level::Error => ("\x1b[1;31m", "\x1b[0m"),
        };
        let mut line = String::new();
        let colon = if who.is_empty() { "" } else { ": " };
        writeln!(line, "{on}{who}{colon}{text}{off}").expect("a String takes all that is written");
        self.flush();
        self.show(Chunk::Status(line.into_bytes()));
    }

    /// The log first: what the terminal does is no reason for the log to wait.
    fn flush(&mut self) {
        self.progress.made();
        let log_lines = std::mem::take(&mut self.log_lines);
        if let Some((path, log)) = &mut self.log
            && let Err(error) = log.write_all(&log_lines)
        {
            let what = format!("--log {}", visible_path(path));
            let failure = Failure::could_not_run(what, why(&error));
            self.log = None;
            self.exit = failure.exit;
            self.report(Level::Error, self.style.program, &failure.to_string());
        }
        // The buffer is used again.
        self.log_lines = log_lines;
        self.log_lines.clear();
        if !self.answers.is_empty() {
            let answers = std::mem::take(&mut self.answers);
            self.show(Chunk::Answer(answers));
        }
        if let Some(prompt) = self.prompt.take() {
            self.show(Chunk::Prompt(prompt.into_bytes()));
        }
        self.progress.made();
    }

    fn show(&mut self, chunk: Chunk) {
        if let Some(terminal) = &self.terminal
            && !terminal.put(chunk, || self.progress.made())
        {
            self.terminal = None;
        }
    }
}
