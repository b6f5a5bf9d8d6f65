//! What carries frames between real processes: datagrams, or lines on connections. Neither waits for a receiver; what
//! cannot be carried now is dropped, as a network does, and the channels send it again.

use std::{
    io::{self, Write},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::atomic::{AtomicUsize, Ordering},
    thread::Scope,
    time::{Duration, Instant},
};

use common::{
    exit::{Failure, why},
    message,
    net::{self, Interest, Patience, Woken, wait},
    shutdown::Shutdown,
};
use crossbeam::{
    channel::{Receiver, Sender, bounded},
    select,
};

use super::wire::{LONGEST, Refused};
use crate::config::Transport;

/// How many frames may wait to be looked at; and for one connection, to be written.
const QUEUE: usize = 1024;

/// How long a connection may take to stand, or to take a line.
const PATIENCE: Duration = Duration::from_secs(1);

/// The pause before a process that does not take a connection is tried again.
const AGAIN: Duration = Duration::from_millis(100);

/// How long a connection may bring nothing before it is closed, so that nobody holds a place for good. A process that has
/// something to say later makes another one.
const IDLE: Duration = Duration::from_secs(120);

/// How many connections more than there are peers are read from at once.
const GUESTS: usize = 16;

/// What has come, and from where.
pub(super) type Incoming = (SocketAddr, Result<Vec<u8>, Refused>);

/// A socket that is bound.
#[derive(Debug)]
pub enum Bound {
    /// For datagrams.
    Udp(UdpSocket),
    /// For connections.
    Tcp(TcpListener),
}

impl Bound {
    /// Binds to this address.
    ///
    /// # Errors
    /// `listen on ADDRESS: why` (exit code 2).
    pub fn new(transport: Transport, address: SocketAddr) -> Result<Self, Failure> {
        match transport {
            Transport::Tcp => net::listen(address, 128).map(Self::Tcp),
            Transport::Udp => {
                let socket = UdpSocket::bind(address).and_then(|socket| {
                    socket.set_nonblocking(true)?;
                    Ok(socket)
                });
                let failed =
                    |error| Failure::could_not_run(format!("listen on {address}"), why(&error));
                socket.map(Self::Udp).map_err(failed)
            }
        }
    }

    /// The real address.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Udp(socket) => socket.local_addr(),
            Self::Tcp(listener) => listener.local_addr(),
        }
    }
}

/// Where frames for the other processes go, and come from.
#[derive(Debug)]
pub(super) struct Carrier<'s> {
    ways: Ways<'s>,
    pub(super) incoming: Receiver<Incoming>,
}

#[derive(Debug)]
enum Ways<'s> {
    /// The socket, and each process's address.
    Udp(&'s UdpSocket, Vec<Option<SocketAddr>>),
    /// Each process's queue of lines to be written.
    Tcp(Vec<Option<Sender<Vec<u8>>>>),
}

impl<'s> Carrier<'s> {
    /// Starts the threads that carry; they end with `closing`. `peers` has the address of every other process, by number.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, 's>,
        bound: &'s Bound,
        peers: Vec<Option<SocketAddr>>,
        closing: &'s Shutdown,
    ) -> Result<Self, Failure> {
        let (sender, incoming) = bounded(QUEUE);
        let ways = match bound {
            Bound::Udp(socket) => {
                start(scope, "udp".into(), move || {
                    read_datagrams(socket, &sender, closing)
                })?;
                Ways::Udp(socket, peers)
            }
            Bound::Tcp(listener) => {
                let most = peers.len() + GUESTS;
                start(scope, "tcp".into(), move || {
                    take_connections(scope, listener, most, &sender, closing);
                })?;
                let mut ways = Vec::new();
                for (number, peer) in peers.into_iter().enumerate() {
                    ways.push(match peer {
                        None => None,
                        Some(address) => {
                            let (lines, to_write) = bounded(QUEUE);
                            start(scope, format!("to-{}", number + 1), move || {
                                write_lines(address, &to_write, closing);
                            })?;
                            Some(lines)
                        }
                    });
                }
                Ways::Tcp(ways)
            }
        };
        Ok(Self { ways, incoming })
    }

    /// What messages go over.
    pub(super) fn word(&self) -> message::Carrier {
        match self.ways {
            Ways::Udp(..) => message::Carrier::Udp,
            Ways::Tcp(_) => message::Carrier::Tcp,
        }
    }

    /// Sends the bytes to the process of this number, as well as it can be done now.
    pub(super) fn send(&self, to: usize, mut bytes: Vec<u8>) {
        match &self.ways {
            Ways::Udp(socket, peers) => {
                if let Some(Some(address)) = peers.get(to) {
                    // Nobody there, or no room: the channel sends it again.
                    let _ = socket.send_to(&bytes, address);
                }
            }
            Ways::Tcp(ways) => {
                if let Some(Some(lines)) = ways.get(to) {
                    bytes.push(b'\n');
                    let _ = lines.try_send(bytes);
                }
            }
        }
    }
}

