//! For tests: start a real binary, wait for its ready line, read what it prints, stop it.
//!
//! Nothing here sleeps to synchronise; every wait has a limit, and a program still running when its test ends is
//! killed.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    config::{CommandLine, command as command_of},
    event::{Event, Record},
    exit::Exit,
    journal::{Journal, Sinks, Style, View, Writing},
    shutdown::Shutdown,
};

/// Far longer than anything a test waits for takes, on a machine however busy.
const LIMIT: Duration = Duration::from_secs(60);

/// A program that a test started.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    out: Stream,
    err: Stream,
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

fn parse(line: &str) -> Record<'static> {
    Record::parse(line).unwrap_or_else(|error| panic!("{line}: {error}"))
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
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let err = Stream::of(child.stderr.take().expect("piped"));
        Self {
            stdin: child.stdin.take(),
            child,
            out: Stream::of(std::io::empty()),
            err,
        }
    }

    /// The same, with nobody at the other end of its standard output.
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

    /// Types on its standard input.
    pub fn type_in(&mut self, text: impl AsRef<[u8]>) {
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
        let deadline = Instant::now() + LIMIT;
        loop {
            while let Some(end) = self.seen[self.searched..].find('\n') {
                let line = self.seen[self.searched..self.searched + end].to_owned();
                self.searched += end + 1;
                if is_it(&line, wanted) {
                    return line;
                }
            }
            assert!(
                self.more(deadline),
                "it ended without a line {wanted:?}: {:?}",
                self.seen
            );
        }
    }

    fn rest(&mut self) -> &str {
        let deadline = Instant::now() + LIMIT;
        while self.more(deadline) {}
        &self.seen
    }
}

/// A folder that is gone when the test is.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A new, empty folder.
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "lab-test-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    /// The path of a file in it, as an argument of a command.
    pub fn path(&self, name: &str) -> String {
        self.0
            .join(name)
            .to_str()
            .expect("a temporary folder has a plain name")
            .to_owned()
    }

    /// Writes a file in it and returns its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, content).expect("a temporary file");
        path
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Reads an event log, and checks that its numbers run from 0 without a gap.
pub fn read_log(path: impl AsRef<Path>) -> Vec<Record<'static>> {
    let text = fs::read_to_string(&path).expect("a log");
    let records: Vec<_> = text.lines().map(parse).collect();
    assert!(
        (0..records.len() as u64).eq(records.iter().map(|record| record.seq)),
        "no gap in seq"
    );
    records
}

/// Compares a text with the recorded one at `path`; `UPDATE_SNAPSHOTS=1` records it.
pub fn snapshot(path: impl AsRef<Path>, text: &str) {
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, text).expect("a snapshot that can be written");
    }
    let recorded = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        recorded == text,
        "{} differs, UPDATE_SNAPSHOTS=1 records it:\n{text}",
        path.as_ref().display()
    );
}

