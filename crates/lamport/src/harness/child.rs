//! A node as a process: its start by the shell, its standard streams, and the end of its process group.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{self, Read, Write},
    mem,
    os::{
        fd::AsFd,
        unix::process::{CommandExt, ExitStatusExt},
    },
    path::PathBuf,
    process::{self, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread::{self, Scope},
    time::{Duration, Instant},
};

use common::{
    exit::{Failure, why},
    net::{Interest, Woken, wait},
    shutdown::Shutdown,
    text::visible,
    typed::{Line, Lines},
};
use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};
use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};

use super::message::LONGEST_LINE;

/// How many lines, and bytes, may wait for a node to read them; more are lost.
const MOST_WAITING: (usize, usize) = (16_384, 16 << 20);

/// How many bytes a pipe takes without waiting once it takes any (PIPE_BUF of Linux, pipe(7); 512 at least by POSIX).
const PIECE: usize = 512;

/// The environment variable by which a process is known that has left its process group.
const MARK: &str = "LAB_NODE_OF";

/// How many bytes are read at once.
const CHUNK: usize = 1 << 16;

/// The longest line on standard error, in bytes.
const LONGEST_WORDS: usize = 4096;

/// How many lines of standard error are shown of each node, and kept for the report on its end.
const SHOWN_WORDS: usize = 100;
const LAST_WORDS: usize = 8;

/// How many bytes of standard error go into the file beside the logs.
const MOST_WORDS: usize = 16 << 20;

/// How long a process that has closed its output may take to end.
const GRACE: Duration = Duration::from_millis(500);

/// How often it is asked whether it has ended.
const POLL: Duration = Duration::from_millis(2);

/// An output of a node; each with the number of the node, and of its start.
#[derive(Debug)]
pub(super) struct NodeOutput {
    pub(super) node: usize,
    pub(super) start: u64,
    pub(super) what: Output,
}

/// What it is.
#[derive(Debug)]
pub(super) enum Output {
    /// A line on standard output.
    Line(Vec<u8>),
    /// A line that is too long; nothing is read after it.
    TooLong,
    /// A line on standard error.
    Words(String),
    /// The end of standard output.
    Ended,
}

/// Why a line does not reach a node.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NotTaken {
    /// Too many lines wait for it to read them.
    Full,
    /// It has closed its standard input.
    Closed,
}

/// A node that was started.
#[derive(Debug)]
pub(super) struct Child {
    process: process::Child,
    input: Option<Sender<Arc<[u8]>>>,
    /// How many bytes wait.
    waiting: Arc<AtomicUsize>,
    last_words: Arc<Mutex<VecDeque<String>>>,
    ended: Option<ExitStatus>,
}

/// Which process of a run is started, and who hears it.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    pub(super) name: &'a str,
    pub(super) node: usize,
    pub(super) start: u64,
    pub(super) outputs: &'a Sender<NodeOutput>,
    pub(super) closing: &'a Shutdown,
    /// By what the processes of this run are known.
    pub(super) mark: &'a str,
    /// The file for its standard error.
    pub(super) words: Option<PathBuf>,
}

