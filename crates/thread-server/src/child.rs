//! The process that serves one client of the model `process-per-connection`: how it is started, and what it does.

use std::{
    ffi::OsString,
    io::{self, Write},
    net::{SocketAddr, TcpStream},
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::CommandExt,
    },
    process::{Child, ChildStdout, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use common::{event::Event, shutdown::Shutdown};
use nix::{
    sys::{prctl::set_pdeathsig, signal::Signal},
    time::{ClockId, clock_gettime},
};
use serde::{Deserialize, Serialize};

use crate::{
    config::Settings,
    exchange::{Client, Service, Tell},
    tally::Outcome,
};

/// The first argument of such a process.
const ONE_CLIENT: &str = "one-client";

/// What a child is to do: its second argument, as JSON. The connection is its standard input.
#[derive(Debug, Deserialize, Serialize)]
pub struct Task {
    client: u64,
    peer: SocketAddr,
    us: SocketAddr,
    /// When the client was let in, by CLOCK_MONOTONIC, which all processes share.
    accepted: Duration,
    settings: Settings,
}

// One at a time and at once on its way: there is nothing to save by a box.
#[allow(clippy::large_enum_variant)]
/// What a child reports to its parent: a line of JSON each, on its standard output.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Report {
    /// Something happened.
    Event(Event),
    /// It has ended with the client in this way; with the time to the first byte of the answer.
    Ended(Outcome, Option<Duration>),
}

/// Starts a process for this client. Its reports come over the pipe that is returned, which is at its end when the
/// process is.
///
/// # Errors
/// When the system has no process or no descriptor left.
pub fn spawn(client: &Client, service: &Service<'_>) -> io::Result<(Child, ChildStdout)> {
    let task = Task {
        client: client.number,
        peer: client.peer,
        us: service.us,
        accepted: monotonic()?.saturating_sub(client.accepted.elapsed()),
        settings: service.settings.clone(),
    };
    // This very program, even if its file has been replaced meanwhile.
    let mut process = Command::new("/proc/self/exe")
        .arg0("thread-server")
        .arg(ONE_CLIENT)
        .arg(serde_json::to_string(&task)?)
        .stdin(OwnedFd::from(client.stream.try_clone()?))
        .stdout(Stdio::piped())
        .env_clear()
        // A group of its own: Ctrl-C in the terminal is for the parent, who lets its children finish.
        .process_group(0)
        .spawn()?;
    let reports = process
        .stdout
        .take()
        .ok_or_else(|| io::Error::other("no pipe to the child"))?;
    Ok((process, reports))
}

/// The task of this process, if it was started by [`spawn`].
pub fn task(arguments: impl IntoIterator<Item = OsString>) -> Option<Task> {
    let mut arguments = arguments.into_iter().skip(1);
    if arguments.next()? != ONE_CLIENT {
        return None;
    }
    serde_json::from_str(arguments.next()?.to_str()?).ok()
}

/// Serves the one client.
pub fn main(task: Task) -> ExitCode {
    // The server's end is the end of its children. Should the system refuse, they end with their client.
    let _ = set_pdeathsig(Signal::SIGKILL);
    match serve(&task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve(task: &Task) -> io::Result<()> {
    let waited = monotonic()?.saturating_sub(task.accepted);
    let client = Client {
        number: task.client,
        stream: TcpStream::from(io::stdin().as_fd().try_clone_to_owned()?),
        peer: task.peer,
        accepted: Instant::now()
            .checked_sub(waited)
            .unwrap_or_else(Instant::now),
    };
    let service = Service {
        us: task.us,
        settings: &task.settings,
        journal: &Pipe,
        // A child is not asked to stop: the parent ends it when the grace time is over.
        shutdown: &Shutdown::new()?,
    };
    let (outcome, first_byte) = service.serve(&client);
    service.tell_end(client.peer, &outcome);
    // The standard input is a copy of the connection, which closes when this process ends: right after this.
    Pipe.report(&Report::Ended(outcome, first_byte));
    Ok(())
}

/// The way to the parent's journal.
struct Pipe;

impl Pipe {
    fn report(&self, report: &Report) {
        // Without a parent there is nobody to report to, and the client is served all the same.
        if let Ok(mut line) = serde_json::to_vec(report) {
            line.push(b'\n');
            let mut out = io::stdout().lock();
            let _ = out.write_all(&line).and_then(|()| out.flush());
        }
    }
}

impl Tell for Pipe {
    fn tell(&self, event: Event) {
        self.report(&Report::Event(event));
    }
}

fn monotonic() -> io::Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_MONOTONIC)?.into())
}