/// Waits for something that announces itself in no other way than by being there.
pub fn wait_for<T>(mut there: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(value) = there() {
            return value;
        }
        assert!(Instant::now() < deadline, "not there within {LIMIT:?}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// A journal for calling a program's library directly: what it prints is kept.
#[derive(Debug)]
pub struct Told {
    /// Where the library tells what happens.
    pub journal: Journal,
    /// What the library is stopped with.
    pub shutdown: Shutdown,
    writing: Writing,
    log: Folder,
}

impl Told {
    /// A journal that shows events with `view`.
    pub fn new(view: View) -> Self {
        let (shutdown, log) = (Shutdown::new().expect("descriptors"), Folder::new());
        let style = Style {
            program: "test",
            node: "test".into(),
            run: "test".into(),
            json: false,
            quiet: false,
            colour: false,
        };
        let path = PathBuf::from(log.path("log"));
        let file = fs::File::create(&path).expect("a temporary file");
        let sinks = Sinks {
            out: Box::new(std::io::sink()),
            err: Box::new(std::io::sink()),
            log: Some((path, file)),
        };
        let (journal, writing) =
            Journal::start(style, sinks, view, shutdown.clone()).expect("a thread");
        Self {
            journal,
            shutdown,
            writing,
            log,
        }
    }

    /// All events, when the library is done.
    pub fn events(self) -> Vec<Event> {
        assert_eq!(self.writing.finish(), Ok(Exit::Done));
        read_log(self.log.path("log"))
            .into_iter()
            .map(|record| record.event)
            .collect()
    }
}

/// Runs a shell script in a network namespace of its own, which has nothing but loopback, with the handout's
/// multicast route on it; fixed ports collide with nobody there. None when the machine has no namespaces for us.
pub fn in_namespace(script: &str, variables: &[(&str, &str)]) -> Option<Finished> {
    const LOOPBACK: &str =
        "ip link set lo up; ip route add 224.0.0.0/4 dev lo src 127.0.0.1; cd $FOLDER\n";
    let unshare = || {
        Command::new("unshare")
            .args(["-rn", "true"])
            .stderr(Stdio::null())
            .status()
    };
    if !have_program("ip")
        || !have(
            "unshare -rn",
            unshare().is_ok_and(|status| status.success()),
        )
    {
        return None;
    }
    let folder = Folder::new();
    let mut command = Command::new("unshare");
    command.args(["-rn", "sh", "-eu", "-c", &format!("{LOOPBACK}{script}")]);
    for (name, _) in std::env::vars_os() {
        let ours = ["THREAD_", "MCAST_", "NAMING_", "LAMPORT_", "LAB_"];
        if ours
            .iter()
            .any(|ours| name.to_string_lossy().starts_with(ours))
        {
            command.env_remove(name);
        }
    }
    command
        .env("FOLDER", &folder.0)
        .envs(variables.iter().copied());
    Some(Running::start(command).finish())
}

/// Runs a shell script as [`in_namespace`] does. In it `$PEERS` is the folder of Python programs to talk to: once
/// the project's, and once `$LAB_HANDOUT` where that is set.
pub fn with_python_peers(script: &str, variables: &[(&str, &str)]) -> Vec<Finished> {
    if !have_program("python3") {
        return Vec::new();
    }
    let ours = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/peers"));
    let peers = [
        Some(ours),
        std::env::var_os("LAB_HANDOUT").map(PathBuf::from),
    ];
    let run = |peers: PathBuf| {
        let peers = peers.canonicalize().expect("the folder of peers");
        let peers = ("PEERS", peers.to_str().expect("a plain name"));
        in_namespace(script, &[&[peers], variables].concat())
    };
    peers.into_iter().flatten().filter_map(run).collect()
}

/// Checks a program's flags with clap's own assertions, and its `--help` against the recorded text at `path`.
pub fn check_command_line<C: CommandLine>(program: &str, path: &str) {
    command_of::<C>().debug_assert();
    let finished = run(program, &["--help"]);
    assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""));
    assert!(
        finished.out.contains("Examples:")
            && finished.out.lines().all(|line| line.chars().count() <= 125)
    );
    snapshot(path, &finished.out);
}

/// Checks that the program refuses each of these command lines with exit code 2 and one line, which begins with the
/// program's name and what stands beside the command line.
pub fn check_refusals(path: &str, refused: &[(&[&str], &str)]) {
    let program = Path::new(path)
        .file_name()
        .and_then(OsStr::to_str)
        .expect("a program");
    for (arguments, what) in refused {
        let finished = run(path, arguments);
        assert_eq!(
            (finished.code, finished.out.as_str()),
            (Some(2), ""),
            "{arguments:?}"
        );
        let line = format!("{program}: {what}");
        assert!(finished.err.starts_with(&line), "{line}\n{}", finished.err);
        assert_eq!(finished.err.lines().count(), 1, "{}", finished.err);
    }
}

/// Whether this machine has what a test needs. If not, the test says `skipped: WHY` and passes, unless
/// `LAB_NO_SKIP` is set, as it is where everything is installed.
pub fn have(what: &str, there: bool) -> bool {
    if !there {
        assert!(
            std::env::var_os("LAB_NO_SKIP").is_none(),
            "skipped: {what} not found, and LAB_NO_SKIP is set"
        );
        // Not by a macro: the test runner would hide what a passing test says. On a line of its own, whatever the
        // runner has begun.
        let _ = std::io::stderr().write_all(format!("\nskipped: {what} not found\n").as_bytes());
    }
    there
}

/// Whether a program can be started, for [`have`].
pub fn have_program(name: &str) -> bool {
    let search = std::env::var_os("PATH").unwrap_or_default();
    have(
        name,
        std::env::split_paths(&search).any(|folder| folder.join(name).is_file()),
    )
}
