//! The loop: waits for clients and servers at once, and hands on what is ready.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind},
    exit::{Failure, Summary, why},
    journal::Journal,
    message::Carrier,
    net,
    shutdown::Shutdown,
    sys::{
        batches::{Incoming, Port},
        readiness::{Readiness, Watch},
    },
};
use domain::base::iana::OptRcode;

use super::{
    connections::Connections,
    counts::Counts,
    log::Log,
    request::{Wanted, answered, refused, wanted},
    settings::Settings,
    tasks::{Finished, ReplyTo, Tasks, Waiter},
};
use crate::{
    dns::{
        request::{Request, Transport},
        shown,
    },
    resolver::Outcome,
    server::Sockets,
};

const STOP: usize = 0;
const UDP: usize = 1;
const TCP: usize = 2;
/// The first number of a connection or a resolution.
const FIRST: usize = 16;

/// How many events are reported at a time.
const MOST: usize = 1024;

/// How many batches of datagrams are read before servers and connections have their turn.
const BATCHES: usize = 8;

/// How many times that is what is still taken after a stop.
const LAST: usize = 8;

/// How many messages of one connection are read in its turn.
const TURN: usize = 16;

/// How long queries that were taken before a stop are still resolved.
const GRACE: Duration = Duration::from_secs(1);

/// Serves until a stop is requested.
///
/// # Errors
/// When the system cannot wait for sockets (exit code 2).
pub fn run(
    sockets: Sockets,
    settings: &Settings,
    counts: &Counts,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let mut server = Server::new(&sockets, settings, counts, journal, shutdown)
        .map_err(|error| cannot_wait(&error))?;
    let roots = settings.roots.addresses().iter();
    let roots: Vec<_> = roots.map(ToString::to_string).collect();
    let text = format!(
        "{}, recursive, from the root {}",
        sockets.address,
        roots.join(" or ")
    );
    let ready = Event::new(Kind::Ready).text(text);
    journal.ready(ready, &[sockets.address], sockets.port_was_free)?;
    server.serve()?;
    drop(server);
    Ok(counts.summary(""))
}

fn cannot_wait(error: &io::Error) -> Failure {
    Failure::could_not_run("wait for clients", why(error))
}

struct Server<'s> {
    settings: &'s Settings,
    counts: &'s Counts,
    shutdown: &'s Shutdown,
    address: SocketAddr,
    port: &'s Arc<Port>,
    incoming: Incoming,
    listener: &'s TcpListener,
    watches: [Watch; 2],
    _stop: Watch,
    udp_ready: bool,
    readiness: Readiness,
    tasks: Tasks<'s>,
    connections: Connections,
    log: Log<'s>,
    /// The number of the next connection or resolution.
    next: usize,
}

impl<'s> Server<'s> {
    fn new(
        sockets: &'s Sockets,
        settings: &'s Settings,
        counts: &'s Counts,
        journal: &'s Journal,
        shutdown: &'s Shutdown,
    ) -> io::Result<Self> {
        let port = sockets.udp.first().ok_or(io::ErrorKind::InvalidInput)?;
        port.socket().set_nonblocking(true)?;
        let readiness = Readiness::new(MOST)?;
        let watches = [
            readiness.watch(port.socket(), UDP)?,
            readiness.watch(&sockets.tcp, TCP)?,
        ];
        Ok(Self {
            settings,
            counts,
            shutdown,
            address: sockets.address,
            port,
            incoming: Incoming::new(port),
            listener: &sockets.tcp,
            watches,
            _stop: readiness.watch(shutdown.wake_up().socket(), STOP)?,
            udp_ready: true,
            readiness,
            tasks: Tasks::new(&settings.roots, settings.cache, counts),
            connections: Connections::new(settings.max_clients, settings.timeout),
            log: Log::new(journal),
            next: FIRST,
        })
    }

    fn serve(&mut self) -> Result<(), Failure> {
        loop {
            if self.shutdown.requested() {
                return self.finish();
            }
            self.receive();
            self.accept();
            for number in self.connections.take_unread() {
                self.read(number);
            }
            let until = [self.tasks.next_deadline(), self.connections.next_deadline()];
            self.wait(until.into_iter().flatten().min())?;
        }
    }

