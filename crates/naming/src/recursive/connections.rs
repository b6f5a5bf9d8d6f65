//! The clients over TCP (RFC 7766): each connection carries any number of queries, whose replies leave in the order in which
//! they are ready.

use std::{
    collections::{BTreeSet, HashMap},
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    time::{Duration, Instant},
};

use common::{
    exit::why,
    net,
    sys::readiness::{Readiness, Watch},
};

use super::log::Log;
use crate::exchange::Frames;

/// How many queries of a connection may wait for their replies; further ones are read afterwards.
const MOST_WAITING: usize = 64;

/// How many bytes of replies may wait for a client to read them; further queries are read afterwards.
const MOST_UNREAD: usize = 1 << 18;

/// How long to wait before the next attempt to accept, after one has failed.
const PAUSE: Duration = Duration::from_millis(20);

/// A message of a client.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) message: Vec<u8>,
    pub(super) client: SocketAddr,
    pub(super) asked: SocketAddr,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    frames: Frames,
    watch: Watch,
    client: SocketAddr,
    asked: SocketAddr,
    /// How many replies it waits for.
    waiting: usize,
    /// Whether the client has ended its direction.
    ended: bool,
    /// Whether queries may wait to be read until there is room for their replies.
    held: bool,
    /// When it is closed if nothing arrives.
    until: Instant,
}

/// The connections.
#[derive(Debug)]
pub(super) struct Connections {
    all: HashMap<usize, Connection>,
    deadlines: BTreeSet<(Instant, usize)>,
    /// Those whose queries were not all read, although there is room.
    unread: BTreeSet<usize>,
    /// Whether the listener may have another connection.
    may_accept: bool,
    retry_at: Option<Instant>,
    most: usize,
    idle: Duration,
    buffer: Vec<u8>,
}

impl Connections {
    /// None yet, at most this many, each closed after this time without a query.
    pub(super) fn new(most: usize, idle: Duration) -> Self {
        Self {
            all: HashMap::new(),
            deadlines: BTreeSet::new(),
            unread: BTreeSet::new(),
            may_accept: true,
            retry_at: None,
            most,
            idle,
            buffer: vec![0; 16 * 1024],
        }
    }

    /// Whether this is the number of a connection.
    pub(super) fn has(&self, number: usize) -> bool {
        self.all.contains_key(&number)
    }

    /// The listener has been reported.
    pub(super) fn listener_ready(&mut self) {
        self.may_accept = true;
    }

