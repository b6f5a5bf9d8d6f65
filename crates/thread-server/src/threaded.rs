//! A server with a thread for each client: accepting and starting threads, under a limit of clients and through
//! shortages.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, Scope},
};

use common::{
    capacity::{self, Budget, Cost},
    exit::Failure,
};

use crate::{acceptor::Acceptor, client::Client, config::STACK, permits::Permits};

/// How many more clients are accepted for each thread that is started. Starting a thread takes longer than accepting a
/// client, and when thousands connect at once they must not overflow the listen backlog: the kernel drops those that
/// do, and they try again only a second later (RFC 6298 section 2).
const AHEAD: usize = 4;

/// A server with a thread for each client.
#[derive(Debug)]
pub struct ThreadedServer<'a> {
    acceptor: &'a Acceptor<'a>,
    permits: Permits,
    threads: Budget,
    /// Accepted clients that wait for a thread.
    accepted: VecDeque<Client<'a>>,
}

impl<'a> ThreadedServer<'a> {
    /// A server that accepts here, and is ready.
    ///
    /// # Errors
    /// As [`Acceptor::ready`].
    pub fn new(acceptor: &'a Acceptor<'a>) -> Result<Self, Failure> {
        acceptor.block_briefly();
        acceptor.ready()?;
        Ok(Self {
            acceptor,
            permits: Permits::new(acceptor.context.settings.most_clients()),
            threads: Budget::new(Cost::thread(STACK)),
            accepted: VecDeque::new(),
        })
    }

    /// Waits for the next client and accepts it, which is printed as `Connection from …`. None when no client will be
    /// accepted any more.
    ///
    /// # Errors
    /// When the listener fails for good.
    pub fn accept(&mut self) -> Result<Option<Client<'a>>, Failure> {
        let Acceptor { context, .. } = self.acceptor;
        if self.accepted.is_empty() {
            let Some(permit) = self
                .permits
                .acquire(context.settings.grace, context.shutdown)
            else {
                return Ok(None);
            };
            let Some(client) = self.acceptor.accept()? else {
                return Ok(None);
            };
            self.accepted.push_back(client.with_permit(permit));
        }
        for _ in 0..AHEAD {
            let Some(permit) = self.permits.try_acquire() else {
                break;
            };
            let Some(client) = self.acceptor.accept_waiting()? else {
                break;
            };
            self.accepted.push_back(client.with_permit(permit));
        }
        Ok(self.accepted.pop_front())
    }

    /// Starts a thread that serves the client. While the system has no room for one it waits for others to end; when
    /// the grace time is over it serves the client on this thread.
    pub fn spawn<'scope>(
        &mut self,
        threads: &'scope Scope<'scope, '_>,
        client: Client<'a>,
        serve: fn(&mut Client<'a>),
    ) where
        'a: 'scope,
    {
        let number = client.number;
        // Shared, as a thread that cannot be started drops what it was given. The last holder closes the connection,
        // mostly this thread: that gives 7% more exchanges a second than to close it in the client's thread.
        let client = Arc::new(Mutex::new(client));
        let mut start = || {
            let client = Arc::clone(&client);
            let work = move || serve(&mut lock(&client));
            self.threads
                .spawn(threads, format!("client-{number}"), STACK, work)
        };
        while let Err(error) = start() {
            if self.acceptor.context.overdue() {
                return serve(&mut lock(&client));
            }
            let error = io::Error::other(capacity::no_task(&error));
            let pause = self.acceptor.next_pause("thread", &error);
            self.acceptor.back_off(pause);
        }
        self.acceptor.tally.created();
        // Lets the new thread begin at once: with 256 clients at once that gives a quarter more exchanges a second than
        // accepting on, because fewer threads are alive and compete.
        thread::yield_now();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
