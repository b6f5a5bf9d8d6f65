//! A process of a run: its start, its standard input and output, and its end.

use std::{
    io::Write,
    net::SocketAddr,
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{self, ChildStdin, Command, ExitStatus, Stdio},
    thread::Scope,
};

use common::{
    exit::{Failure, why},
    shutdown::Shutdown,
    typed::{Line, Lines},
};
use crossbeam::channel::Sender;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

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

/// One of the processes.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) name: String,
    process: process::Child,
    input: Option<ChildStdin>,
    /// Its exit status, after its end.
    pub(super) ended: Option<ExitStatus>,
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
            // Ctrl-C at a terminal interrupts the supervisor only.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (out, err) = (out.expect("piped"), err.expect("piped"));
        let input = child.stdin.take();
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
            process: child,
            input,
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

    /// Sends it a signal, unless it has ended.
    pub(super) fn signal(&mut self, signal: Signal) {
        if self.ended.is_none() && matches!(self.process.try_wait(), Ok(None)) {
            self.killed |= signal == Signal::SIGKILL;
            let _ = kill(Pid::from_raw(self.process.id().cast_signed()), signal);
        }
    }

    /// Waits for its exit status, after it has closed its output.
    pub(super) fn reap(&mut self) {
        if self.ended.is_none() {
            self.ended = self.process.wait().ok();
        }
    }

    /// How it ended, in words; None when it ended with exit code 0.
    pub(super) fn unexpected(&self) -> Option<String> {
        let status = self.ended?;
        match (status.code(), status.signal()) {
            (Some(0), _) => None,
            (_, Some(signal)) => Some(format!("killed by signal {signal}")),
            (code, _) => Some(format!("exit code {}", code.unwrap_or(-1))),
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
