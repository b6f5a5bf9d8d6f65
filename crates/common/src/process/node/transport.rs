//! The transport of frames between real processes: datagrams, or lines on TCP connections. It never waits for a receiver:
//! it drops a frame that it cannot send at once, as a network does, and the reliable channels retransmit it.

use std::{
    io::{self, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::atomic::{AtomicUsize, Ordering},
    thread::Scope,
    time::{Duration, Instant},
};

use crossbeam::{
    channel::{Receiver, Sender, bounded},
    select,
};

use super::wire::{LONGEST, Rejected};
use crate::{
    exit::{Failure, why},
    message,
    net::{self, Deadline, Interest, Woken, wait},
    shutdown::Shutdown,
};

/// How many received frames may wait; and for each connection, how many frames to write.
const QUEUE: usize = 1024;

/// How long connecting and writing a line may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// The pause after a failed connection.
const RETRY: Duration = Duration::from_millis(100);

/// How long a connection may be idle before it is closed, so that none occupies a reader for ever. A peer that sends later
/// connects again.
const IDLE: Duration = Duration::from_secs(120);

/// How many connections are read at once, beyond the number of peers.
const EXTRA_READERS: usize = 16;

/// A received frame, with its source.
pub(super) type Incoming = (SocketAddr, Result<Vec<u8>, Rejected>);

/// A bound socket.
#[derive(Debug)]
pub enum BoundSocket {
    /// For datagrams.
    Udp(UdpSocket),
    /// For connections.
    Tcp(TcpListener),
}

impl BoundSocket {
    /// Binds to this address, for datagrams.
    ///
    /// # Errors
    /// `listen on ADDRESS: why` (exit code 2).
    pub fn udp(address: SocketAddr) -> Result<Self, Failure> {
        let socket = UdpSocket::bind(address).and_then(|socket| {
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        let failed = |error| Failure::could_not_run(format!("listen on {address}"), why(&error));
        socket.map(Self::Udp).map_err(failed)
    }

    /// Binds to this address, for connections.
    ///
    /// # Errors
    /// `listen on ADDRESS: why` (exit code 2).
    pub fn tcp(address: SocketAddr) -> Result<Self, Failure> {
        net::listen(address, 128).map(Self::Tcp)
    }

    /// The real address.
    ///
    /// # Errors
    /// When the system does not report it.
    pub fn address(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Udp(socket) => socket.local_addr(),
            Self::Tcp(listener) => listener.local_addr(),
        }
    }
}

/// The transport to all peers.
#[derive(Debug)]
pub(super) struct FrameTransport<'s> {
    routes: Routes<'s>,
    pub(super) incoming: Receiver<Incoming>,
}

#[derive(Debug)]
enum Routes<'s> {
    /// The socket, and whether its addresses are those of IPv6.
    Udp(&'s UdpSocket, bool),
    /// Each process's queue of lines to be written.
    Tcp(Vec<Option<Sender<Vec<u8>>>>),
}

impl<'s> FrameTransport<'s> {
    /// Starts the transport's threads, which end with `closing`. `peers` has the addresses of the other processes, by number.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, 's>,
        bound: &'s BoundSocket,
        peers: Vec<Option<SocketAddr>>,
        closing: &'s Shutdown,
    ) -> Result<Self, Failure> {
        let (sender, incoming) = bounded(QUEUE);
        let routes = match bound {
            BoundSocket::Udp(socket) => {
                spawn(scope, "udp".into(), move || {
                    read_datagrams(socket, &sender, closing)
                })?;
                let is_ipv6 = socket.local_addr().is_ok_and(|address| address.is_ipv6());
                Routes::Udp(socket, is_ipv6)
            }
            BoundSocket::Tcp(listener) => {
                let most = peers.len() + EXTRA_READERS;
                spawn(scope, "tcp".into(), move || {
                    accept_connections(scope, listener, most, &sender, closing);
                })?;
                let mut routes = Vec::new();
                for (number, peer) in peers.into_iter().enumerate() {
                    routes.push(match peer {
                        None => None,
                        Some(address) => {
                            let (lines, to_write) = bounded(QUEUE);
                            spawn(scope, format!("to-{}", number + 1), move || {
                                write_lines(address, &to_write, closing);
                            })?;
                            Some(lines)
                        }
                    });
                }
                Routes::Tcp(routes)
            }
        };
        Ok(Self { routes, incoming })
    }

    /// The transport's name in the log.
    pub(super) fn carrier(&self) -> message::Carrier {
        match self.routes {
            Routes::Udp(..) => message::Carrier::Udp,
            Routes::Tcp(_) => message::Carrier::Tcp,
        }
    }

    /// Sends a frame to the process with this number, which is at this address, or drops it. Connections lead to the addresses
    /// that were known at the start.
    pub(super) fn send(&self, to: usize, address: Option<SocketAddr>, mut bytes: Vec<u8>) {
        match &self.routes {
            Routes::Udp(..) => {
                if let Some(address) = address {
                    self.send_datagram(address, &bytes);
                }
            }
            Routes::Tcp(routes) => {
                if let Some(Some(lines)) = routes.get(to) {
                    bytes.push(b'\n');
                    let _ = lines.try_send(bytes);
                }
            }
        }
    }

    /// Sends a datagram to an address, whichever process is there.
    pub(super) fn send_datagram(&self, mut address: SocketAddr, bytes: &[u8]) {
        let Routes::Udp(socket, is_ipv6) = self.routes else {
            return;
        };
        if let (true, IpAddr::V4(ip)) = (is_ipv6, address.ip()) {
            address.set_ip(ip.to_ipv6_mapped().into());
        }
        // No receiver, or no buffer space: the channel retransmits.
        let _ = socket.send_to(bytes, address);
    }
}

