//! Dispatcher and workers (van Steen & Tanenbaum, Distributed Systems, section 3.1): one thread accepts and hands each
//! client over to one of N workers, through a bounded channel. When it is full, the dispatcher waits and newcomers
//! stay in the kernel's backlog.

use std::thread;

use common::exit::{Failure, why};
use crossbeam::channel::bounded;

use super::STACK;
use crate::{
    places::Places,
    server::{Model, Server},
};

/// How many clients may wait for a worker, for each worker.
const WAITING: usize = 8;

pub(super) struct Pool;

impl Model for Pool {
    fn serve(&self, server: &Server<'_>) -> Result<(), Failure> {
        server.entrance.be_patient();
        let places = Places::new(server.settings.max_clients);
        thread::scope(|scope| {
            let (clients, waiting) = bounded(WAITING * server.settings.workers);
            for number in 1..=server.settings.workers {
                let waiting = waiting.clone();
                let builder = thread::Builder::new().name(format!("worker-{number}"));
                builder
                    .stack_size(STACK)
                    .spawn_scoped(scope, move || {
                        for (client, _place) in waiting {
                            server.handle_client(&client);
                        }
                    })
                    .map_err(|error| {
                        Failure::could_not_run(format!("worker {number}"), why(&error))
                    })?;
                server.tally.made_one();
            }
            drop(waiting);
            while let Some(place) = places.take(server.settings.grace, server.shutdown)
                && let Some(client) = server.entrance.admit()?
            {
                // The workers are there for as long as this end of the channel is.
                let _ = clients.send((client, place));
            }
            // Dropping this end of the channel lets the workers end, and the scope waits for them.
            Ok(())
        })
    }
}
