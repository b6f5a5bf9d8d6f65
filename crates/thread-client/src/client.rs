//! The handout's client: connect, send, receive, print, close.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind},
    exit::{Failure, why},
    journal::Journal,
    message::{Carrier, MessageId},
    net::{Interest, LONGEST_MESSAGE, Patience, connect, wait_patiently, woken},
    shutdown::Shutdown,
};

use crate::config::Settings;

/// How long an exchange that was begun goes on after a request to stop.
const GRACE: Duration = Duration::from_secs(2);

/// One exchange with the server.
///
/// # Errors
/// `connect to HOST:PORT: why` or `HOST:PORT: why` (exit code 1).
pub fn exchange(
    addresses: &[SocketAddr],
    settings: &Settings,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<(), Failure> {
    let patience = Patience {
        until: Instant::now() + settings.timeout,
        grace: GRACE,
    };
    let (stream, server) = connect_to_any(addresses, patience, shutdown).map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::ConnectionRefused => "; is thread-server running there?",
            _ => "",
        };
        Failure::no(
            format!("connect to {}", settings.connect),
            format!("{}{hint}", why(&error)),
        )
    })?;
    journal.record(Event::new(Kind::Connect).peer(server));
    let answered = greet(&stream, server, settings, patience, journal, shutdown);
    drop(stream);
    journal.record(Event::new(Kind::Close).peer(server));
    answered.map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::TimedOut => "no answer in time".into(),
            _ => why(&error),
        };
        Failure::no(&settings.connect, why)
    })
}

/// Sends the message and waits for the answer: one read, as the handout's client does.
fn greet(
    mut stream: &TcpStream,
    server: SocketAddr,
    settings: &Settings,
    patience: Patience,
    journal: &Journal,
    shutdown: &Shutdown,
) -> io::Result<()> {
    let us = stream.local_addr()?;
    let id = |from, to| MessageId::new(Carrier::Tcp, from, to, 1);
    let message = settings.message.as_bytes();
    let sent = Event::new(Kind::Send)
        .peer(server)
        .message(id(us, server))
        .content(message);
    // Never waits: a new connection's send buffer has room for the longest message.
    stream.write_all(message)?;
    journal.record(sent);

    woken(wait_patiently(stream, Interest::Read, patience, shutdown)?)?;
    let mut answer = [0; LONGEST_MESSAGE];
    let length = stream.read(&mut answer)?;
    if length == 0 {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "closed without an answer",
        ));
    }
    journal.record(
        Event::new(Kind::Receive)
            .peer(server)
            .message(id(server, us))
            .content(&answer[..length]),
    );
    Ok(())
}

/// Tries each address in turn, each with its share of the time that is left, so that one that does not answer
/// leaves some for the next.
fn connect_to_any(
    addresses: &[SocketAddr],
    patience: Patience,
    shutdown: &Shutdown,
) -> io::Result<(TcpStream, SocketAddr)> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for (tried, address) in addresses.iter().enumerate() {
        let now = Instant::now();
        let shares = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let share = patience.until.saturating_duration_since(now) / shares;
        match connect(
            *address,
            Patience {
                until: now + share,
                ..patience
            },
            shutdown,
        ) {
            // Two ends with one address are a socket connected to itself (RFC 9293 section 3.5): nobody listens on
            // the port, and the kernel chose that very port for the client.
            Ok(stream) if stream.local_addr()? == *address => {
                last = io::ErrorKind::ConnectionRefused.into()
            }
            Ok(stream) => return Ok((stream, *address)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => last = error,
        }
    }
    Err(last)
}
