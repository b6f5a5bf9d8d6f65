//! A process of a run: its start, its standard input and output, and its end.

use std::{
    io::Write,
    net::SocketAddr,
    process::{ChildStdin, Command, Stdio},
    thread::Scope,
};

use common::{
    exit::{Failure, why},
    shutdown::Shutdown,
    sys::processes::{End, Group},
    typed::{Line, Lines},
};
use crossbeam::channel::Sender;

/// The longest line of a child's output, in bytes.
const LONGEST_LINE: usize = 8192;

/// An output of a child, with its number.
#[derive(Debug)]
pub(super) enum ChildOutput {
    /// It listens on this address.
    Listening(usize, SocketAddr),
    /// Its state, which the supervisor asked for.
    State(usize, State),
    /// A warning.
    Warning(usize, String),
    /// It has ended.
    Ended(usize),
}

/// What a child says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    /// Whether it has nothing to do, and waits for none but those below.
    pub(super) idle: bool,
    /// How many events it has had.
    pub(super) events: u64,
    /// The names of the processes that have not acknowledged its messages for long.
    pub(super) unresponsive: Vec<String>,
}

/// What `--crash` does to a process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Crash {
    /// It ends.
    Kill,
    /// It stops for a while.
    Pause,
    /// It goes on.
    Resume,
}

/// One of the processes.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) name: String,
    process: Group,
    input: Option<ChildStdin>,
    /// How it has ended, after its end.
    pub(super) ended: Option<End>,
    /// Whether this run killed it, as `--crash` requests.
    pub(super) killed: bool,
}

impl Child {
    /// Starts the process, and the threads that read its output; they end with it, or with `closing`.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        number: usize,
        name: String,
        mut command: Command,
        outputs: &Sender<ChildOutput>,
        closing: &Shutdown,
    ) -> Result<Self, Failure> {
        let failed = |error| Failure::could_not_run(format!("start {name}"), why(&error));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Ctrl-C at a terminal interrupts the supervisor only.
        let (process, streams) = Group::start(command).map_err(failed)?;
        let out = streams.stdout.expect("piped");
        let err = streams.stderr.expect("piped");
        let (sender, stop) = (outputs.clone(), closing.clone());
        let read_out = move || {
            let mut lines = Lines::new(out, LONGEST_LINE);
            while let Ok(Some(line)) = lines.next(&stop) {
                if let Some(state) = state(number, &line) {
                    stop.put(&sender, state);
                }
            }
            stop.put(&sender, ChildOutput::Ended(number));
        };
        let (sender, stop) = (outputs.clone(), closing.clone());
        let read_err = move || {
            let mut lines = Lines::new(err, LONGEST_LINE);
            while let Ok(Some(line)) = lines.next(&stop) {
                stop.put(&sender, status(number, &line));
            }
        };
        let spawn = |what: &str| std::thread::Builder::new().name(format!("{name}-{what}"));
        spawn("out").spawn_scoped(scope, read_out).map_err(failed)?;
        spawn("err").spawn_scoped(scope, read_err).map_err(failed)?;
        Ok(Self {
            name,
            process,
            input: streams.stdin,
            ended: None,
            killed: false,
        })
    }

    /// Writes a line to its standard input; a failure shows in its end.
    pub(super) fn write(&mut self, line: &str) {
        if let Some(input) = &mut self.input
            && input.write_all(format!("{line}\n").as_bytes()).is_err()
        {
            self.input = None;
        }
    }

    /// Does to it what `--crash` requests, unless it has ended.
    pub(super) fn crash(&mut self, crash: Crash) {
        if self.ended.is_none() && matches!(self.process.try_wait(), Ok(None)) {
            self.killed |= crash == Crash::Kill;
            // An error is that it has just ended: the run refuses pauses where the system has none.
            let _ = match crash {
                Crash::Kill => self.process.kill(),
                Crash::Pause => self.process.pause(),
                Crash::Resume => self.process.resume(),
            };
        }
    }

    /// Waits for its exit status, after it has closed its output.
    pub(super) fn reap(&mut self) {
        if self.ended.is_none() {
            self.ended = self.process.wait().ok().map(End::from);
        }
    }

    /// How it ended, in words; None when it ended with exit code 0.
    pub(super) fn unexpected(&self) -> Option<String> {
        match self.ended? {
            End::Code(0) => None,
            // Windows has no signals: the code is that of the kill.
            End::Code(_) if self.killed => Some("killed".to_owned()),
            code @ End::Code(_) => Some(code.to_string()),
            signal @ End::Signal(_) => Some(format!("killed by {signal}")),
        }
    }
}

/// No process outlives its run.
impl Drop for Child {
    fn drop(&mut self) {
        if self.ended.is_none() {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

fn text(line: &Line) -> String {
    match line {
        Line::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Line::TooLong => String::from("a line that is too long to print"),
    }
}

/// `idle 12`, `busy 12`, or `idle 12 p2 p3` when p2 and p3 do not respond.
fn state(number: usize, line: &Line) -> Option<ChildOutput> {
    let text = text(line);
    let mut words = text.split(' ');
    let state = State {
        idle: words.next()? == "idle",
        events: words.next()?.parse().ok()?,
        unresponsive: words.map(Into::into).collect(),
    };
    Some(ChildOutput::State(number, state))
}

/// A line on standard error: the ready line, or a warning.
fn status(number: usize, line: &Line) -> ChildOutput {
    let text = text(line);
    let address = text.strip_prefix("listening on ").map(str::parse);
    match address {
        Some(Ok(address)) => ChildOutput::Listening(number, address),
        _ => ChildOutput::Warning(
            number,
            text.strip_prefix("lamport: ").unwrap_or(&text).to_owned(),
        ),
    }
}
