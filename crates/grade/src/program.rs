//! One start of a submission: its processes, what it prints, the limits at which it is ended.

use std::{
    io::{self, Read, Write},
    process::{ChildStdin, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use common::{
    exit::why,
    sys::{
        process_table,
        processes::{
            self, Ending, FILE_TOO_LONG, Group, KILLED, NO_MARKS, is_no_command, signal_name,
        },
        sandbox::{has_refused, output},
    },
    text::visible,
};

pub use common::sys::processes::End as Ended;

use crate::{
    limits::{Limits, Processes},
    requirement::{Finding, Limit, Status},
    sandbox::{Isolation, Walls},
    start::{Start, mark},
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

/// How a submission ended, in words.
pub fn words(end: Ended) -> String {
    match end {
        Ended::Code(_) => format!("it ended with {end}"),
        Ended::Signal(signal) => {
            let name = signal_name(signal).unwrap_or("a signal");
            format!("it was ended by {name}")
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
    /// Its processes, until they have ended.
    running: Option<Group>,
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
    /// Starts the command in an inner sandbox. Its standard output is a terminal where the system has one for it, so that every
    /// language prints a line at once; its standard input is a pipe.
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
        let (reader, writer) = output()?;
        let mut command = walls.inner(&words);
        command
            .stdin(Stdio::piped())
            .stdout(writer)
            .stderr(Stdio::piped());
        // With the command goes the last descriptor of the output's other end that is not the submission's.
        let (group, streams) = Group::start(command)?;
        let (process, ending) = (group.id(), group.ending());
        let shared = Arc::new(Shared::default());
        shared.lock().running = Some(group);
        let mut program = Self {
            process,
            stdin: streams.stdin,
            shared: Arc::clone(&shared),
            threads: Vec::new(),
            walls: walls.clone(),
            limits,
        };
        let out = Arc::clone(&shared);
        program.spawn("stdout", move || {
            read(reader, &out, limits.output, |state| &mut state.out);
        })?;
        if let Some(stderr) = streams.stderr {
            let err = Arc::clone(&shared);
            program.spawn("stderr", move || {
                read(stderr, &err, limits.output, |state| &mut state.err);
            })?;
        }
        let seen = walls.clone();
        let watched = Arc::clone(&shared);
        program.spawn("watch", move || watch(&watched, process, limits, &seen))?;
        program.spawn("wait", move || wait(ending, &shared))?;
        Ok(program)
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let thread = thread::Builder::new().name(name.into()).spawn(work);
        if thread.is_err() {
            end(&self.shared);
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
    ///
    /// # Errors
    /// Why the system does not say.
    pub fn strays(&self) -> Result<usize, &'static str> {
        let processes = Processes::read();
        if self.walls.isolation == Isolation::None {
            if let Some(why) = NO_MARKS {
                return Err(why);
            }
            let below = processes.descendants(self.process);
            let is_stray = |number: &u32| *number != self.process && !below.contains(number);
            let marked = processes::marked(&mark()).into_iter();
            return Ok(marked.filter(is_stray).count());
        }
        let first = processes.children(self.process);
        let below_first = first.iter().map(|first| processes.children(*first).len());
        Ok(below_first.sum::<usize>().saturating_sub(1))
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
        let is_refused =
            self.walls.group.as_deref().is_some_and(has_refused) || complained.contains(NO_PROCESS);
        let is_full = state.ended.is_some() && state.ended == FILE_TOO_LONG
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
                what: format!("{}: {}", words(ended), finding.what),
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
            Ended::Code(code) if code == 0 || is_no_command(code) => Status::NotStarted,
            _ => Status::Crash,
        };
        let what = format!("{} {}", words(ended), finding.what);
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
        end(&self.shared);
        if self.walls.isolation == Isolation::None {
            processes::kill_marked(&mark());
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
fn end(shared: &Shared) {
    // The rest of them is ended with the first one, by the sandbox; without one they are its group.
    if let Some(running) = &mut shared.lock().running {
        // An error is that it has ended, of which the wait takes note.
        let _ = running.kill();
    }
}

fn read(
    mut from: impl Read,
    shared: &Shared,
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
            end(shared);
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
            end(shared);
            state = shared.lock();
        }
    }
}

/// The limit that the processes are beyond.
fn breached(process: u32, limits: Limits, walls: &Walls) -> Option<Limit> {
    if walls.group.as_deref().is_some_and(has_refused) {
        return Some(Limit::Processes);
    }
    // Processes that fork without end are to be counted before they are many more. All that a sandbox shows are its own.
    let shown = || process_table::count() as u64;
    if walls.isolation != Isolation::None && shown() > limits.processes {
        return Some(Limit::Processes);
    }
    limits.breached(Processes::read().used_below(process, limits.memory))
}

/// Waits without taking note of the end: until the state says that it has ended, its number stays its own.
fn wait(ending: Ending, shared: &Shared) {
    loop {
        ending.wait();
        let mut state = shared.lock();
        let ended = match state.running.as_mut().map(Group::try_wait) {
            Some(Ok(None)) => continue,
            Some(Ok(Some(status))) => Ended::reported(status),
            Some(Err(_)) | None => KILLED,
        };
        state.running = None;
        state.ended = Some(ended);
        break;
    }
    shared.changed.notify_all();
}