    /// When the next wait is over.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let idle = self.deadlines.first().map(|(until, _)| *until);
        idle.into_iter().chain(self.retry_at).min()
    }

    /// Accepts what waits, as far as there is room; each gets a number.
    pub(super) fn accept(
        &mut self,
        listener: &TcpListener,
        watch: &mut Watch,
        readiness: &Readiness,
        mut number: impl FnMut() -> usize,
        log: &mut Log<'_>,
    ) -> Vec<usize> {
        let mut accepted = Vec::new();
        if self.retry_at.is_some_and(|at| Instant::now() < at) {
            return accepted;
        }
        self.retry_at = None;
        while self.may_accept && self.all.len() < self.most {
            let opened = listener.accept().and_then(|(stream, client)| {
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
                let number = number();
                let watch = readiness.watch_stream(&stream, number, false)?;
                let asked = net::canonical(stream.local_addr()?);
                Ok((number, stream, net::canonical(client), asked, watch))
            });
            match opened {
                Ok((number, stream, client, asked, watch)) => {
                    let until = Instant::now() + self.idle;
                    self.deadlines.insert((until, number));
                    self.all.insert(
                        number,
                        Connection {
                            stream,
                            frames: Frames::default(),
                            watch,
                            client,
                            asked,
                            waiting: 0,
                            ended: false,
                            held: false,
                            until,
                        },
                    );
                    accepted.push(number);
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => {
                        self.may_accept = false;
                        if let Err(error) = readiness.watch_again(watch) {
                            log.warn_of_itself(format_args!("accept: {}", why(&error)));
                        }
                    }
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                    _ => {
                        log.warn_of_itself(format_args!("accept: {}", why(&error)));
                        self.retry_at = Some(Instant::now() + PAUSE);
                        return accepted;
                    }
                },
            }
        }
        accepted
    }

    /// The next message of a connection, when there is one and room for its reply; the connection is closed when it is over.
    pub(super) fn next(&mut self, number: usize, readiness: &Readiness) -> Option<Incoming> {
        let connection = self.all.get_mut(&number)?;
        let full =
            connection.waiting >= MOST_WAITING || connection.frames.unwritten() > MOST_UNREAD;
        if connection.ended || full {
            connection.held = full;
            self.go_on(number, readiness);
            return None;
        }
        match connection.frames.read(&connection.stream, &mut self.buffer) {
            Ok(Some(message)) => {
                connection.waiting += 1;
                self.deadlines.remove(&(connection.until, number));
                connection.until = Instant::now() + self.idle;
                self.deadlines.insert((connection.until, number));
                Some(Incoming {
                    message,
                    client: connection.client,
                    asked: connection.asked,
                })
            }
            Ok(None) => {
                self.go_on(number, readiness);
                None
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                connection.ended = true;
                self.go_on(number, readiness);
                None
            }
            Err(_) => {
                self.close(number);
                None
            }
        }
    }

    /// Sends the reply to a query of a connection, or has the connection closed without one.
    pub(super) fn reply(&mut self, number: usize, reply: Option<&[u8]>, readiness: &Readiness) {
        let Some(connection) = self.all.get_mut(&number) else {
            return;
        };
        connection.waiting = connection.waiting.saturating_sub(1);
        if std::mem::take(&mut connection.held) {
            self.unread.insert(number);
        }
        match reply {
            Some(reply) => connection.frames.push(reply),
            None => connection.ended = true,
        }
        self.go_on(number, readiness);
    }

    /// Has the queries of a connection be read later, as those of others have their turn.
    pub(super) fn later(&mut self, number: usize) {
        self.unread.insert(number);
    }

    /// Whether queries were not read although there is room.
    pub(super) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// The connections with such queries.
    pub(super) fn take_unread(&mut self) -> BTreeSet<usize> {
        std::mem::take(&mut self.unread)
    }

    /// Writes what waits, and closes a connection that is over.
    pub(super) fn go_on(&mut self, number: usize, readiness: &Readiness) {
        let Some(connection) = self.all.get_mut(&number) else {
            return;
        };
        let written = connection.frames.write(&connection.stream);
        let is_over = match written {
            Err(_) => true,
            Ok(all) => connection.ended && all && connection.waiting == 0,
        };
        let writes = connection.frames.unwritten() > 0;
        let watched = readiness.watch_stream_again(&mut connection.watch, writes);
        if is_over || watched.is_err() {
            self.close(number);
        }
    }

    fn close(&mut self, number: usize) {
        if let Some(connection) = self.all.remove(&number) {
            self.deadlines.remove(&(connection.until, number));
            self.unread.remove(&number);
            // There is room for another one.
            self.may_accept = true;
        }
    }

    /// Closes the connections that were idle for too long.
    pub(super) fn time_out(&mut self, now: Instant) {
        while let Some((until, number)) = self.deadlines.first().copied()
            && until <= now
        {
            self.deadlines.remove(&(until, number));
            match self.all.get_mut(&number) {
                // A resolution takes less time than the wait that is added.
                Some(connection) if connection.waiting > 0 => {
                    connection.until = now + self.idle;
                    self.deadlines.insert((connection.until, number));
                }
                _ => self.close(number),
            }
        }
    }

    /// Whether replies wait for clients to read them.
    pub(super) fn has_unwritten(&self) -> bool {
        let mut all = self.all.values();
        all.any(|connection| connection.frames.unwritten() > 0)
    }
}
