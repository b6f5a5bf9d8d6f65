//! The thread `journal`: numbers the events, writes the log, and hands the terminal what people see; in batches.

use std::{
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    history::History,
    logging::Logging,
    message::{Asked, Message, Requests, Shown, Source, Written},
    queue::{BoundedSender, Progress, WriterHandle},
    stderr::ErrorSender,
    style::{Answers, Lines, Style, View},
    terminal::Chunk,
    warnings::PeerWarnings,
};
use crate::{
    event::{Event, Kind, Level},
    exit::{Exit, Failure},
    threads::{
        channel::{Receiver, RecvTimeoutError},
        thread,
    },
};

/// How many bytes are gathered, at the most, before they are written although more events wait.
const BATCH: usize = 64 * 1024;

/// The least time between two flushes.
const PACE: Duration = Duration::from_millis(5);

pub(super) struct Writer {
    style: Style,
    view: View,
    log: Option<Logging>,
    /// None once it was given up.
    terminal: Option<BoundedSender<Chunk>>,
    terminal_ending: WriterHandle<Exit>,
    /// None where standard error is the same file as standard output.
    err: Option<ErrorSender>,
    requests: Arc<Requests>,
    warnings: PeerWarnings,
    history: History,
    progress: Progress,
    answers: Vec<u8>,
    log_lines: Vec<u8>,
    lines: Lines,
    prompt: Option<String>,
    seq: u64,
    exit: Exit,
}

/// What the thread writes to.
pub(super) struct Outputs {
    pub(super) log: Option<Logging>,
    pub(super) terminal: (BoundedSender<Chunk>, WriterHandle<Exit>),
    /// None where standard error is the same file as standard output.
    pub(super) err: Option<ErrorSender>,
}

