//! One thread for all clients: sockets that never block, and the kernel's word on which is ready. Each client is a
//! finite-state machine (van Steen & Tanenbaum, Distributed Systems, section 3.1), the [`Exchange`].

use std::{
    collections::{BTreeSet, HashMap},
    os::fd::AsRawFd,
    time::Instant,
};

use common::exit::{Failure, why};
use mio::unix::SourceFd;

use super::watch::Watch;
use crate::{
    exchange::{Client, Exchange, Step},
    server::{Model, Server},
    tally::Outcome,
};

/// How many clients are let in before those in hand have their turn.
const AT_A_TIME: usize = 64;

pub(super) struct EventDriven;

/// A client that waits for something.
struct Waiting {
    client: Client,
    exchange: Exchange,
    /// When it has waited long enough.
    until: Instant,
    /// Whether its socket is watched.
    watched: bool,
}

/// All clients in hand.
struct Clients<'a> {
    server: &'a Server<'a>,
    watch: Watch<'a>,
    waiting: HashMap<u64, Waiting>,
    deadlines: BTreeSet<(Instant, u64)>,
}

impl Model for EventDriven {
    fn serve(&self, server: &Server<'_>) -> Result<(), Failure> {
        let mut clients = Clients {
            server,
            watch: Watch::new(server)?,
            waiting: HashMap::new(),
            deadlines: BTreeSet::new(),
        };
        let mut stopping = false;
        loop {
            let mut let_in = 0;
            while let_in < AT_A_TIME
                && clients.waiting.len() < server.settings.max_clients
                && let Some(client) = clients.watch.admit()?
            {
                let exchange = Exchange::new(&client, server.settings);
                clients.go_on(client, exchange, false);
                let_in += 1;
            }
            if clients.watch.closed && clients.waiting.is_empty() {
                return Ok(());
            }
            let next = clients.deadlines.first().map(|(until, _)| *until);
            for number in clients.watch.wait(next, let_in == AT_A_TIME)? {
                clients.wake(number);
            }
            if !stopping && server.shutdown.requested() {
                // From now on everybody's time is shorter.
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
}

impl Clients<'_> {
    /// What a client waited for may be there.
    fn wake(&mut self, number: u64) {
        if let Some(waiting) = self.waiting.remove(&number) {
            self.deadlines.remove(&(waiting.until, number));
            self.go_on(waiting.client, waiting.exchange, waiting.watched);
        }
    }

    /// Takes a client's next step, and has it wait again unless that was the last one.
    fn go_on(&mut self, client: Client, mut exchange: Exchange, mut watched: bool) {
        let number = client.number;
        let until = match exchange.step(&client, &self.server.service) {
            Step::Sleep(until) => until,
            Step::Read(until) => {
                if !watched {
                    let socket = client.stream.as_raw_fd();
                    if let Err(error) = self.watch.add(&mut SourceFd(&socket), number) {
                        let outcome = Outcome::Failed(why(&error));
                        return self.server.end(&client, &outcome, None);
                    }
                    watched = true;
                }
                until
            }
            Step::Done(outcome, first_byte) => {
                return self.server.end(&client, &outcome, first_byte);
            }
        };
        self.deadlines.insert((until, number));
        self.waiting.insert(
            number,
            Waiting {
                client,
                exchange,
                until,
                watched,
            },
        );
    }
}
