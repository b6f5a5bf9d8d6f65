//! N workers that each accept and serve, one client after another: no client is handed from thread to thread, and the
//! listen backlog is the only queue.

use std::{
    convert::Infallible,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

use common::{
    capacity::{Budget, Cost},
    exit::Failure,
};
use crossbeam::channel::bounded;

use crate::{
    acceptor::{Acceptor, no_worker},
    config::STACK,
    handout::handle_client,
};

/// How many of the workers at most wait in the kernel at the same time; the others wait for the epoll of one of these.
/// To find a worker to wake, the kernel passes over every one that is busy.
const EPOLLS: usize = 8;

/// Serves every client, and returns when no client will be accepted any more and all are served.
///
/// # Errors
/// When the listener fails, or a worker cannot be started.
pub fn serve(acceptor: &Acceptor<'_>) -> Result<(), Failure> {
    let context = acceptor.context;
    acceptor.block_briefly();
    let workers = context.settings.threads();
    let waits = acceptor.wait_pool(workers.min(EPOLLS))?;
    let work = || {
        while let Some(mut client) = acceptor.accept_exclusively(&waits)? {
            handle_client(&mut client);
        }
        Ok(())
    };
    // A worker that fails stops the others.
    let work = || work().inspect_err(|_: &Failure| context.shutdown.request());
    // No worker accepts before all have started: if one cannot, no client was accepted.
    let (gate, opened) = bounded::<Infallible>(0);
    let abandoned = AtomicBool::new(true);
    thread::scope(|scope| {
        // Opens when it is dropped.
        let gate = gate;
        let mut threads = Vec::new();
        let mut budget = Budget::new(Cost::thread(STACK));
        for number in 1..=workers {
            let (opened, abandoned) = (opened.clone(), &abandoned);
            let work = move || {
                let _ = opened.recv();
                if abandoned.load(Relaxed) {
                    return Ok(());
                }
                work()
            };
            let thread = budget.spawn(scope, format!("worker-{number}"), STACK, work);
            threads.push(thread.map_err(|error| no_worker(number, workers, &error))?);
            acceptor.tally.created();
        }
        acceptor.ready()?;
        abandoned.store(false, Relaxed);
        drop(gate);
        for thread in threads {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        Ok(())
    })
}