impl Writer {
    pub(super) fn new(
        style: Style,
        view: View,
        outputs: Outputs,
        requests: Arc<Requests>,
        progress: Progress,
    ) -> Self {
        let (terminal, terminal_ending) = outputs.terminal;
        Self {
            style,
            view,
            log: outputs.log,
            terminal: Some(terminal),
            terminal_ending,
            err: outputs.err,
            requests,
            warnings: PeerWarnings::default(),
            history: History::new(),
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
        loop {
            if let Some(asked) = self.requests.take() {
                self.handle(asked);
            }
            match next {
                Some(Message::Event {
                    source,
                    event,
                    shown,
                }) => self.format(&source, event, shown),
                Some(Message::Wake) => {}
                Some(Message::Finish) | None => break,
            }
            next = messages.try_recv().ok().or_else(|| self.rest(messages));
            if self.answers.len().max(self.log_lines.len()) >= BATCH {
                self.flush();
                self.sum_up(Some(Instant::now()));
            }
        }
        self.sum_up(None);
        self.flush();
        if let Some(failure) = self.log.as_ref().and_then(Logging::finish) {
            self.fail(&failure);
        }
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

    /// Writes what was gathered, and waits for the next message.
    fn rest(&mut self, messages: &Receiver<Message>) -> Option<Message> {
        self.flush();
        let flushed = Instant::now();
        let next = loop {
            self.sum_up(Some(Instant::now()));
            let Some(due) = self.warnings.due() else {
                break messages.recv().ok();
            };
            let left = due.saturating_duration_since(Instant::now());
            match messages.recv_timeout(left) {
                Err(RecvTimeoutError::Timeout) => {}
                next => break next.ok(),
            }
        };
        // After a silence at once. In a rush waking this thread for every event would cost those who
        // record more than all the rest: the others gather meanwhile.
        if matches!(next, Some(Message::Event { .. })) {
            thread::sleep(PACE.saturating_sub(flushed.elapsed()));
        }
        next
    }

    fn handle(&mut self, asked: Asked) {
        let signals = Source::Other("signals".into());
        if asked.reopen {
            self.flush();
            if let Some(log) = &mut self.log {
                let (level, text) = log.reopen();
                let event = match level {
                    Level::Info => Event::new(Kind::Report).text(text),
                    level => Event::error(level, text),
                };
                self.format(&signals, event, Shown::Status);
            }
        }
        for (event, shown) in asked.reports {
            self.format(&signals, event, shown);
        }
        if asked.counts {
            let event = self.history.report();
            self.format(&signals, event, Shown::Requested);
        }
    }

    fn format(&mut self, source: &Source, event: Event, shown: Shown) {
        self.go_on_logging();
        let record = self.style.record(source, self.seq, event);
        self.seq += 1;
        self.history.count(record.event.kind);
        self.lines.answer.clear();
        self.lines.status.clear();
        self.lines.prompt.clear();
        (self.view)(&record.event, &mut self.lines);
        if matches!(shown, Shown::Requested | Shown::Status) {
            self.lines.answer.clear();
            let text = record.event.text.as_deref().unwrap_or_default();
            text.clone_into(&mut self.lines.status);
        }
        if self.log.is_some() {
            record.write_line(&mut self.log_lines);
        }
        let is_ready = matches!(shown, Shown::Ready { .. });
        let is_answer = !self.lines.answer.is_empty();
        match self.style.answers {
            Answers::Log => record.write_line(&mut self.answers),
            Answers::Json if is_answer || is_ready || shown == Shown::Requested => {
                record.write_line(&mut self.answers);
            }
            Answers::Lines if is_answer => {
                self.answers.extend_from_slice(self.lines.answer.as_bytes());
                self.answers.push(b'\n');
            }
            _ => {}
        }
        let event = record.event;
        let loud = event.level == Level::Error
            || matches!(
                shown,
                Shown::Requested
                    | Shown::Ready {
                        port_was_free: true
                    }
            );
        if !self.lines.status.is_empty() && (!self.style.quiet || loud) {
            let status = std::mem::take(&mut self.lines.status);
            self.status(&event, &status);
            self.lines.status = status;
        }
        if !self.lines.prompt.is_empty() && self.style.answers == Answers::Lines {
            self.prompt = Some(std::mem::take(&mut self.lines.prompt));
        }
    }

    /// The line of an event on standard error; of the warnings caused by peers a few, and how many more there were.
    fn status(&mut self, event: &Event, text: &str) {
        let is_error = event.kind == Kind::Error;
        if is_error && event.level == Level::Warn && event.peer.is_some() {
            let now = Instant::now();
            self.sum_up(Some(now));
            if !self.warnings.one_more(event, text, now) {
                return;
            }
        }
        let who = if is_error { self.style.program } else { "" };
        self.report(event.level, who, text);
    }

    /// Shows the sums that are due, or all.
    fn sum_up(&mut self, now: Option<Instant>) {
        while let Some(sum) = self.warnings.sum(now) {
            self.report(Level::Warn, self.style.program, &sum);
        }
    }

    fn fail(&mut self, failure: &Failure) {
        self.exit = failure.exit;
        self.report(Level::Error, self.style.program, &failure.to_string());
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
        match &self.err {
            Some(err) => err.put(line.into_bytes(), || self.progress.made()),
            None => self.show(Chunk::Status(line.into_bytes())),
        }
    }

    /// Once the log failed, each batch begins with the attempt to write how many events are missing: it has the number
    /// after theirs.
    fn go_on_logging(&mut self) {
        let Some(log) = &self.log else { return };
        if !log.fails() || !self.log_lines.is_empty() {
            return;
        }
        let source = Source::Thread(thread::current());
        let record = self.style.record(&source, self.seq, log.notice());
        let mut line = Vec::new();
        record.write_line(&mut line);
        let log = self.log.as_mut().expect("the log is there");
        if let Ok(said) = log.go_on(&line) {
            self.seq += 1;
            self.history.count(Kind::Error);
            if let Some(text) = said
                && !self.style.quiet
            {
                self.report(Level::Warn, self.style.program, &text);
            }
        }
    }

    /// The log first: what the terminal does is no reason for the log to wait.
    fn flush(&mut self) {
        self.progress.made();
        let log_lines = std::mem::take(&mut self.log_lines);
        let failed = match &mut self.log {
            Some(log) if !log_lines.is_empty() => log.append(&log_lines),
            _ => None,
        };
        // The buffer is used again.
        self.log_lines = log_lines;
        self.log_lines.clear();
        if let Some(failure) = failed {
            self.fail(&failure);
        }
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