/// Starts a thread of this name.
pub(super) fn start<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: String,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<std::thread::ScopedJoinHandle<'scope, T>, Failure> {
    let started = std::thread::Builder::new()
        .name(name.clone())
        .spawn_scoped(scope, work);
    started.map_err(|error| Failure::could_not_run(format!("thread {name}"), why(&error)))
}

fn read_datagrams(socket: &UdpSocket, incoming: &Sender<Incoming>, closing: &Shutdown) {
    // One byte more than a frame has, so that a longer one shows.
    let mut buffer = vec![0; LONGEST + 1];
    while !closing.requested() {
        match socket.recv_from(&mut buffer) {
            Ok((length, from)) => {
                closing.put(incoming, (from, Ok(buffer[..length].to_vec())));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if wait(socket, Interest::Read, None, Some(closing)).is_err() {
                    return;
                }
            }
            // What was sent before to somebody who is not there (ICMP port unreachable).
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(_) => drop(closing.sleep(AGAIN)),
        }
    }
}

fn take_connections<'scope, 's>(
    scope: &'scope Scope<'scope, 's>,
    listener: &'s TcpListener,
    most: usize,
    incoming: &Sender<Incoming>,
    closing: &'s Shutdown,
) {
    let readers = std::sync::Arc::new(AtomicUsize::new(0));
    while !closing.requested() {
        match listener.accept() {
            Ok((stream, from)) => {
                // One too many is closed at once: the others are all there already.
                if readers.load(Ordering::Relaxed) >= most {
                    continue;
                }
                readers.fetch_add(1, Ordering::Relaxed);
                let (incoming, readers) = (incoming.clone(), std::sync::Arc::clone(&readers));
                let _ = start(scope, format!("from-{from}"), move || {
                    read_lines(stream, from, &incoming, closing);
                    readers.fetch_sub(1, Ordering::Relaxed);
                });
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if wait(listener, Interest::Read, None, Some(closing)).is_err() {
                    return;
                }
            }
            Err(_) => drop(closing.sleep(AGAIN)),
        }
    }
}

fn read_lines(
    stream: TcpStream,
    from: SocketAddr,
    incoming: &Sender<Incoming>,
    closing: &Shutdown,
) {
    let mut pending: Vec<u8> = Vec::new();
    let mut chunk = [0; 4096];
    while !closing.requested() {
        match net::try_read(&stream, &mut chunk) {
            Ok(0) => break,
            Ok(length) => pending.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let until = Instant::now() + IDLE;
                match wait(&stream, Interest::Read, Some(until), Some(closing)) {
                    Ok(Woken::Ready | Woken::Stopping) => continue,
                    Ok(Woken::TimedOut) => break,
                    Err(_) => return,
                }
            }
            Err(_) => break,
        }
        while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
            let mut line: Vec<u8> = pending.drain(..=end).collect();
            line.pop();
            closing.put(incoming, (from, Ok(line)));
        }
        if pending.len() > LONGEST {
            closing.put(incoming, (from, Err(Refused::TooLong)));
            return;
        }
    }
    if !pending.is_empty() && !closing.requested() {
        closing.put(incoming, (from, Err(Refused::Half)));
    }
}

fn write_lines(address: SocketAddr, lines: &Receiver<Vec<u8>>, closing: &Shutdown) {
    let mut connection: Option<TcpStream> = None;
    loop {
        let line = select! {
            recv(lines) -> line => match line {
                Ok(line) => line,
                Err(_) => return,
            },
            recv(closing.channel()) -> _ => return,
        };
        let patience = Patience {
            until: Instant::now() + PATIENCE,
            grace: Duration::ZERO,
        };
        if connection.is_none() {
            match net::connect(address, None, patience, closing) {
                Ok(stream) => {
                    // A frame is written whole, and shall not wait for the next one (Nagle).
                    let _ = stream.set_nodelay(true);
                    connection = Some(stream);
                }
                Err(_) => {
                    if closing.sleep(AGAIN) {
                        return;
                    }
                    continue;
                }
            }
        }
        if let Some(stream) = &mut connection
            && write_line(stream, &line, patience.until, closing).is_err()
        {
            connection = None;
        }
    }
}

fn write_line(
    stream: &mut TcpStream,
    mut line: &[u8],
    until: Instant,
    closing: &Shutdown,
) -> io::Result<()> {
    while !line.is_empty() {
        match stream.write(line) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => line = &line[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                match wait(&*stream, Interest::Write, Some(until), Some(closing))? {
                    Woken::Ready => {}
                    woken => net::woken(woken)?,
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
