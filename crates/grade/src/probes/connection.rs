//! A TCP connection to a submission, or from one.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use socket2::SockRef;

/// The longest reply that is read, in bytes.
const LONGEST: usize = 64 << 10;

/// How reading ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// Enough has come.
    Enough,
    /// The other side has closed the connection.
    Closed,
    /// The other side has reset the connection.
    Reset,
    /// Nothing more came in time.
    Late,
}

impl End {
    /// The same in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Enough => "",
            Self::Closed => "and then the end of the connection",
            Self::Reset => "and then a reset of the connection",
            Self::Late => "and then nothing",
        }
    }
}

/// What was read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reading {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What came after them.
    pub end: End,
}

impl Reading {
    /// The same in words.
    pub fn words(&self) -> String {
        match (self.bytes.as_slice(), self.end) {
            (b"", End::Closed) => "the end of the connection, and no byte".into(),
            (b"", End::Reset) => "a reset of the connection, and no byte".into(),
            (b"", _) => "nothing".into(),
            (bytes, End::Enough) => quoted(bytes),
            (bytes, end) => format!("{} {}", quoted(bytes), end.words()),
        }
    }
}

/// Bytes in quotation marks, made safe to show and not too long.
pub fn quoted(bytes: &[u8]) -> String {
    const SHOWN: usize = 200;
    let text = common::text::visible(&bytes[..bytes.len().min(SHOWN)]);
    match bytes.len() {
        length if length > SHOWN => format!("\"{text}\"… ({length} bytes)"),
        _ => format!("\"{text}\""),
    }
}

/// A connection.
#[derive(Debug)]
pub struct Connection(TcpStream);

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody accepts it in time.
    pub fn open(address: SocketAddr, deadline: Instant) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, left(deadline))?;
        Ok(Self::of(stream))
    }

    /// One that was accepted.
    pub fn of(stream: TcpStream) -> Self {
        // Without it small fragments would be joined.
        let _ = stream.set_nodelay(true);
        Self(stream)
    }

    /// Sends these bytes.
    ///
    /// # Errors
    /// When the connection has ended.
    pub fn send(&mut self, bytes: &[u8], deadline: Instant) -> io::Result<()> {
        self.0.set_write_timeout(Some(left(deadline)))?;
        self.0.write_all(bytes)
    }

    /// Reads until `enough` bytes have come, or there are no more.
    pub fn read(&mut self, enough: usize, deadline: Instant) -> Reading {
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        let end = loop {
            if bytes.len() >= enough.min(LONGEST) {
                break End::Enough;
            }
            if Instant::now() >= deadline || self.0.set_read_timeout(Some(left(deadline))).is_err()
            {
                break End::Late;
            }
            match self.0.read(&mut buffer) {
                Ok(0) => break End::Closed,
                Ok(length) => bytes.extend(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    ) =>
                {
                    break End::Late;
                }
                Err(_) => break End::Reset,
            }
        };
        Reading { bytes, end }
    }

    /// Ends it by a reset, as a client that crashes does.
    pub fn reset(self) {
        let _ = SockRef::from(&self.0).set_linger(Some(Duration::ZERO));
    }
}

/// The time until the deadline, and never none: sockets take that for no limit.
fn left(deadline: Instant) -> Duration {
    deadline
        .saturating_duration_since(Instant::now())
        .max(Duration::from_millis(1))
}
