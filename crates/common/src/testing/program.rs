//! Starts a real binary, waits for its ready line, reads what it prints, and stops it.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Instant,
};

use super::{files::parse, waiting::LIMIT, words::banned_word};
use crate::{config::PROGRAMS, event::Event};

/// A program that a test started.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    out: Stream,
    err: Stream,
    /// What the test sent to one of our programs, whose words it may print; None where its words are not checked.
    sent: Option<String>,
}

/// What a program left when it ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Finished {
    /// The exit code; None when a signal ended it.
    pub code: Option<i32>,
    /// All of its standard output.
    pub out: String,
    /// All of its standard error.
    pub err: String,
}

impl Finished {
    /// The events that it printed, when it was asked for `--json`.
    pub fn events(&self) -> Vec<Event> {
        let lines = self.out.lines();
        lines.map(|line| parse(line).event).collect()
    }

    /// The last of them, which sums up.
    pub fn last_event(&self) -> Event {
        self.events().pop().unwrap_or_else(|| panic!("{self:?}"))
    }
}

/// A command for the program at `path` (`env!("CARGO_BIN_EXE_…")`) that takes nothing from the test's environment.
pub fn command(path: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(path);
    command.args(arguments).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// Starts the program and lets it run.
pub fn start(path: impl AsRef<OsStr>, arguments: &[&str]) -> Running {
    Running::start(command(path, arguments))
}

/// Runs the program to its end, with nothing on its standard input.
pub fn run(path: impl AsRef<OsStr>, arguments: &[&str]) -> Finished {
    let mut running = start(path, arguments);
    running.close_stdin();
    running.finish()
}

impl Running {
    /// Starts a command with its three streams in the test's hands.
    pub fn start(command: Command) -> Self {
        let mut running = Self::start_unread(command);
        running.out = Stream::of(running.child.stdout.take().expect("piped"));
        running
    }

    fn start_unread(mut command: Command) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let name = Path::new(command.get_program()).file_name();
        let name = name.and_then(OsStr::to_str).unwrap_or_default();
        let arguments = command.get_args().map(OsStr::to_string_lossy);
        let sent = arguments.collect::<Vec<_>>().join(" ");
        let sent = PROGRAMS.contains(&name).then_some(sent);
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let err = Stream::of(child.stderr.take().expect("piped"));
        Self {
            stdin: child.stdin.take(),
            child,
            out: Stream::of(std::io::empty()),
            err,
            sent,
        }
    }

    /// The same, with no reader of its standard output.
    pub fn start_with_closed_out(command: Command) -> Self {
        let mut running = Self::start_unread(command);
        drop(running.child.stdout.take());
        running
    }

    /// Waits for the ready line `listening on ADDRESS` and returns the address.
    pub fn ready(&mut self) -> SocketAddr {
        let line = self.err_line("listening on ");
        let words = line.trim_start_matches("listening on ");
        let end = words.find([',', ' ']).unwrap_or(words.len());
        words[..end]
            .parse()
            .unwrap_or_else(|_| panic!("no address in {line:?}"))
    }

    /// Waits for a line of standard output that begins so.
    pub fn out_line(&mut self, beginning: &str) -> String {
        self.out
            .line(beginning, |line, beginning| line.starts_with(beginning))
    }

    /// Waits for a line of standard output with this in it.
    pub fn out_line_with(&mut self, part: &str) -> String {
        self.out.line(part, |line, part| line.contains(part))
    }

    /// Waits for a line of standard error with this in it.
    pub fn err_line_with(&mut self, part: &str) -> String {
        self.err.line(part, |line, part| line.contains(part))
    }

    /// Waits for a line of standard error that begins so.
    pub fn err_line(&mut self, beginning: &str) -> String {
        self.err
            .line(beginning, |line, beginning| line.starts_with(beginning))
    }

    /// Waits for a line of standard error that begins so, or for the end of all of it.
    pub fn err_line_or_end(&mut self, beginning: &str) -> Option<String> {
        self.err
            .line_or_end(beginning, |line, beginning| line.starts_with(beginning))
    }

    /// It may print any words: those of a file or of a peer that the test has made.
    #[must_use]
    pub fn with_any_words(mut self) -> Self {
        self.sent = None;
        self
    }

    /// Types on its standard input.
    pub fn type_in(&mut self, text: impl AsRef<[u8]>) {
        if let Some(sent) = &mut self.sent {
            sent.push_str(&String::from_utf8_lossy(text.as_ref()));
        }
        self.stdin
            .as_mut()
            .expect("its input is open")
            .write_all(text.as_ref())
            .expect("it reads its input");
    }

    /// Ends its standard input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Its process number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has printed by now a line on standard error that begins with these words; waits for nothing.
    pub fn has_err_line(&mut self, wanted: &str) -> bool {
        self.err.has(wanted)
    }

    /// Sends it a signal by name: `INT`, `TERM`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status();
        assert!(status.expect("kill is part of every Unix").success());
    }

    /// Interrupts it and waits for its end.
    pub fn interrupt(self) -> Finished {
        self.signal("INT");
        self.finish()
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Finished {
        let out = self.out.rest().to_owned();
        let err = self.err.rest().to_owned();
        if let Some(sent) = self.sent.take() {
            let mut lines = out.lines().chain(err.lines());
            let banned = lines.find_map(|line| Some((banned_word(line)?, line)));
            if let Some((word, line)) = banned {
                assert!(
                    sent.contains(word),
                    "it prints the banned word {word:?}: {line}"
                );
            }
        }
        // Both streams are at their end, so the process is at its own.
        Finished {
            code: self.child.wait().expect("a child of this process").code(),
            out,
            err,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One of a program's outputs, read by a thread of its own so that the program never waits for the test.
#[derive(Debug)]
struct Stream {
    lines: Receiver<String>,
    seen: String,
    /// Where the search for the next line begins.
    searched: usize,
}

impl Stream {
    fn of(stream: impl Read + Send + 'static) -> Self {
        // Without a bound: the program must never wait for a test that reads later.
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader
                .read_until(b'\n', &mut line)
                .is_ok_and(|length| length > 0)
            {
                if sender
                    .send(String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned())
                    .is_err()
                {
                    break;
                }
            }
        });
        Self {
            lines,
            seen: String::new(),
            searched: 0,
        }
    }

    /// Reads on; whether there was more before the deadline.
    fn more(&mut self, deadline: Instant) -> bool {
        match self
            .lines
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            Ok(line) => self.seen.push_str(&line),
            Err(RecvTimeoutError::Disconnected) => return false,
            Err(RecvTimeoutError::Timeout) => {
                panic!("nothing more within {LIMIT:?} after {:?}", self.seen)
            }
        }
        true
    }

    fn line(&mut self, wanted: &str, is_it: impl Fn(&str, &str) -> bool) -> String {
        self.line_or_end(wanted, is_it)
            .unwrap_or_else(|| panic!("it ended without a line {wanted:?}: {:?}", self.seen))
    }

    fn line_or_end(&mut self, wanted: &str, is_it: impl Fn(&str, &str) -> bool) -> Option<String> {
        let deadline = Instant::now() + LIMIT;
        loop {
            while let Some(end) = self.seen[self.searched..].find('\n') {
                let line = self.seen[self.searched..self.searched + end].to_owned();
                self.searched += end + 1;
                if is_it(&line, wanted) {
                    return Some(line);
                }
            }
            if !self.more(deadline) {
                return None;
            }
        }
    }

    /// Whether a line that begins with these words is among what has been printed by now.
    fn has(&mut self, wanted: &str) -> bool {
        self.seen.extend(self.lines.try_iter());
        self.seen.lines().any(|line| line.starts_with(wanted))
    }

    fn rest(&mut self) -> &str {
        let deadline = Instant::now() + LIMIT;
        while self.more(deadline) {}
        &self.seen
    }
}
