//! N workers that each accept and serve, one client after another: nothing is handed over, and the kernel's backlog is
//! the only queue.

use std::thread;

use common::exit::{Failure, why};

use super::STACK;
use crate::server::{Model, Server};

/// How many of the workers wait for the kernel at the same time, at the most; the others wait for one of these places.
/// The kernel goes past every worker that is busy when it looks for one to wake.
const AT_THE_DOOR: usize = 8;

pub(super) struct Prethreaded;

impl Model for Prethreaded {
    fn serve(&self, server: &Server<'_>) -> Result<(), Failure> {
        server.entrance.be_patient();
        let workers = server.settings.workers.min(server.settings.max_clients);
        let doorbells = server.entrance.doorbells(workers.min(AT_THE_DOOR))?;
        let work = || {
            while let Some(client) = server.entrance.admit_one_of_many(&doorbells)? {
                server.handle_client(&client);
            }
            Ok(())
        };
        // One that fails takes the others with it.
        let work = || work().inspect_err(|_: &Failure| server.shutdown.request());
        thread::scope(|scope| {
            let mut threads = Vec::new();
            for number in 1..=workers {
                let builder = thread::Builder::new().name(format!("worker-{number}"));
                let thread = builder.stack_size(STACK).spawn_scoped(scope, work);
                threads.push(thread.map_err(|error| {
                    // Those who are there have nobody to wait for.
                    server.shutdown.request();
                    Failure::could_not_run(format!("worker {number}"), why(&error))
                })?);
                server.tally.made_one();
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