    /// Waits, and hands on what is ready.
    fn wait(&mut self, until: Option<Instant>) -> Result<(), Failure> {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let more = self.udp_ready || self.connections.has_unread();
        let left = if more { Some(Duration::ZERO) } else { left };
        let ready = self.readiness.wait(left);
        let ready: Vec<_> = ready.map_err(|error| cannot_wait(&error))?.collect();
        for number in ready {
            match number {
                STOP => {}
                UDP => self.udp_ready = true,
                TCP => self.connections.listener_ready(),
                number if self.tasks.has(number) => {
                    let finished = self.tasks.ready(number, &self.readiness, &mut self.log);
                    finished.into_iter().for_each(|it| self.reply(it));
                }
                number => self.read(number),
            }
        }
        let now = Instant::now();
        let finished = self.tasks.time_out(now, &self.readiness, &mut self.log);
        finished.into_iter().for_each(|it| self.reply(it));
        self.connections.time_out(now);
        self.log.go_on();
        Ok(())
    }

    /// After a stop: what has arrived is still resolved, and replies are written, within the grace time.
    fn finish(&mut self) -> Result<(), Failure> {
        self.udp_ready = true;
        for _ in 0..LAST {
            self.receive();
        }
        while (!self.tasks.is_empty() || self.connections.has_unwritten())
            && !self.shutdown.overdue(GRACE)
        {
            let end = self.shutdown.since().map(|since| since + GRACE);
            let until = self.tasks.next_deadline().into_iter().chain(end).min();
            self.wait(until)?;
            // What arrives now is not taken.
            self.udp_ready = false;
            drop(self.connections.take_unread());
        }
        let rest = self.tasks.end_all("the server stops");
        rest.into_iter().for_each(|it| self.reply(it));
        Ok(())
    }

