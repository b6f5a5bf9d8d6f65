//! A client and its connection: connect, send, receive and close, with limits, a stop and an event log.

use std::{
    fmt,
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind},
    exit::{Failure, why},
    journal::Journal,
    message::{Carrier, MessageId},
    net::{self, Deadline, Interest, wait_with_grace, woken},
    shutdown::Shutdown,
    text::{content, visible},
};

use crate::config::Settings;

/// How long an exchange goes on after a request to stop.
const GRACE: Duration = Duration::from_secs(2);

/// How long to wait before the kernel is asked for a port again.
const PORT_RETRY: Duration = Duration::from_millis(10);

/// Where events are recorded: in the program's journal.
pub trait Recorder: fmt::Debug + Sync {
    /// Records an event of this thread.
    fn record(&self, event: Event);

    /// Takes what makes the report of the figures so far, for when a person asks for it.
    fn report_with(&self, _figures: Box<dyn Fn() -> Event + Send>) {}
}

impl Recorder for Journal {
    fn record(&self, event: Event) {
        Self::record(self, event);
    }

    fn report_with(&self, figures: Box<dyn Fn() -> Event + Send>) {
        Self::report_with(self, figures);
    }
}

/// What every client works with.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// The server's addresses.
    pub addresses: &'a [SocketAddr],
    /// The client's settings.
    pub settings: &'a Settings,
    /// Where the events of an exchange are recorded; None when they are not.
    pub recorder: Option<&'a dyn Recorder>,
    /// The request to stop.
    pub shutdown: &'a Shutdown,
}

/// A connection to the server. It is closed when dropped.
#[derive(Debug)]
pub struct Connection<'a> {
    client: Client<'a>,
    stream: TcpStream,
    local: SocketAddr,
    server: SocketAddr,
    deadline: Deadline,
}

impl<'a> Client<'a> {
    /// Connects to the server.
    ///
    /// # Errors
    /// `connect to HOST:PORT: why` (exit code 1).
    pub fn connect(&self) -> Result<Connection<'a>, Failure> {
        self.connect_from(None)
    }

    /// Connects, from this address if one is given.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn connect_from(&self, source: Option<IpAddr>) -> Result<Connection<'a>, Failure> {
        let deadline = self.deadline();
        let connection = loop {
            match self.try_addresses(source, deadline) {
                // Ports of connections that this side closed first become free again (TIME-WAIT).
                Err(error)
                    if error.kind() == io::ErrorKind::AddrNotAvailable
                        && Instant::now() < deadline.until
                        && !self.shutdown.sleep(PORT_RETRY) => {}
                done => break done,
            }
        };
        let connection = connection.map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::ConnectionRefused => {
                    format!("{}; is thread-server running there?", why(&error))
                }
                io::ErrorKind::AddrNotAvailable => "no local port left".into(),
                _ => why(&error),
            };
            Failure::no(format!("connect to {}", self.settings.connect), why)
        })?;
        connection.record(|| Event::new(Kind::Connect));
        Ok(connection)
    }

    /// The deadline of an exchange that begins now.
    fn deadline(&self) -> Deadline {
        Deadline {
            until: Instant::now() + self.settings.timeout,
            grace: GRACE,
        }
    }

    /// Tries each address in turn, each with its share of the time that is left, so that an address that does not answer
    /// leaves some for the next.
    fn try_addresses(
        &self,
        source: Option<IpAddr>,
        deadline: Deadline,
    ) -> io::Result<Connection<'a>> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for (tried, address) in self.addresses.iter().enumerate() {
            let now = Instant::now();
            let shares = u32::try_from(self.addresses.len() - tried).unwrap_or(u32::MAX);
            let until = now + deadline.until.saturating_duration_since(now) / shares;
            let share = Deadline { until, ..deadline };
            let connected = net::connect(*address, source, share, self.shutdown)
                .and_then(|stream| Ok((stream.local_addr()?, stream)));
            match connected {
                // A socket whose two ends have the same address is connected to itself (RFC 9293 section 3.5): no
                // server listens on the port, and the kernel chose that very port for the client.
                Ok((local, _)) if local == *address => {
                    last = io::ErrorKind::ConnectionRefused.into();
                }
                Ok((local, stream)) => {
                    return Ok(Connection {
                        client: *self,
                        stream,
                        local,
                        server: *address,
                        deadline,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl<'a> Connection<'a> {
    /// The message to send, `Hello server` unless the settings have another.
    pub fn message(&self) -> &'a [u8] {
        self.client.settings.message.as_bytes()
    }

    /// Sends the message.
    ///
    /// # Errors
    /// `HOST:PORT: why` (exit code 1).
    pub fn send(&mut self, message: &[u8]) -> Result<(), Failure> {
        // The event's time is the beginning of the send.
        let sent = self.client.recorder.map(|_| {
            Event::new(Kind::Send)
                .message(self.message_id(self.local, self.server))
                .content(message)
        });
        // Never waits: a new connection's send buffer has room for the longest message.
        self.stream
            .write_all(message)
            .map_err(|error| self.failure(&error))?;
        if let Some(sent) = sent {
            self.record(|| sent);
        }
        Ok(())
    }

    /// Receives the response: one read, of at most as many bytes as the buffer holds.
    ///
    /// # Errors
    /// `HOST:PORT: why` (exit code 1).
    pub fn receive<'b>(&mut self, buffer: &'b mut [u8]) -> Result<&'b [u8], Failure> {
        match self.read(buffer) {
            Ok(0) => Err(Failure::no(
                &self.client.settings.connect,
                "closed without an answer",
            )),
            Ok(length) => Ok(&buffer[..length]),
            Err(error) => Err(self.failure(&error)),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.stream.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    woken(wait_with_grace(
                        &self.stream,
                        Interest::Read,
                        self.deadline,
                        self.client.shutdown,
                    )?)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }

    /// Logs the response, which is printed as `Received from server: …`.
    ///
    /// # Errors
    /// When the settings expect another response (exit code 1).
    pub fn log_received(&self, response: &[u8]) -> Result<(), Failure> {
        self.record(|| {
            Event::new(Kind::Receive)
                .message(self.message_id(self.server, self.local))
                .content(response)
        });
        match &self.client.settings.expect {
            Some(expected) if response != expected.as_bytes() => {
                let shown = visible(response);
                let in_short = content(&shown, Some(response.len() as u64));
                let why = format!("answered '{in_short}', not '{expected}'");
                Err(Failure::no(&self.client.settings.connect, why))
            }
            _ => Ok(()),
        }
    }

    /// Begins the time for the exchange anew, after the connection was held.
    pub fn restart_deadline(&mut self) {
        self.deadline = self.client.deadline();
    }

    fn message_id(&self, from: SocketAddr, to: SocketAddr) -> MessageId {
        MessageId::new(Carrier::Tcp, from, to, 1)
    }

    fn failure(&self, error: &io::Error) -> Failure {
        let why = match error.kind() {
            io::ErrorKind::TimedOut => "no answer in time".into(),
            _ => why(error),
        };
        Failure::no(&self.client.settings.connect, why)
    }

    fn record(&self, event: impl FnOnce() -> Event) {
        if let Some(recorder) = self.client.recorder {
            recorder.record(event().peer(self.server));
        }
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        self.record(|| Event::new(Kind::Close));
    }
}
