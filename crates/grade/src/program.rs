//! One start of a submission: its processes, what it prints, the limits at which it is ended.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    process::{Child, ChildStdin, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use common::{exit::why, text::visible};
use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    pty::openpty,
    sys::{
        signal::{Signal, kill},
        termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr},
        wait::{Id, WaitPidFlag, waitid},
    },
    unistd::Pid,
};

use crate::{
    cgroup,
    limits::{self, Limits, Processes},
    requirement::{Finding, Limit, Status},
    sandbox::{Isolation, Walls},
    start::{self, Start},
};

/// How often the processes are counted.
const WATCH: Duration = Duration::from_millis(20);
/// How long it may take until a process that has closed its connections is seen to have ended.
const ENDING: Duration = Duration::from_millis(300);
/// How much of an output is kept.
const KEPT: usize = 256 << 10;

/// What a program says that was refused a process (EAGAIN).
const NO_PROCESS: &str = "Resource temporarily unavailable";

/// What a program says that was refused room on a disk (EFBIG, ENOSPC).
const NO_ROOM: [&str; 2] = ["File too large", "No space left on device"];

/// How a submission ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Ended {
    /// The same in words.
    pub fn words(self) -> String {
        match self {
            Self::Code(code) => format!("it ended with exit code {code}"),
            Self::Signal(signal) => {
                let name = Signal::try_from(signal).map_or("a signal", Signal::as_str);
                format!("it was ended by {name}")
            }
        }
    }
}

/// An output: its beginning, and how much there was.
#[derive(Debug, Default)]
struct Output {
    kept: Vec<u8>,
    length: u64,
    is_closed: bool,
}

#[derive(Debug, Default)]
struct State {
    out: Output,
    err: Output,
    ended: Option<Ended>,
    breached: Option<Limit>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A submission that runs, or has ended.
#[derive(Debug)]
pub struct Program {
    process: u32,
    stdin: Option<ChildStdin>,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    walls: Walls,
    limits: Limits,
}

impl Program {
    /// Starts the command in an inner sandbox. Its standard output is a terminal, so that every language prints a line at
    /// once; its standard input is a pipe.
    ///
    /// # Errors
    /// When the grader cannot start it.
    pub fn start(walls: &Walls, limits: Limits, command: &str) -> Result<Self, Finding> {
        Self::try_start(walls, limits, command).map_err(|error| {
            Finding::grader(format!("the sandbox cannot be started: {}", why(&error)))
        })
    }