    /// Takes the datagrams that wait, for a few batches.
    fn receive(&mut self) {
        for _ in 0..BATCHES {
            if !self.udp_ready {
                return;
            }
            let count = match self.incoming.receive(self.port) {
                Ok(count) => count,
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => {
                        self.udp_ready = false;
                        if let Err(error) = self.readiness.watch_again(&mut self.watches[0]) {
                            self.log
                                .warn_of_itself(format_args!("receive: {}", why(&error)));
                        }
                        return;
                    }
                    // The error of an earlier reply; the next call receives.
                    io::ErrorKind::Interrupted
                    | io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::ConnectionReset => continue,
                    _ => {
                        self.log
                            .warn_of_itself(format_args!("receive: {}", why(&error)));
                        self.shutdown.request();
                        self.udp_ready = false;
                        return;
                    }
                },
            };
            for index in 0..count {
                let Some(datagram) = self.incoming.get(index) else {
                    continue;
                };
                let Some(client) = datagram.peer.address().map(net::canonical) else {
                    continue;
                };
                let asked = match datagram.source {
                    Some(source) => SocketAddr::new(source.ip(), self.address.port()),
                    None => self.address,
                };
                let waiter = Waiter {
                    message: datagram.message.to_vec(),
                    transport: Transport::Udp,
                    client,
                    asked,
                    reply_to: ReplyTo::Udp(datagram.peer, datagram.source),
                    logged: false,
                };
                self.query(waiter);
            }
        }
    }

    fn accept(&mut self) {
        let next = &mut self.next;
        let number = || {
            *next += 1;
            *next
        };
        let [_, watch] = &mut self.watches;
        let accepted =
            self.connections
                .accept(self.listener, watch, &self.readiness, number, &mut self.log);
        for number in accepted {
            self.read(number);
        }
    }

    /// Reads the queries of a connection.
    fn read(&mut self, number: usize) {
        for _ in 0..TURN {
            if self.shutdown.requested() {
                return self.connections.go_on(number, &self.readiness);
            }
            if !self.connections.has(number) {
                return;
            }
            let Some(incoming) = self.connections.next(number, &self.readiness) else {
                return;
            };
            self.query(Waiter {
                message: incoming.message,
                transport: Transport::Tcp,
                client: incoming.client,
                asked: incoming.asked,
                reply_to: ReplyTo::Tcp(number),
                logged: false,
            });
        }
        self.connections.later(number);
    }

    /// Takes a query: it is answered now or later.
    fn query(&mut self, mut waiter: Waiter) {
        let Some(request) = Request::read(&waiter.message, waiter.transport) else {
            return self.send(&waiter, None);
        };
        let carrier = match waiter.transport {
            Transport::Udp => {
                self.counts.add(|counts| &counts.udp);
                Carrier::Udp
            }
            Transport::Tcp => {
                self.counts.add(|counts| &counts.tcp);
                Carrier::Tcp
            }
        };
        let allowed = self.settings.allows(waiter.client.ip());
        let asked = (waiter.client, waiter.asked);
        waiter.logged = self.log.asked(carrier, &waiter.message, asked.0, asked.1);
        let (name, rtype, recursion) = match wanted(&request, allowed) {
            Wanted::Records(name, rtype, recursion) => (name, rtype, recursion),
            Wanted::Reply(reply, code) => {
                if code == OptRcode::REFUSED {
                    self.counts.add(|counts| &counts.refused);
                }
                if !allowed {
                    let client = waiter.client;
                    let text =
                        format_args!("query from {client} refused: --allow does not have it");
                    self.log.warn(client, text);
                }
                return self.send(&waiter, Some(&reply));
            }
        };
        if !recursion {
            let reply = match self.tasks.cached(&name, rtype) {
                Some(answer) => {
                    self.counts.add(|counts| &counts.hits);
                    answered(&request, &answer)
                }
                None => {
                    self.counts.add(|counts| &counts.refused);
                    refused(&request, OptRcode::REFUSED)
                }
            };
            return self.send(&waiter, Some(&reply));
        }
        self.next += 1;
        let (number, question) = (self.next, (name, rtype));
        let added = self
            .tasks
            .add(question, waiter, number, &self.readiness, &mut self.log);
        match added {
            Ok(None) => {}
            Ok(Some(finished)) => self.reply(finished),
            Err((waiter, bound)) => {
                self.log.warn(
                    waiter.client,
                    format_args!("query from {} failed: {bound}", waiter.client),
                );
                self.fail(&waiter);
            }
        }
    }

    /// Sends the replies of a resolution that has ended.
    fn reply(&mut self, finished: Finished) {
        let Finished { waiters, outcome } = finished;
        if let (Outcome::Failed(why), Some(waiter)) = (&outcome, waiters.first()) {
            let asked = shown::question(&waiter.message);
            let asked = asked.map_or_else(String::new, |(name, rtype)| format!("{name} {rtype}"));
            self.log
                .warn(waiter.client, format_args!("{asked} failed: {why}"));
        }
        for waiter in waiters {
            match &outcome {
                Outcome::Failed(_) => self.fail(&waiter),
                Outcome::Answer(answer) => {
                    let request = Request::read(&waiter.message, waiter.transport);
                    let reply = request.map(|request| answered(&request, answer));
                    self.send(&waiter, reply.as_deref());
                }
            }
        }
    }

    fn fail(&mut self, waiter: &Waiter) {
        self.counts.add(|counts| &counts.failed);
        let request = Request::read(&waiter.message, waiter.transport);
        let reply = request.map(|request| refused(&request, OptRcode::SERVFAIL));
        self.send(waiter, reply.as_deref());
    }

    /// Sends a reply; without one, a connection is closed, and a datagram is ignored.
    fn send(&mut self, waiter: &Waiter, reply: Option<&[u8]>) {
        let carrier = match waiter.transport {
            Transport::Udp => Carrier::Udp,
            Transport::Tcp => Carrier::Tcp,
        };
        if let Some(reply) = reply.filter(|_| waiter.logged) {
            self.log
                .answered(carrier, reply, waiter.client, waiter.asked);
        }
        match (waiter.reply_to, reply) {
            (ReplyTo::Tcp(number), reply) => {
                self.connections.reply(number, reply, &self.readiness);
            }
            (ReplyTo::Udp(peer, source), Some(reply)) => {
                // A datagram that the kernel does not take is lost, as a datagram may be.
                let _ = self.port.send(source, reply, &peer);
            }
            (ReplyTo::Udp(..), None) => {}
        }
    }
}
