//! Many clients at once, a thread each, and one summary.

use std::{collections::BTreeMap, convert::Infallible, thread, time::Instant};

use common::{
    event::{Event, Level},
    exit::{Exit, Failure, Summary, why},
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
pub const STACK: usize = 64 * 1024;

/// Runs the client, or as many as the settings say, all at once: one exchange each.
///
/// # Errors
/// The failure of a single client; failures of several are counted by kind in the summary (exit code 1).
pub fn run(client: Client<'_>, recorder: &dyn Recorder) -> Result<Summary, Failure> {
    let Client {
        settings, shutdown, ..
    } = client;
    if settings.clients == 1 {
        let start = Instant::now();
        let exchanged = handout::run(&client);
        return match exchanged {
            Err(failure) if !shutdown.requested() => Err(failure),
            exchanged => Ok(summary(&[exchanged], start, shutdown)),
        };
    }
    let (gate, closed) = bounded::<Infallible>(0);
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for number in 1..=settings.clients {
            let closed = closed.clone();
            let builder = thread::Builder::new()
                .name(format!("client-{number}"))
                .stack_size(STACK);
            threads.push(builder.spawn_scoped(scope, move || {
                // All begin at the same time: the gate opens when every thread has started.
                let _ = closed.recv();
                handout::run(&client).inspect_err(|failure| {
                    recorder.record(Event::error(Level::Warn, failure));
                })
            }));
        }
        let start = Instant::now();
        drop(gate);
        let exchanged: Vec<_> = threads
            .into_iter()
            .map(|started| match started {
                Ok(thread) => thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                Err(error) => Err(Failure::no(
                    "start a thread",
                    format!("no thread: {}", why(&error)),
                )),
            })
            .collect();
        Ok(summary(&exchanged, start, shutdown))
    })
}

/// One line for all; failures are counted by reason. After a request to stop, clients without an answer are no failure
/// of the run.
fn summary(exchanged: &[Result<(), Failure>], start: Instant, shutdown: &Shutdown) -> Summary {
    let elapsed = start.elapsed();
    let mut reasons = BTreeMap::new();
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
    Summary::done(text)
        .exit(exit)
        .count("clients", clients)
        .count("answered", answered)
        .count("failed", failed)
        .count("elapsed_us", whole_micros(elapsed))
}
