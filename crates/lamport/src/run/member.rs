//! A process of a run: started, told what to do, heard, and ended.

use std::{
    io::Write,
    net::SocketAddr,
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
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

/// The longest line that a member says, in bytes.
const LONGEST_LINE: usize = 8192;

/// What a member says, by its number.
#[derive(Debug)]
pub(super) enum Said {
    /// It listens here.
    Listening(usize, SocketAddr),
    /// Whether it is idle, and how many events it had.
    State(usize, bool, u64),
    /// What is not as it should be.
    Trouble(usize, String),
    /// It has ended.
    Ended(usize),
}

/// One of the processes.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    child: Child,
    input: Option<ChildStdin>,
    /// How it ended, and whether it was told to.
    pub(super) ended: Option<ExitStatus>,
    /// Whether it was killed by this run, as was wanted.
    pub(super) killed: bool,
}

impl Member {
    /// Starts it, and the threads that hear it; they end with it, or with `closing`.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        number: usize,
        name: String,
        mut command: Command,
        said: &Sender<Said>,
        closing: &Shutdown,
    ) -> Result<Self, Failure> {
        let failed = |error| Failure::could_not_run(format!("start {name}"), why(&error));
        command
            // Ctrl-C at a terminal is for whoever manages it, and not for it.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (out, err) = (out.expect("piped"), err.expect("piped"));
        let input = child.stdin.take();
        let (sender, stop) = (said.clone(), closing.clone());
        let hear_out = move || {
            let mut lines = Lines::new(out, LONGEST_LINE);
            while let Ok(Some(line)) = lines.next(&stop) {
                if let Some(state) = state(number, &line) {
                    stop.put(&sender, state);
                }
            }
            stop.put(&sender, Said::Ended(number));
        };
        let (sender, stop) = (said.clone(), closing.clone());
        let hear_err = move || {
            let mut lines = Lines::new(err, LONGEST_LINE);
            while let Ok(Some(line)) = lines.next(&stop) {
                stop.put(&sender, told(number, &line));
            }
        };
        let spawn = |what: &str| std::thread::Builder::new().name(format!("{name}-{what}"));
        spawn("out").spawn_scoped(scope, hear_out).map_err(failed)?;
        spawn("err").spawn_scoped(scope, hear_err).map_err(failed)?;
        Ok(Self {
            name,
            child,
            input,
            ended: None,
            killed: false,
        })
    }

    /// Tells it something; whether it can hear shows elsewhere.
    pub(super) fn tell(&mut self, line: &str) {
        if let Some(input) = &mut self.input
            && input.write_all(format!("{line}\n").as_bytes()).is_err()
        {
            self.input = None;
        }
    }

    /// Sends it a signal, as long as it is there.
    pub(super) fn signal(&mut self, signal: Signal) {
        if self.ended.is_none() && matches!(self.child.try_wait(), Ok(None)) {
            self.killed |= signal == Signal::SIGKILL;
            let _ = kill(Pid::from_raw(self.child.id().cast_signed()), signal);
        }
    }

    /// It has closed its output: it has ended, and this is how.
    pub(super) fn reap(&mut self) {
        if self.ended.is_none() {
            self.ended = self.child.wait().ok();
        }
    }

    /// How it ended, in words; None when as it was told to.
    pub(super) fn unexpected(&self) -> Option<String> {
        let status = self.ended?;
        match (status.code(), status.signal()) {
            (Some(0), _) => None,
            (_, Some(signal)) => Some(format!("killed by signal {signal}")),
            (code, _) => Some(format!("ended with code {}", code.unwrap_or(-1))),
        }
    }
}

/// No process of a run stays behind.
impl Drop for Member {
    fn drop(&mut self) {
        if self.ended.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn text(line: &Line) -> String {
    match line {
        Line::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Line::TooLong => String::from("a line that is too long to show"),
    }
}

/// `idle 12` or `busy 12`.
fn state(number: usize, line: &Line) -> Option<Said> {
    let text = text(line);
    let (state, events) = text.split_once(' ')?;
    Some(Said::State(number, state == "idle", events.parse().ok()?))
}

/// What it says on standard error: that it listens, or a trouble.
fn told(number: usize, line: &Line) -> Said {
    let text = text(line);
    let address = text.strip_prefix("listening on ").map(str::parse);
    match address {
        Some(Ok(address)) => Said::Listening(number, address),
        _ => Said::Trouble(
            number,
            text.strip_prefix("lamport: ").unwrap_or(&text).to_owned(),
        ),
    }
}
