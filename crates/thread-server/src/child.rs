//! The process that serves one client of the model `process-per-connection`: how it is started, and what it does.

use std::{
    ffi::OsString,
    io::{self, Write},
    net::SocketAddr,
    process::{Child, ChildStdout, ExitCode},
    time::{Duration, Instant},
};

use common::{
    event::Event,
    shutdown::Shutdown,
    sys::{clock, hand_over},
};
use serde::{Deserialize, Serialize};

use crate::{
    client::Client,
    config::Settings,
    context::{Context, Recorder},
    exchange::Exchange,
    handout::handle_client,
    outcome::Outcome,
};

/// The first argument of such a process.
const ONE_CLIENT: &str = "one-client";

/// What a child needs to know: its second argument, as JSON. The connection is its standard input.
#[derive(Debug, Deserialize, Serialize)]
pub struct Task {
    client: u64,
    peer: SocketAddr,
    server: SocketAddr,
    /// When the client was accepted, by the clock of all processes.
    accepted: Duration,
    settings: Settings,
}

// One at a time, and serialised at once: a box saves nothing.
#[allow(clippy::large_enum_variant)]
/// What a child reports to its parent: each a line of JSON, on its standard output.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Report {
    /// An event.
    Event(Event),
    /// The end of the exchange, with the time from the accept to the first byte of the reply.
    Ended(Outcome, Option<Duration>),
}

/// Starts a process for this client. Its reports come over the pipe that is returned, which ends with the process.
///
/// # Errors
/// When the system has no process or no descriptor left.
pub fn spawn(client: &Client<'_>) -> io::Result<(Child, ChildStdout)> {
    let exchange = &client.exchange;
    let task = Task {
        client: client.number,
        peer: exchange.peer(),
        server: exchange.context().address,
        accepted: clock::of_all_processes()?.saturating_sub(exchange.accepted().elapsed()),
        settings: exchange.context().settings.clone(),
    };
    let task = serde_json::to_string(&task)?;
    hand_over::start(["thread-server", ONE_CLIENT, &task], exchange.stream())
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
    hand_over::end_with_parent();
    match serve(&task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve(task: &Task) -> io::Result<()> {
    let waited = clock::of_all_processes()?.saturating_sub(task.accepted);
    let accepted = Instant::now()
        .checked_sub(waited)
        .unwrap_or_else(Instant::now);
    // A child is never asked to stop: the parent kills it when the grace time is over.
    let shutdown = Shutdown::new()?;
    let context = Context {
        address: task.server,
        settings: &task.settings,
        recorder: &ReportPipe,
        shutdown: &shutdown,
    };
    // A copy of the connection: the connection closes when this process ends, right after this.
    let stream = hand_over::connection()?;
    let exchange = Exchange::new(&context, stream, task.peer, accepted);
    handle_client(&mut Client::new(task.client, exchange));
    Ok(())
}

/// The pipe to the parent, which records and counts what is reported over it.
#[derive(Debug)]
struct ReportPipe;

impl ReportPipe {
    fn write(&self, report: &Report) {
        // Without a parent no process reads the reports, and the client is served all the same.
        if let Ok(mut line) = serde_json::to_vec(report) {
            line.push(b'\n');
            let mut out = io::stdout().lock();
            let _ = out.write_all(&line).and_then(|()| out.flush());
        }
    }
}

impl Recorder for ReportPipe {
    fn record(&self, event: Event) {
        self.write(&Report::Event(event));
    }

    fn count(&self, outcome: &Outcome, first_byte: Option<Duration>) {
        self.write(&Report::Ended(outcome.clone(), first_byte));
    }
}