/// Starts a thread with this name.
///
/// # Errors
/// When the system has no further thread (exit code 2).
pub fn spawn<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: String,
    work: impl FnOnce() + Send + 'scope,
) -> Result<(), Failure> {
    // The start of a thread is much code, which is compiled once for all that threads do.
    let work: Box<dyn FnOnce() + Send + 'scope> = Box::new(work);
    let started = std::thread::Builder::new()
        .name(name.clone())
        .spawn_scoped(scope, work);
    let failed = |error| Failure::could_not_run(format!("thread {name}"), why(&error));
    started.map(drop).map_err(failed)
}

fn read_datagrams(socket: &UdpSocket, incoming: &Sender<Incoming>, closing: &Shutdown) {
    // One byte more than the longest frame, to detect a longer one.
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
            // An earlier datagram had no receiver (ICMP port unreachable).
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(_) => drop(closing.sleep(RETRY)),
        }
    }
}

fn accept_connections<'scope, 's>(
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
                // A connection beyond the limit is closed at once: every peer has one.
                if readers.load(Ordering::Relaxed) >= most {
                    continue;
                }
                readers.fetch_add(1, Ordering::Relaxed);
                let (incoming, readers) = (incoming.clone(), std::sync::Arc::clone(&readers));
                let _ = spawn(scope, format!("from-{from}"), move || {
                    read_lines(stream, from, &incoming, closing);
                    readers.fetch_sub(1, Ordering::Relaxed);
                });
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if wait(listener, Interest::Read, None, Some(closing)).is_err() {
                    return;
                }
            }
            Err(_) => drop(closing.sleep(RETRY)),
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
            closing.put(incoming, (from, Err(Rejected::TooLong)));
            return;
        }
    }
    if !pending.is_empty() && !closing.requested() {
        closing.put(incoming, (from, Err(Rejected::Truncated)));
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
        let patience = Deadline {
            until: Instant::now() + PATIENCE,
            grace: Duration::ZERO,
        };
        if connection.is_none() {
            match net::connect(address, None, patience, closing) {
                Ok(stream) => {
                    // A frame is written whole, and must not wait for the next one (Nagle's algorithm).
                    let _ = stream.set_nodelay(true);
                    connection = Some(stream);
                }
                Err(_) => {
                    if closing.sleep(RETRY) {
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