    fn try_start(walls: &Walls, limits: Limits, command: &str) -> io::Result<Self> {
        let words = Start::of(command, walls, limits).words(walls)?;
        let terminal = openpty(None, None)?;
        for side in [&terminal.master, &terminal.slave] {
            fcntl(side, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        }
        let mut modes = tcgetattr(&terminal.slave)?;
        cfmakeraw(&mut modes);
        tcsetattr(&terminal.slave, SetArg::TCSANOW, &modes)?;
        let mut command = walls.inner(&words);
        command
            .stdin(Stdio::piped())
            .stdout(terminal.slave)
            .stderr(Stdio::piped());
        let mut child = command.spawn()?;
        // With it goes the last descriptor of the terminal's other side that is not the submission's.
        drop(command);
        let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
        let shared = Arc::new(Shared::default());
        let process = child.id();
        let mut program = Self {
            process,
            stdin,
            shared: Arc::clone(&shared),
            threads: Vec::new(),
            walls: walls.clone(),
            limits,
        };
        let out = Arc::clone(&shared);
        let master = File::from(terminal.master);
        program.spawn("stdout", move || {
            read(master, &out, process, limits.output, |state| &mut state.out);
        })?;
        if let Some(stderr) = stderr {
            let err = Arc::clone(&shared);
            program.spawn("stderr", move || {
                read(stderr, &err, process, limits.output, |state| &mut state.err);
            })?;
        }
        let seen = walls.clone();
        let watched = Arc::clone(&shared);
        program.spawn("watch", move || watch(&watched, process, limits, &seen))?;
        program.spawn("wait", move || wait(child, &shared))?;
        Ok(program)
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let thread = thread::Builder::new().name(name.into()).spawn(work);
        if thread.is_err() {
            end(&self.shared, self.process);
        }
        self.threads.push(thread?);
        Ok(())
    }

    /// What it has printed on standard output.
    pub fn printed(&self) -> String {
        String::from_utf8_lossy(&self.shared.lock().out.kept).into_owned()
    }

    /// What it has printed on standard error.
    pub fn complained(&self) -> String {
        String::from_utf8_lossy(&self.shared.lock().err.kept).into_owned()
    }

    /// Waits until what it prints is as it should be, at most until the deadline or the end of its output; whether it is.
    pub fn wait_printed(&self, deadline: Instant, is_it: impl Fn(&str) -> bool) -> bool {
        let mut found = false;
        self.wait_until(deadline, |state| {
            found = is_it(&String::from_utf8_lossy(&state.out.kept));
            found || (state.out.is_closed && state.ended.is_some())
        });
        found
    }

    /// Waits for its end and for all that it has printed.
    pub fn wait_ended(&self, deadline: Instant) -> Option<Ended> {
        self.wait_until(deadline, |state| {
            state.ended.is_some() && state.out.is_closed && state.err.is_closed
        });
        self.ended()
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Option<Ended> {
        self.shared.lock().ended
    }

    fn wait_until(&self, deadline: Instant, mut is_done: impl FnMut(&State) -> bool) {
        let mut state = self.shared.lock();
        while !is_done(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Types on its standard input; nothing where it does not read it.
    pub fn type_in(&mut self, text: &str) {
        if let Some(stdin) = &mut self.stdin {
            // Of a submission that has ended another wait says so.
            let _ = stdin
                .write_all(text.as_bytes())
                .and_then(|()| stdin.flush());
        }
    }

    /// Ends its standard input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Processes that have left their parent, as a daemon does: the sandbox's first process has become theirs, or, without a
    /// sandbox, a process of the machine.
    pub fn strays(&self) -> usize {
        let processes = Processes::read();
        if self.walls.isolation == Isolation::None {
            let below = processes.descendants(self.process);
            let is_stray = |number: &u32| *number != self.process && !below.contains(number);
            return marked().filter(is_stray).count();
        }
        let first = processes.children(self.process);
        let below_first = first.iter().map(|first| processes.children(*first).len());
        below_first.sum::<usize>().saturating_sub(1)
    }

    /// The finding, or what explains it: that the submission has ended, or was ended at a limit.
    #[must_use]
    pub fn explain(&self, finding: Finding) -> Finding {
        if finding.status == Status::GraderFault {
            return finding;
        }
        let is_over = |state: &State| state.ended.is_some() && state.err.is_closed;
        // A connection that a dying process leaves behind is seen before its end is.
        self.wait_until(Instant::now() + ENDING, is_over);
        let stderr = self.last_words();
        let state = self.shared.lock();
        // The watch may not have had its turn yet. Where the kernel refuses processes of the sandbox's user, the submission
        // says so itself.
        let complained = String::from_utf8_lossy(&state.err.kept);
        let is_refused = self.walls.group.as_deref().is_some_and(cgroup::has_refused)
            || complained.contains(NO_PROCESS);
        let is_full = state.ended == Some(Ended::Signal(Signal::SIGXFSZ as i32))
            || state.ended.is_some() && NO_ROOM.iter().any(|text| complained.contains(text));
        let breached = state
            .breached
            .or(is_refused.then_some(Limit::Processes))
            .or(is_full.then_some(Limit::Disk));
        match (breached, state.ended) {
            (Some(limit), _) => Finding {
                status: Status::Crash,
                what: format!("it was ended: {}", self.limits.words(limit)),
                limit: Some(limit),
                stderr: None,
                ..finding
            },
            (None, Some(ended)) => Finding {
                status: Status::Crash,
                what: format!("{}: {}", ended.words(), finding.what),
                stderr,
                ..finding
            },
            (None, None) => Finding { stderr, ..finding },
        }
    }

    /// The finding of a submission that has ended when it had only begun: `what` says before what. One that its shell does not
    /// find, or that ends as if it were done, has not started.
    #[must_use]
    pub fn explain_end(&self, ended: Ended, finding: Finding) -> Finding {
        let status = match ended {
            Ended::Code(0 | 126 | 127) => Status::NotStarted,
            _ => Status::Crash,
        };
        let what = format!("{} {}", ended.words(), finding.what);
        let explained = self.explain(finding);
        match explained.limit {
            Some(_) => explained,
            None => Finding {
                status,
                what,
                ..explained
            },
        }
    }

    /// The last line of its standard error that says something, made safe to show.
    pub fn last_words(&self) -> Option<Box<str>> {
        let state = self.shared.lock();
        let text = visible_lines(&state.err.kept);
        let last = text.into_iter().rev().find(|line| !line.trim().is_empty());
        last.map(|line| line.chars().take(300).collect::<String>().into_boxed_str())
    }

    /// The limit at which it was ended, if it was.
    pub fn breached(&self) -> Option<Limit> {
        self.shared.lock().breached
    }

    /// Ends it and all its processes, and waits for that.
    pub fn end(mut self) {
        self.end_now();
    }

    fn end_now(&mut self) {
        end(&self.shared, self.process);
        if self.walls.isolation == Isolation::None {
            end_marked();
        }
        self.stdin = None;
        for thread in self.threads.drain(..) {
            // A panic there has been reported by the panic hook already.
            let _ = thread.join();
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end_now();
    }
}

/// The lines of an output, made safe to show.
fn visible_lines(bytes: &[u8]) -> Vec<String> {
    bytes
        .split(|byte| *byte == b'\n')
        .map(|line| visible(line.trim_ascii_end()))
        .collect()
}

/// Ends the processes, unless they have ended: their number may be another process's then.
fn end(shared: &Shared, process: u32) {
    let state = shared.lock();
    if state.ended.is_none() {
        // The rest of them is ended with the first one, by the sandbox; without one they are its process group.
        let number = Pid::from_raw(process.cast_signed());
        let _ = kill(Pid::from_raw(-process.cast_signed()), Signal::SIGKILL);
        let _ = kill(number, Signal::SIGKILL);
    }
}

/// Ends what a submission without a sandbox has left: processes that have its mark in their environment.
fn end_marked() {
    for number in marked() {
        let _ = kill(Pid::from_raw(number.cast_signed()), Signal::SIGKILL);
    }
}

/// The processes that have the mark of a submission in their environment.
fn marked() -> impl Iterator<Item = u32> {
    let mark = start::mark();
    limits::numbers().filter(move |number| {
        let environment = fs::read(format!("/proc/{number}/environ")).unwrap_or_default();
        let mut entries = environment.split(|byte| *byte == 0);
        entries.any(|entry| entry == mark.as_bytes())
    })
}

fn read(
    mut from: impl Read,
    shared: &Shared,
    process: u32,
    limit: u64,
    output: impl Fn(&mut State) -> &mut Output,
) {
    let mut buffer = [0; 16 << 10];
    loop {
        // A terminal whose other side is closed gives EIO.
        let length = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        let mut state = shared.lock();
        let output = output(&mut state);
        let room = KEPT.saturating_sub(output.kept.len());
        output.kept.extend(&buffer[..length.min(room)]);
        output.length += length as u64;
        if output.length > limit && state.breached.is_none() {
            state.breached = Some(Limit::Output);
            drop(state);
            end(shared, process);
        }
        shared.changed.notify_all();
    }
    output(&mut shared.lock()).is_closed = true;
    shared.changed.notify_all();
}

fn watch(shared: &Shared, process: u32, limits: Limits, walls: &Walls) {
    let mut state = shared.lock();
    while state.ended.is_none() {
        let waited = shared
            .changed
            .wait_timeout_while(state, WATCH, |state| state.ended.is_none());
        drop(waited);
        let breached = breached(process, limits, walls);
        state = shared.lock();
        if let (Some(limit), None) = (breached, state.breached) {
            state.breached = Some(limit);
            drop(state);
            end(shared, process);
            state = shared.lock();
        }
    }
}

/// The limit that the processes are beyond.
fn breached(process: u32, limits: Limits, walls: &Walls) -> Option<Limit> {
    if walls.group.as_deref().is_some_and(cgroup::has_refused) {
        return Some(Limit::Processes);
    }
    // Processes that fork without end are to be counted before they are many more. All that a sandbox shows are its own.
    let shown = || limits::numbers().count() as u64;
    if walls.isolation != Isolation::None && shown() > limits.processes {
        return Some(Limit::Processes);
    }
    limits.breached(Processes::read().used_below(process, limits.memory))
}

fn wait(mut child: Child, shared: &Shared) {
    let number = Id::Pid(Pid::from_raw(child.id().cast_signed()));
    // Without reaping it: until the state says that it has ended, its number stays its own.
    let _ = waitid(number, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
    let mut state = shared.lock();
    let status = child.wait();
    let code = status.ok().and_then(|status| status.code());
    state.ended = Some(match code {
        // A shell and the sandbox report a signal so.
        Some(code) if code > 128 => Ended::Signal(code - 128),
        Some(code) => Ended::Code(code),
        None => Ended::Signal(Signal::SIGKILL as i32),
    });
    drop(state);
    shared.changed.notify_all();
}
