//! Dispatcher and workers (van Steen & Tanenbaum, Distributed Systems, "Threads"): one thread accepts and hands each
//! client to one of N workers, through a bounded channel. When the channel is full, the dispatcher waits and further
//! clients stay in the listen backlog.

use std::thread;

use common::{
    capacity::{Budget, Cost},
    exit::Failure,
};
use crossbeam::channel::bounded;

use crate::{
    acceptor::{Acceptor, no_worker},
    config::STACK,
    handout::handle_client,
    permits::Permits,
};

/// How many clients may wait for a worker, for each worker.
const WAITING: usize = 8;

/// Serves every client, and returns when no client will be accepted any more and all are served.
///
/// # Errors
/// When the listener fails, or a worker cannot be started.
pub fn serve(acceptor: &Acceptor<'_>) -> Result<(), Failure> {
    let context = acceptor.context;
    let workers = context.settings.workers;
    acceptor.block_briefly();
    let most = context.settings.most_clients();
    let permits = Permits::new(most);
    thread::scope(|scope| {
        let (clients, waiting) = bounded(most.min(WAITING * workers));
        let mut threads = Budget::new(Cost::thread(STACK));
        for number in 1..=workers {
            let waiting = waiting.clone();
            let work = move || {
                for mut client in waiting {
                    acceptor.tally.begin();
                    handle_client(&mut client);
                }
            };
            let start = threads.spawn(scope, format!("worker-{number}"), STACK, work);
            start.map_err(|error| no_worker(number, workers, &error))?;
            acceptor.tally.created();
        }
        drop(waiting);
        acceptor.ready()?;
        while let Some(permit) = permits.acquire(context.settings.grace, context.shutdown)
            && let Some(client) = acceptor.accept()?
        {
            // The workers receive as long as this end of the channel exists.
            let _ = clients.send(client.with_permit(permit));
        }
        // Dropping this end of the channel ends the workers, and the scope waits for them.
        Ok(())
    })
}
