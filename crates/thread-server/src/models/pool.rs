//! Dispatcher and workers (van Steen & Tanenbaum, Distributed Systems, section 3.1): one thread accepts and hands each
//! client to one of N workers, through a bounded channel. When the channel is full, the dispatcher waits and further
//! clients stay in the listen backlog.

use std::thread;

use common::exit::{Failure, why};
use crossbeam::channel::bounded;

use crate::{acceptor::Acceptor, client::STACK, handout::handle_client, permits::Permits};

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
    let permits = Permits::new(context.settings.max_clients);
    thread::scope(|scope| {
        let (clients, waiting) = bounded(WAITING * workers);
        for number in 1..=workers {
            let waiting = waiting.clone();
            thread::Builder::new()
                .name(format!("worker-{number}"))
                .stack_size(STACK)
                .spawn_scoped(scope, move || {
                    for mut client in waiting {
                        handle_client(&mut client);
                    }
                })
                .map_err(|error| Failure::could_not_run(format!("worker {number}"), why(&error)))?;
            acceptor.tally.created();
        }
        drop(waiting);
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
