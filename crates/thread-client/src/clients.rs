//! Many clients at once, a thread each, and one summary.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Instant,
};

use common::{
    capacity::{self, Cost},
    event::{Event, Level},
    exit::{Exit, Failure, Summary},
    shutdown::Shutdown,
    text::{plural, whole_micros},
};
use crossbeam::channel::bounded;

use crate::{
    client::{Client, Recorder},
    handout,
    report::{failures, reason},
};

/// The stack of a client's thread: it holds two messages and a few events, and the rest of std's 2 MiB would only be
/// reserved.
pub const STACK: usize = capacity::stack(64 * 1024);

/// Checks that the system has room for this many clients at once, each a thread with a connection.
///
/// # Errors
/// `--clients N: there is room for M: LIMIT` (exit code 2).
pub fn check_room(clients: usize) -> Result<(), Failure> {
    let thread = Cost::thread(STACK);
    let client = Cost {
        // A socket in the kernel, and the other end of it where the server is on this machine.
        memory: thread.memory + 16 * 1024,
        ..thread
    };
    let what = format!("--clients {clients}");
    capacity::descriptors().require(clients, &what)?;
    capacity::room(&client).require(clients, &what)
}

/// The failure when the thread of this number could not be started, and so no client was.
pub fn no_thread(number: usize, clients: usize, error: &io::Error) -> Failure {
    let flag = format_args!("--clients {clients}");
    capacity::no_thread(flag, format_args!("client {number}"), error)
}

/// Runs the client, or as many as the settings say, all at once: one exchange each.
///
/// # Errors
/// When the system has no room for them (exit code 2). Clients that fail are counted by kind in the summary (exit code
/// 1); the failure of a single one is recorded too.
pub fn run(client: Client<'_>, recorder: &dyn Recorder) -> Result<Summary, Failure> {
    let Client {
        settings, shutdown, ..
    } = client;
    if settings.clients == 1 {
        let start = Instant::now();
        let exchanged = handout::run(&client);
        if let Err(failure) = &exchanged
            && !shutdown.requested()
        {
            recorder.record(Event::failure(failure));
        }
        return Ok(summary(&[exchanged], start, shutdown));
    }
    check_room(settings.clients)?;
    let (gate, closed) = bounded::<Infallible>(0);
    let abandoned = AtomicBool::new(false);
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for number in 1..=settings.clients {
            let (closed, abandoned) = (closed.clone(), &abandoned);
            let builder = thread::Builder::new()
                .name(format!("client-{number}"))
                .stack_size(STACK);
            let thread = builder.spawn_scoped(scope, move || {
                // All begin at the same time: the gate opens when every thread has started.
                let _ = closed.recv();
                if abandoned.load(Relaxed) {
                    return Ok(());
                }
                handout::run(&client).inspect_err(|failure| {
                    recorder.record(Event::error(Level::Warn, failure));
                })
            });
            threads.push(thread.map_err(|error| {
                abandoned.store(true, Relaxed);
                no_thread(number, settings.clients, &error)
            })?);
        }
        let start = Instant::now();
        drop(gate);
        let exchanged: Vec<_> = threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect();
        Ok(summary(&exchanged, start, shutdown))
    })
}

/// One line for all; failures are counted by reason. After a request to stop, clients without an answer are no failure
/// of the run.
fn summary(exchanged: &[Result<(), Failure>], start: Instant, shutdown: &Shutdown) -> Summary {
    let elapsed = start.elapsed();
    let mut reasons = BTreeMap::<String, u64>::new();
    for failure in exchanged
        .iter()
        .filter_map(|exchanged| exchanged.as_ref().err())
    {
        *reasons.entry(reason(failure)).or_default() += 1;
    }
    let clients = exchanged.len() as u64;
    let failed: u64 = reasons.values().sum();
    let failures = failures(&reasons);
    let answered = clients - failed;
    let text = format!(
        "{}: {answered} answered, {failures}; in {:.1} ms",
        plural(clients, "client"),
        elapsed.as_secs_f64() * 1e3
    );
    let exit = if failed > 0 && !shutdown.requested() {
        Exit::No
    } else {
        Exit::Done
    };
    let summary = Summary::done(text)
        .exit(exit)
        .count("clients", clients)
        .count("answered", answered)
        .count("failed", failed)
        .count("elapsed_us", whole_micros(elapsed));
    reasons.iter().fold(summary, |summary, (reason, times)| {
        summary.count(&format!("failed: {reason}"), *times)
    })
}