impl Child {
    /// Starts the command in a process group of its own, and the threads of its standard streams, which end with it or with
    /// `closing`.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        command: &str,
        place: Place<'_>,
    ) -> Result<Self, Failure> {
        let failed = |error| Failure::could_not_run(format!("start {}", place.name), why(&error));
        let mut shell = Command::new("/bin/sh");
        for (name, _) in std::env::vars_os() {
            // What this program is to do says nothing to a node that is this program too.
            if name.to_string_lossy().starts_with("LAMPORT_") || name == "LAB_CONFIG" {
                shell.env_remove(name);
            }
        }
        let mut process = shell
            .args(["-c", command])
            .process_group(0)
            .env(MARK, place.mark)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let (out, err) = (process.stdout.take(), process.stderr.take());
        let (out, err) = (out.expect("piped"), err.expect("piped"));
        let stdin = process.stdin.take().expect("piped");
        let (input, lines) = bounded(MOST_WAITING.0);
        let child = Self {
            process,
            input: Some(input),
            waiting: Arc::default(),
            last_words: Arc::default(),
            ended: None,
        };
        let Place {
            name,
            node,
            start,
            outputs,
            closing,
            words,
            ..
        } = place;
        let thread = |what: &str| thread::Builder::new().name(format!("{name}-{what}"));
        let (waiting, stop) = (Arc::clone(&child.waiting), closing.clone());
        let write_in = move || {
            let _ = feed(stdin, &lines, &waiting, &stop);
        };
        let (sender, stop) = (outputs.clone(), closing.clone());
        let output = move |what| NodeOutput { node, start, what };
        let read_out = move || {
            let _ = read_lines(out, &stop, |line| stop.put(&sender, output(line)));
            stop.put(&sender, output(Output::Ended));
        };
        let (sender, stop) = (outputs.clone(), closing.clone());
        let last_words = Arc::clone(&child.last_words);
        let append = start > 0;
        let read_err = move || {
            let mut path = words;
            let mut file = None;
            let mut lines = Lines::new(err, LONGEST_WORDS);
            let (mut shown, mut written) = (0, 0);
            while let Ok(Some(line)) = lines.next(&stop) {
                let text = match &line {
                    Line::Text(text) => visible(text),
                    Line::TooLong => format!("(a line of more than {LONGEST_WORDS} bytes)"),
                };
                // Only a node that says something has a file.
                if let Some(path) = path.take() {
                    file = words_file(path, append);
                }
                if let Some(file) = &mut file
                    && written < MOST_WORDS
                {
                    written += text.len();
                    let _ = writeln!(file, "{text}");
                }
                let mut last = last_words.lock().unwrap_or_else(PoisonError::into_inner);
                if last.len() == LAST_WORDS {
                    last.pop_front();
                }
                last.push_back(text.clone());
                drop(last);
                shown += 1;
                let text = match shown {
                    ..=SHOWN_WORDS => text,
                    _ if shown == SHOWN_WORDS + 1 => {
                        "(more on standard error, not shown; --logs FOLDER keeps it)".to_owned()
                    }
                    _ => continue,
                };
                stop.put(&sender, output(Output::Words(text)));
            }
        };
        thread("in").spawn_scoped(scope, write_in).map_err(failed)?;
        thread("out")
            .spawn_scoped(scope, read_out)
            .map_err(failed)?;
        thread("err")
            .spawn_scoped(scope, read_err)
            .map_err(failed)?;
        Ok(child)
    }

    /// Queues a line for its standard input.
    pub(super) fn write(&self, line: Arc<[u8]>) -> Result<(), NotTaken> {
        let length = line.len();
        if self.waiting.load(Relaxed) + length > MOST_WAITING.1 {
            return Err(NotTaken::Full);
        }
        self.waiting.fetch_add(length, Relaxed);
        let sent = match &self.input {
            Some(input) => input.try_send(line),
            None => return Err(NotTaken::Closed),
        };
        sent.map_err(|error| {
            self.waiting.fetch_sub(length, Relaxed);
            match error {
                TrySendError::Full(_) => NotTaken::Full,
                TrySendError::Disconnected(_) => NotTaken::Closed,
            }
        })
    }

    /// Ends its standard input once it has read what waits.
    pub(super) fn close_input(&mut self) {
        self.input = None;
    }

    /// Sends a signal to its process group.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = killpg(Pid::from_raw(self.process.id().cast_signed()), signal);
    }

    /// The last lines of its standard error.
    pub(super) fn last_words(&self) -> Vec<String> {
        let last = self
            .last_words
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        last.iter().cloned().collect()
    }

    /// Whether it has ended, or ends within a short time.
    pub(super) fn ends_soon(&mut self) -> bool {
        let until = Instant::now() + GRACE;
        loop {
            self.reap();
            if self.ended.is_some() || Instant::now() >= until {
                return self.ended.is_some();
            }
            thread::sleep(POLL);
        }
    }

    /// Whether it has ended.
    pub(super) fn has_ended(&mut self) -> bool {
        self.reap();
        self.ended.is_some()
    }

    fn reap(&mut self) {
        if self.ended.is_none() {
            self.ended = self.process.try_wait().ok().flatten();
        }
    }

    /// Its exit code, after its end.
    pub(super) fn exit_code(&self) -> Option<i32> {
        self.ended.and_then(|status| status.code())
    }

    /// How it has ended, in words.
    pub(super) fn end(&self) -> String {
        match self.ended.map(|status| (status.code(), status.signal())) {
            Some((Some(code), _)) => format!("ended with exit code {code}"),
            Some((_, Some(signal))) => format!("was ended by signal {signal}"),
            _ => "closed its standard output".to_owned(),
        }
    }

    /// Kills its process group.
    pub(super) fn kill(&mut self) {
        self.input = None;
        self.signal(Signal::SIGKILL);
        if self.ended.is_none() {
            self.ended = self.process.wait().ok();
        }
    }
}

/// No process of the group outlives the run.
impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Kills the processes of this mark that have left their process group, where the system shows the environment of processes
/// (Linux, proc(5)).
pub(super) fn kill_marked(mark: &str) {
    let mark = format!("{MARK}={mark}");
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    for entry in entries {
        let Some(number) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        let mut variables = environment.split(|byte| *byte == 0);
        if variables.any(|variable| variable == mark.as_bytes()) {
            let _ = kill(Pid::from_raw(number), Signal::SIGKILL);
        }
    }
}

/// Reads lines, each as it comes, until `take` takes no more, or one is too long.
fn read_lines(
    mut out: impl Read + AsFd,
    stop: &Shutdown,
    take: impl Fn(Output) -> bool,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    let mut pending = Vec::new();
    while wait(&out, Interest::Read, None, Some(stop))? == Woken::Ready {
        let length = match out.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if length == 0 {
            if !pending.is_empty() {
                take(Output::Line(pending));
            }
            return Ok(());
        }
        for piece in chunk[..length].split_inclusive(|byte| *byte == b'\n') {
            pending.extend_from_slice(piece);
            if pending.len() > LONGEST_LINE {
                take(Output::TooLong);
                return Ok(());
            }
            if pending.pop_if(|last| *last == b'\n').is_some() {
                pending.pop_if(|last| *last == b'\r');
                if !take(Output::Line(mem::take(&mut pending))) {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

fn words_file(path: PathBuf, append: bool) -> Option<File> {
    let mut options = File::options();
    options.create(true);
    if append {
        options.append(true);
    } else {
        options.write(true).truncate(true);
    }
    options.open(path).ok()
}

/// Writes the queued lines as fast as the node reads them.
fn feed(
    mut stdin: process::ChildStdin,
    lines: &Receiver<Arc<[u8]>>,
    waiting: &AtomicUsize,
    closing: &Shutdown,
) -> io::Result<()> {
    while let Ok(line) = lines.recv() {
        for piece in line.chunks(PIECE) {
            if wait(&stdin, Interest::Write, None, Some(closing))? != Woken::Ready {
                return Ok(());
            }
            stdin.write_all(piece)?;
        }
        waiting.fetch_sub(line.len(), Relaxed);
    }
    Ok(())
}
