//! Many clients at once, a thread each, and one summary.

use std::{collections::BTreeMap, convert::Infallible, thread, time::Instant};

use common::{
    event::{Event, Level},
    exit::{Exit, Failure, Summary, why},
    journal::Journal,
    shutdown::Shutdown,
    text::{plural, whole_micros},
};
use crossbeam::channel::bounded;

use crate::{
    client::Client,
    report::{failures, reason},
};

/// A client's thread holds two messages and a few events; the rest of std's 2 MiB would only be reserved.
pub const STACK: usize = 64 * 1024;

/// Runs the client, or as many as the settings say, all at once: one exchange each.
///
/// # Errors
/// For a single client its own failure; a crowd's failures are counted by kind in the summary (exit code 1).
pub fn run(client: Client<'_>, journal: &Journal) -> Result<Summary, Failure> {
    let Client {
        settings, shutdown, ..
    } = client;
    if settings.clients == 1 {
        let begun = Instant::now();
        let exchanged = client.exchange();
        return match exchanged {
            Err(failure) if !shutdown.requested() => Err(failure),
            exchanged => Ok(summary(&[exchanged], begun, shutdown)),
        };
    }
    let (gate, closed) = bounded::<Infallible>(0);
    thread::scope(|scope| {
        let mut starting = Vec::new();
        for number in 1..=settings.clients {
            let closed = closed.clone();
            let builder = thread::Builder::new()
                .name(format!("client-{number}"))
                .stack_size(STACK);
            starting.push(builder.spawn_scoped(scope, move || {
                // All start at once: the gate opens when every thread stands at it.
                let _ = closed.recv();
                client.exchange().inspect_err(|failure| {
                    journal.record(Event::error(Level::Warn, failure));
                })
            }));
        }
        let begun = Instant::now();
        drop(gate);
        let exchanged: Vec<_> = starting
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
        Ok(summary(&exchanged, begun, shutdown))
    })
}

/// One line for all; failures are counted by their reason. Whoever stopped the clients knows that some were not
/// answered: that is no failure.
fn summary(exchanged: &[Result<(), Failure>], begun: Instant, shutdown: &Shutdown) -> Summary {
    let elapsed = begun.elapsed();
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
