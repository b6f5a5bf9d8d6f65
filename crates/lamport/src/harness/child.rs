//! A node as a process: its start by the shell, its standard streams, and the end of its process group.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Write},
    mem,
    path::PathBuf,
    process::{ChildStdin, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread::{self, Scope},
    time::{Duration, Instant},
};

use common::{
    exit::{Failure, why},
    shutdown::Shutdown,
    sys::{
        pipes::{Input, Reader, Writer},
        processes::{self, End, Group},
    },
    text::visible,
    typed::{Line, Lines},
};
use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};

use super::message::LONGEST_LINE;

/// How many lines, and bytes, may wait for a node to read them; more are lost.
const MOST_WAITING: (usize, usize) = (16_384, 16 << 20);

/// The environment variable by which a process is known that has left its group.
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
    process: Group,
    input: Option<Sender<Arc<[u8]>>>,
    /// How many bytes wait.
    waiting: Arc<AtomicUsize>,
    last_words: Arc<Mutex<VecDeque<String>>>,
    ended: Option<End>,
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
    /// Starts the command in a group of its own, and the threads of its standard streams, which end with it or with
    /// `closing`.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        command: &str,
        place: Place<'_>,
    ) -> Result<Self, Failure> {
        let failed = |error| Failure::could_not_run(format!("start {}", place.name), why(&error));
        let mut shell = processes::shell(command);
        for (name, _) in std::env::vars_os() {
            // What this program is to do says nothing to a node that is this program too.
            if name.to_string_lossy().starts_with("LAMPORT_") || name == "LAB_CONFIG" {
                shell.env_remove(name);
            }
        }
        shell
            .env(MARK, place.mark)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let (process, streams) = Group::start(shell).map_err(failed)?;
        let out = streams.stdout.expect("piped");
        let err = streams.stderr.expect("piped");
        let stdin = streams.stdin.expect("piped");
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

    /// Pauses its group.
    pub(super) fn pause(&mut self) {
        // An error is that it has ended: the run refuses pauses where the system has none.
        let _ = self.process.pause();
    }

    /// Lets its group go on after a pause.
    pub(super) fn resume(&mut self) {
        let _ = self.process.resume();
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
            self.ended = self.process.try_wait().ok().flatten().map(End::from);
        }
    }

    /// Its exit code, after its end.
    pub(super) fn exit_code(&self) -> Option<i32> {
        self.ended.and_then(End::code)
    }

    /// How it has ended, in words.
    pub(super) fn end(&self) -> String {
        match self.ended {
            Some(code @ End::Code(_)) => format!("ended with {code}"),
            Some(signal @ End::Signal(_)) => format!("was ended by {signal}"),
            None => "closed its standard output".to_owned(),
        }
    }

    /// Kills its group.
    pub(super) fn kill(&mut self) {
        self.input = None;
        // An error is that all of it has ended.
        let _ = self.process.kill();
        if self.ended.is_none() {
            self.ended = self.process.wait().ok().map(End::from);
        }
    }
}

/// No process of the group outlives the run.
impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Kills the processes of this mark that have left their group, where the system shows the environment of processes.
pub(super) fn kill_marked(mark: &str) {
    processes::kill_marked(&format!("{MARK}={mark}"));
}

/// Reads lines, each as it comes, until `take` takes no more, or one is too long.
fn read_lines(out: impl Input, stop: &Shutdown, take: impl Fn(Output) -> bool) -> io::Result<()> {
    let mut out = Reader::new(out);
    let mut chunk = vec![0; CHUNK];
    let mut pending = Vec::new();
    while let Some(length) = out.read(&mut chunk, Some(stop.wake_up()))? {
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
    stdin: ChildStdin,
    lines: &Receiver<Arc<[u8]>>,
    waiting: &AtomicUsize,
    closing: &Shutdown,
) -> io::Result<()> {
    let mut stdin = Writer::new(stdin);
    while let Ok(line) = lines.recv() {
        if !stdin.write_all(&line, closing.wake_up())? {
            return Ok(());
        }
        waiting.fetch_sub(line.len(), Relaxed);
    }
    Ok(())
}
