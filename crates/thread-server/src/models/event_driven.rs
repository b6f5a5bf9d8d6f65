//! One thread for all clients: non-blocking sockets and readiness notification. Each client is a finite-state machine
//! (van Steen & Tanenbaum, Distributed Systems, "Threads"), its [`Exchange`](crate::exchange::Exchange).

use std::{
    collections::{BTreeSet, HashMap},
    io,
    time::Instant,
};

use common::{
    capacity::{Budget, Cost},
    exit::Failure,
    net::LONGEST_MESSAGE,
    sys::readiness::Watch,
};

use crate::{acceptor::Acceptor, client::Client, exchange::Step, readiness::Readiness};

/// How many clients are accepted before those that wait are advanced.
const BATCH: usize = 64;

/// A client that waits for something.
struct Waiting<'a> {
    client: Client<'a>,
    /// The end of the wait.
    until: Instant,
    /// The watch of its socket, once it had to wait for input.
    watch: Option<Watch>,
}

/// All clients that are being served.
struct Clients<'a> {
    readiness: Readiness<'a>,
    waiting: HashMap<u64, Waiting<'a>>,
    deadlines: BTreeSet<(Instant, u64)>,
    memory: Budget,
}

/// What a client takes: a state machine here, and a socket with its buffers in the kernel.
const CLIENT: Cost = Cost {
    tasks: 0,
    maps: 0,
    address_space: 2 * 1024,
    memory: 8 * 1024,
};

/// Serves every client, and returns when no client will be accepted any more and all are served.
///
/// # Errors
/// When the listener fails, or the system cannot poll.
pub fn serve(acceptor: &Acceptor<'_>) -> Result<(), Failure> {
    let context = acceptor.context;
    let mut clients = Clients {
        readiness: Readiness::new(acceptor)?,
        waiting: HashMap::new(),
        deadlines: BTreeSet::new(),
        memory: Budget::new(CLIENT),
    };
    acceptor.ready()?;
    let mut stopping = false;
    loop {
        let mut accepted = 0;
        while accepted < BATCH
            && clients.waiting.len() < context.settings.max_clients
            && clients.has_room()
            && let Some(client) = clients.readiness.accept()?
        {
            clients.advance(client, None);
            accepted += 1;
        }
        if clients.readiness.closed && clients.waiting.is_empty() {
            return Ok(());
        }
        let next = clients.deadlines.first().map(|(until, _)| *until);
        for number in clients.readiness.wait(next, accepted == BATCH)? {
            clients.wake(number);
        }
        if !stopping && context.shutdown.requested() {
            // The grace time shortens every wait.
            stopping = true;
            for number in clients.waiting.keys().copied().collect::<Vec<_>>() {
                clients.wake(number);
            }
        }
        let now = Instant::now();
        while let Some((until, number)) = clients.deadlines.first().copied()
            && until <= now
        {
            clients.wake(number);
        }
    }
}

impl<'a> Clients<'a> {
    /// Whether there is memory for one more. If not, none is accepted for a while.
    fn has_room(&mut self) -> bool {
        let room = self.memory.allow().map(drop).and_then(|()| {
            let grown = self.waiting.try_reserve(1);
            grown.map_err(|_| io::ErrorKind::OutOfMemory.into())
        });
        if let Err(error) = &room {
            self.readiness.back_off("memory", error);
        }
        room.is_ok()
    }

    /// Advances a client whose wait may be over.
    fn wake(&mut self, number: u64) {
        if let Some(waiting) = self.waiting.remove(&number) {
            self.deadlines.remove(&(waiting.until, number));
            self.advance(waiting.client, waiting.watch);
        }
    }

    /// Advances a client until it has to wait or its exchange ends.
    fn advance(&mut self, mut client: Client<'a>, mut watch: Option<Watch>) {
        let number = client.number;
        let mut buffer = [0; LONGEST_MESSAGE];
        let until = loop {
            match client.exchange.advance(&mut buffer, client.reply()) {
                Step::Received(length) => client.log_received(&buffer[..length]),
                Step::Sleep(until) => break until,
                Step::AwaitInput(until) => {
                    if let Err(error) = self.await_input(&client, &mut watch) {
                        return client.record_close(&Err(error.into()));
                    }
                    break until;
                }
                Step::Done(outcome) => return client.record_close(&outcome),
            }
        };
        self.deadlines.insert((until, number));
        self.waiting.insert(
            number,
            Waiting {
                client,
                until,
                watch,
            },
        );
    }

    /// Has the client reported when there is something to read.
    fn await_input(&self, client: &Client<'_>, watch: &mut Option<Watch>) -> io::Result<()> {
        let system = self.readiness.system();
        match watch {
            Some(watch) => system.watch_again(watch),
            None => {
                let number = usize::try_from(client.number).unwrap_or(usize::MAX);
                *watch = Some(system.watch(client.exchange.stream(), number)?);
                Ok(())
            }
        }
    }
}
