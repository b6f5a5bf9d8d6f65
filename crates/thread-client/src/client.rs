//! The handout's client: connect, send, receive, print, close.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind},
    exit::{Failure, why},
    journal::Journal,
    message::{Carrier, MessageId},
    net::{self, Interest, LONGEST_MESSAGE, Patience, wait_patiently, woken},
    shutdown::Shutdown,
    text::visible,
};

use crate::config::Settings;

/// How long an exchange that was begun goes on after a request to stop.
const GRACE: Duration = Duration::from_secs(2);

/// How long to wait before the kernel is asked for a port again.
const PORTS_COME_BACK: Duration = Duration::from_millis(10);

/// What every client works with.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// The server's addresses.
    pub addresses: &'a [SocketAddr],
    /// What to say, and how long everything may take.
    pub settings: &'a Settings,
    /// Where to tell what happens; None where nobody listens.
    pub journal: Option<&'a Journal>,
    /// The request to stop.
    pub shutdown: &'a Shutdown,
}

/// A connection that stands. It is closed when dropped.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    us: SocketAddr,
    server: SocketAddr,
}

impl Client<'_> {
    /// One exchange with the server.
    ///
    /// # Errors
    /// `connect to HOST:PORT: why` or `HOST:PORT: why` (exit code 1).
    pub fn exchange(&self) -> Result<(), Failure> {
        let patience = self.patience();
        let connection = self.connect(None, patience)?;
        self.greet(connection, patience)
    }

    /// How long an exchange that begins now may take.
    pub fn patience(&self) -> Patience {
        Patience {
            until: Instant::now() + self.settings.timeout,
            grace: GRACE,
        }
    }

    /// Connects, from this address if one is given.
    ///
    /// # Errors
    /// `connect to HOST:PORT: why` (exit code 1).
    pub fn connect(
        &self,
        source: Option<IpAddr>,
        patience: Patience,
    ) -> Result<Connection, Failure> {
        let connection = loop {
            match self.connect_to_any(source, patience) {
                // Ports of connections that we closed first come back (TIME-WAIT).
                Err(error)
                    if error.kind() == io::ErrorKind::AddrNotAvailable
                        && Instant::now() < patience.until
                        && !self.shutdown.sleep(PORTS_COME_BACK) => {}
                done => break done,
            }
        };
        let connection = connection.map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::ConnectionRefused => {
                    format!("{}; is thread-server running there?", why(&error))
                }
                io::ErrorKind::AddrNotAvailable => "no port left on this side".into(),
                _ => why(&error),
            };
            Failure::no(format!("connect to {}", self.settings.connect), why)
        })?;
        self.tell(|| Event::new(Kind::Connect).peer(connection.server));
        Ok(connection)
    }

    /// Sends the message, waits for the answer, and closes.
    ///
    /// # Errors
    /// `HOST:PORT: why` (exit code 1).
    pub fn greet(&self, connection: Connection, patience: Patience) -> Result<(), Failure> {
        let answered = self.ask(&connection, patience);
        let server = connection.server;
        drop(connection);
        self.tell(|| Event::new(Kind::Close).peer(server));
        answered.map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::TimedOut => "no answer in time".into(),
                _ => why(&error),
            };
            Failure::no(&self.settings.connect, why)
        })
    }

    /// One message and one read, as the handout's client does.
    fn ask(&self, connection: &Connection, patience: Patience) -> io::Result<()> {
        let Connection { stream, us, server } = connection;
        let id = |from: &SocketAddr, to: &SocketAddr| MessageId::new(Carrier::Tcp, *from, *to, 1);
        let message = self.settings.message.as_bytes();
        let event = |kind| Event::new(kind).peer(*server);
        let sent = self
            .journal
            .map(|_| event(Kind::Send).message(id(us, server)).content(message));
        let mut socket = stream;
        // Never waits: a new connection's send buffer has room for the longest message.
        socket.write_all(message)?;
        if let Some(sent) = sent {
            self.tell(|| sent);
        }

        let mut answer = [0; LONGEST_MESSAGE];
        let length = loop {
            match socket.read(&mut answer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    woken(wait_patiently(
                        stream,
                        Interest::Read,
                        patience,
                        self.shutdown,
                    )?)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => break done?,
            }
        };
        if length == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "closed without an answer",
            ));
        }
        self.tell(|| {
            event(Kind::Receive)
                .message(id(server, us))
                .content(&answer[..length])
        });
        match &self.settings.expect {
            Some(expected) if answer[..length] != *expected.as_bytes() => {
                let text = visible(&answer[..length]);
                Err(io::Error::other(format!(
                    "answered '{text}', not '{expected}'"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Tries each address in turn, each with its share of the time that is left, so that one that does not answer
    /// leaves some for the next.
    fn connect_to_any(&self, source: Option<IpAddr>, patience: Patience) -> io::Result<Connection> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for (tried, address) in self.addresses.iter().enumerate() {
            let now = Instant::now();
            let shares = u32::try_from(self.addresses.len() - tried).unwrap_or(u32::MAX);
            let until = now + patience.until.saturating_duration_since(now) / shares;
            let share = Patience { until, ..patience };
            let connected = net::connect(*address, source, share, self.shutdown)
                .and_then(|stream| Ok((stream.local_addr()?, stream)));
            match connected {
                // Two ends with one address are a socket connected to itself (RFC 9293 section 3.5): nobody listens
                // on the port, and the kernel chose that very port for the client.
                Ok((us, _)) if us == *address => last = io::ErrorKind::ConnectionRefused.into(),
                Ok((us, stream)) => {
                    return Ok(Connection {
                        stream,
                        us,
                        server: *address,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn tell(&self, event: impl FnOnce() -> Event) {
        if let Some(journal) = self.journal {
            journal.record(event());
        }
    }
}
