//! The handout's server: accept, spawn, receive, print, reply, close.

use std::{
    io::{self, Read, Write},
    net::{Shutdown as Direction, SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use common::{
    config::Period,
    event::{Event, Kind, Level},
    exit::{Failure, Summary, why},
    journal::Journal,
    message::{Carrier, MessageId},
    net::{Interest, LONGEST_MESSAGE, Patience, Woken, canonical, wait_patiently},
    shutdown::Shutdown,
    text::plural,
};

use crate::{
    config::Settings,
    entrance::{Entrance, Place, Places},
    tally::{Outcome, Tally},
};

/// A client's thread holds one message and a few events; the rest of std's 2 MiB would only be reserved.
const STACK: usize = 64 * 1024;

/// What all threads share.
struct Server<'a> {
    address: SocketAddr,
    settings: &'a Settings,
    tally: Tally,
    journal: &'a Journal,
    shutdown: &'a Shutdown,
}

/// A client in hand. When the last holder drops it the connection is closed and its place is free.
struct Client {
    stream: TcpStream,
    peer: SocketAddr,
    _place: Place,
}

/// Serves every client from a thread of its own until a shutdown is requested; clients that the kernel had
/// connected by then are still served.
///
/// # Errors
/// When the listener itself fails.
pub fn run(
    listener: TcpListener,
    settings: &Settings,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let address = listener
        .local_addr()
        .map_err(|error| Failure::could_not_run("listen", why(&error)))?;
    let server = Server {
        address,
        settings,
        tally: Tally::default(),
        journal,
        shutdown,
    };
    let places = Places::new(settings.max_clients);
    let mut entrance = Entrance::new(listener, &places, settings, journal, shutdown);
    journal.record(Event::new(Kind::Ready).text(address.to_string()));

    thread::scope(|scope| {
        for number in 1_u64.. {
            let Some((stream, peer, place)) = entrance.admit()? else {
                break;
            };
            server.tally.began();
            journal.record(Event::new(Kind::Accept).peer(peer));
            let client = Arc::new(Client {
                stream,
                peer,
                _place: place,
            });
            let spawn = || {
                let (server, client) = (&server, Arc::clone(&client));
                let builder = thread::Builder::new().name(format!("client-{number}"));
                builder
                    .stack_size(STACK)
                    .spawn_scoped(scope, move || server.handle_client(&client))
            };
            while let Err(error) = spawn() {
                if shutdown.overdue(settings.grace) {
                    server.handle_client(&client);
                    break;
                }
                entrance.back_off("thread", &error);
            }
        }
        // From here on newcomers are refused; the scope waits for the threads.
        drop(entrance);
        let left = server.tally.in_hand();
        if left > 0 {
            let (clients, grace) = (plural(left, "client"), Period(settings.grace));
            let text = format!(
                "stopping: {clients} in hand, {grace} at most; a second signal ends at once"
            );
            journal.record(Event::new(Kind::Local).text(text));
        }
        Ok(())
    })?;
    Ok(server.tally.summary())
}

impl Server<'_> {
    fn handle_client(&self, client: &Client) {
        let outcome = self
            .exchange(client)
            .unwrap_or_else(|error| Outcome::Failed(why(&error)));
        if let Some(trouble) = outcome.trouble(self.settings) {
            let text = format!("{}: {trouble}", client.peer);
            self.journal
                .record(Event::error(Level::Warn, text).peer(client.peer));
        }
        self.journal
            .record(Event::new(Kind::Close).peer(client.peer));
        self.tally.ended(&outcome);
    }

    /// One exchange: the first message, whatever it is, and the answer.
    fn exchange(&self, client: &Client) -> io::Result<Outcome> {
        let mut stream = &client.stream;
        let patience = Patience {
            until: Instant::now() + self.settings.timeout,
            grace: self.settings.grace,
        };
        match wait_patiently(stream, Interest::Read, patience, self.shutdown)? {
            Woken::Ready => {}
            Woken::TimedOut => return Ok(Outcome::Silent),
            Woken::Stopping => return Ok(Outcome::Stopped),
        }
        let mut message = [0; LONGEST_MESSAGE];
        let length = stream.read(&mut message)?;
        if length == 0 {
            return Ok(Outcome::Vanished);
        }
        let us = if self.address.ip().is_unspecified() {
            canonical(stream.local_addr()?)
        } else {
            self.address
        };
        let them = client.peer;
        let id = |from, to| MessageId::new(Carrier::Tcp, from, to, 1);
        self.journal.record(
            Event::new(Kind::Receive)
                .peer(them)
                .message(id(them, us))
                .content(&message[..length]),
        );

        let reply = self.settings.reply.as_bytes();
        let sent = Event::new(Kind::Send)
            .peer(them)
            .message(id(us, them))
            .content(reply);
        // Never waits: a new connection's send buffer has room for the longest reply.
        stream.write_all(reply)?;
        self.journal.record(sent);
        if length == message.len() {
            read_away(stream, self.shutdown);
        }
        Ok(Outcome::Answered)
    }
}

/// Reads away what a client sent beyond the longest message, within limits: closing a connection with data unread
/// resets it (RFC 1122 section 4.2.2.13), and the client could lose the answer that is on its way.
fn read_away(mut stream: &TcpStream, shutdown: &Shutdown) {
    const MOST: usize = 1 << 20;
    const WAIT: Duration = Duration::from_secs(1);
    let patience = Patience {
        until: Instant::now() + WAIT,
        grace: WAIT,
    };
    let mut away = [0; LONGEST_MESSAGE];
    let mut length = 0;
    // Whatever goes wrong here, the client has been answered.
    let _ = stream.shutdown(Direction::Write);
    while length < MOST
        && matches!(
            wait_patiently(stream, Interest::Read, patience, shutdown),
            Ok(Woken::Ready)
        )
        && let Ok(more @ 1..) = stream.read(&mut away)
    {
        length += more;
    }
}
