//! N workers that each accept and serve, one client after another: nothing is handed over, and the kernel's backlog is
//! the only queue.

use std::thread;

use common::{
    exit::{Failure, why},
    net::Doorbell,
};

use super::STACK;
use crate::server::{Model, Server};

pub(super) struct Prethreaded;

impl Model for Prethreaded {
    fn serve(&self, server: &Server<'_>) -> Result<(), Failure> {
        let workers = server.settings.workers.min(server.settings.max_clients);
        let doorbells: Result<Vec<_>, _> =
            (0..workers).map(|_| server.entrance.doorbell()).collect();
        let work = |doorbell: Doorbell| {
            while let Some(client) = server.entrance.admit_one_of_many(&doorbell)? {
                server.handle_client(&client);
            }
            Ok(())
        };
        // One that fails takes the others with it.
        let work = |doorbell| work(doorbell).inspect_err(|_: &Failure| server.shutdown.request());
        thread::scope(|scope| {
            let mut threads = Vec::new();
            for (doorbell, number) in doorbells?.into_iter().zip(1..) {
                let builder = thread::Builder::new().name(format!("worker-{number}"));
                let thread = builder
                    .stack_size(STACK)
                    .spawn_scoped(scope, move || work(doorbell));
                server.tally.made_one();
                threads.push(thread.map_err(|error| {
                    // Those who are there have nobody to wait for.
                    server.shutdown.request();
                    Failure::could_not_run(format!("worker {number}"), why(&error))
                })?);
            }
            for thread in threads {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            }
            Ok(())
        })
    }
}
