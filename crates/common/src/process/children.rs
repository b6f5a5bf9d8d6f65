//! Nodes that a program starts and supervises: the start of each, its standard input and output, and its end.
//!
//! | module | job |
//! | --- | --- |
//! | [`start`] | the start of all of a run, and the folder of their logs |
//! | [`group`] | all of a run, as their supervisor has them |

pub mod group;
pub mod start;

use std::{
    io::Write,
    net::SocketAddr,
    process::{ChildStdin, Command, Stdio},
    thread::Scope,
};

use crossbeam::channel::Sender;

use crate::{
    exit::{Failure, why},
    shutdown::Shutdown,
    sys::processes::{End, Group},
    typed::{Line, Lines},
};

/// The longest line of a child's output, in bytes.
const LONGEST_LINE: usize = 8192;

/// An output of a child, with its number.
#[derive(Debug)]
pub enum ChildOutput {
    /// It listens on this address.
    Listening(usize, SocketAddr),
    /// A line on its standard output.
    Line(usize, String),
    /// A warning.
    Warning(usize, String),
    /// It has ended.
    Ended(usize),
}

/// What `--crash` does to a process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Crash {
    /// It ends.
    Kill,
    /// It stops for a while.
    Pause,
    /// It goes on.
    Resume,
}

/// One of the processes.
#[derive(Debug)]
pub struct Child {
    /// Its name.
    pub name: String,
    process: Group,
    input: Option<ChildStdin>,
    /// How it has ended, after its end.
    pub ended: Option<End>,
    /// Whether this run killed it, as `--crash` requests.
    pub killed: bool,
}

impl Child {
    /// Starts the process, and the threads that read its output; they end with it, or with `closing`. `program` stands before
    /// its warnings.
    ///
    /// # Errors
    /// `start NAME: why` (exit code 2).
    ///
    /// # Panics
    /// Never: its streams are pipes.
    pub fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        (program, number): (&'static str, usize),
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
                stop.put(&sender, ChildOutput::Line(number, text(&line)));
            }
            stop.put(&sender, ChildOutput::Ended(number));
        };
        let (sender, stop) = (outputs.clone(), closing.clone());
        let read_err = move || {
            let mut lines = Lines::new(err, LONGEST_LINE);
            while let Ok(Some(line)) = lines.next(&stop) {
                stop.put(&sender, status(program, number, &line));
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
    pub fn write(&mut self, line: &str) {
        if let Some(input) = &mut self.input
            && input.write_all(format!("{line}\n").as_bytes()).is_err()
        {
            self.input = None;
        }
    }

    /// Does to it what `--crash` requests, unless it has ended.
    pub fn crash(&mut self, crash: Crash) {
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
    pub fn reap(&mut self) {
        if self.ended.is_none() {
            self.ended = self.process.wait().ok().map(End::from);
        }
    }

    /// How it ended, in words; None when it ended with exit code 0.
    pub fn unexpected(&self) -> Option<String> {
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

/// A line on standard error: the ready line, or a warning.
fn status(program: &str, number: usize, line: &Line) -> ChildOutput {
    let text = text(line);
    let address = text.strip_prefix("listening on ").map(str::parse);
    match address {
        Some(Ok(address)) => ChildOutput::Listening(number, address),
        _ => {
            let warning = text.strip_prefix(program);
            let warning = warning.and_then(|text| text.strip_prefix(": "));
            ChildOutput::Warning(number, warning.unwrap_or(&text).to_owned())
        }
    }
}
