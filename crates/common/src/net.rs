//! TCP sockets, and waits on any socket that a shutdown can interrupt.
//!
//! No thread blocks for long in a system call that cannot be interrupted: it tries first, without waiting or for
//! [`BRIEFLY`], and then waits in [`wait`].

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream},
    os::fd::{AsFd, AsRawFd},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout},
        resource::{Resource, getrlimit, setrlimit},
        socket::{MsgFlags, recv, setsockopt, sockopt::IpBindAddressNoPort},
    },
};
use socket2::{Domain, Protocol, SockFilter, Socket, Type};

use crate::{
    exit::{Failure, why},
    shutdown::Shutdown,
};

/// Where the handout's server listens.
pub const SERVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 12345);

/// The longest message of an exchange with it, in bytes and in either direction: the handout's programs read once, at
/// most this much.
pub const LONGEST_MESSAGE: usize = 1024;

/// What a thread waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Interest {
    /// Data to read, a connection to accept, or the end of the stream.
    Read,
    /// Room to write, or the result of connect(2).
    Write,
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Woken {
    /// The file is ready.
    Ready,
    /// The time is over.
    TimedOut,
    /// A shutdown was requested.
    Stopping,
}

/// Waits until `file` is ready, until the moment `until` (None: no limit), or until `shutdown` is requested (None: it is
/// ignored). When several hold, readiness comes before a shutdown, and both before the time.
///
/// # Errors
/// When the system cannot poll.
pub fn wait(
    file: impl AsFd,
    interest: Interest,
    until: Option<Instant>,
    shutdown: Option<&Shutdown>,
) -> io::Result<Woken> {
    let flags = match interest {
        Interest::Read => PollFlags::POLLIN,
        Interest::Write => PollFlags::POLLOUT,
    };
    let stop = shutdown.map_or(file.as_fd(), AsFd::as_fd);
    let mut files = [
        PollFd::new(file.as_fd(), flags),
        PollFd::new(stop, PollFlags::POLLIN),
    ];
    let files = if shutdown.is_some() {
        &mut files[..]
    } else {
        &mut files[..1]
    };
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        match poll(files, left.map_or(PollTimeout::NONE, whole_millis)) {
            Ok(0) if left.is_some_and(|left| left.is_zero()) => return Ok(Woken::TimedOut),
            // A signal, or a rounded millisecond: the wait goes on.
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) if files[0].any().unwrap_or(true) => return Ok(Woken::Ready),
            Ok(_) => return Ok(Woken::Stopping),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The time in poll's milliseconds, rounded up so that the last one is not a busy wait.
fn whole_millis(left: Duration) -> PollTimeout {
    PollTimeout::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(PollTimeout::MAX)
}

/// The deadline of an exchange.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    /// The moment at which it times out.
    pub until: Instant,
    /// How long it may go on after a shutdown was requested.
    pub grace: Duration,
}

/// Waits as [`wait`] does, but after a shutdown was requested goes on for the grace time; [`Woken::Stopping`] means that
/// the grace time is over.
///
/// # Errors
/// When the system cannot poll.
pub fn wait_with_grace(
    file: impl AsFd,
    interest: Interest,
    deadline: Deadline,
    shutdown: &Shutdown,
) -> io::Result<Woken> {
    match wait(&file, interest, Some(deadline.until), Some(shutdown))? {
        Woken::Stopping => {}
        woken => return Ok(woken),
    }
    let end = shutdown.since().unwrap_or_else(Instant::now) + deadline.grace;
    match wait(&file, interest, Some(deadline.until.min(end)), None)? {
        Woken::TimedOut if end < deadline.until => Ok(Woken::Stopping),
        woken => Ok(woken),
    }
}

/// A listening socket with SO_REUSEADDR, so that a restart does not wait for the last run's connections in TIME-WAIT
/// (RFC 9293 section 3.6.1). The kernel limits `backlog` to `net.core.somaxconn`.
///
/// # Errors
/// `listen on ADDRESS: why` (exit code 2).
pub fn listen(address: SocketAddr, backlog: i32) -> Result<TcpListener, Failure> {
    let socket = || {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(backlog)?;
        Ok(socket.into())
    };
    socket().map_err(|error: io::Error| {
        let hint = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "; another server listens there, or left connections in TIME-WAIT; --listen 127.0.0.1:0 takes a free port"
            }
            io::ErrorKind::PermissionDenied => "; ports below 1024 are reserved for the administrator",
            _ => "",
        };
        Failure::could_not_run(
            format!("listen on {address}"),
            format!("{}{hint}", why(&error)),
        )
    })
}

/// Makes the kernel drop every request for a new connection from now on, while the connections that are in the listen
/// backlog, or are about to enter it, stay. Needs no descriptor. A client whose request is dropped repeats it (RFC 9293
/// section 3.8.1), and is refused once the listener is closed.
///
/// # Errors
/// As setsockopt(2); then connections are taken as before.
pub fn drop_requests(listener: &TcpListener) -> io::Result<()> {
    const SYN: u32 = 0x02;
    // A program of the classic packet filter, which sees the packet from its TCP header on.
    socket2::SockRef::from(listener).attach_filter(&[
        // Load the byte with the flags.
        SockFilter::new(0x30, 0, 0, 13),
        // Without SYN, skip one instruction.
        SockFilter::new(0x45, 0, 1, SYN),
        // Drop the packet.
        SockFilter::new(0x06, 0, 0, 0),
        // Keep all of it.
        SockFilter::new(0x06, 0, 0, u32::MAX),
    ])
}

/// Reads without waiting, whether the socket blocks or not; 0 bytes are the end of the stream.
///
/// # Errors
/// As recv(2); `WouldBlock` when there is no data yet.
pub fn try_read(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(recv(stream.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT)?)
}

/// An epoll for one of several threads that wait for the same listener (EPOLLEXCLUSIVE): a new connection wakes one of
/// them, where poll(2) would wake all.
#[derive(Debug)]
pub struct ExclusiveEpoll(Epoll);

impl ExclusiveEpoll {
    /// An epoll on this listener and on the shutdown.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub fn new(listener: &TcpListener, shutdown: &Shutdown) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let interest = EpollFlags::EPOLLIN;
        epoll.add(
            listener,
            EpollEvent::new(interest | EpollFlags::EPOLLEXCLUSIVE, 0),
        )?;
        epoll.add(shutdown, EpollEvent::new(interest, 1))?;
        Ok(Self(epoll))
    }

    /// Waits until a connection may be waiting or the shutdown is requested.
    ///
    /// # Errors
    /// When the system cannot poll.
    pub fn wait(&self) -> io::Result<()> {
        match self.0.wait(&mut [EpollEvent::empty()], EpollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The address as the peer knows it: an IPv6 socket shows an IPv4 address as `::ffff:a.b.c.d`. A link-local address keeps
/// its zone.
pub fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        v4 @ IpAddr::V4(_) => SocketAddr::new(v4, address.port()),
        IpAddr::V6(_) => address,
    }
}

/// How long a connect, a read or a write on a socket of [`connect`] blocks before it returns `WouldBlock` and the caller
/// waits in [`wait`]. Most return sooner: then one system call does the work of three.
pub const BRIEFLY: Duration = Duration::from_millis(20);

/// A connection to `address`, from the address `source` if one is given. The socket blocks, but only for [`BRIEFLY`].
///
/// # Errors
/// As connect(2); `TimedOut` after the deadline, `Interrupted` after a shutdown's grace time.
pub fn connect(
    address: SocketAddr,
    source: Option<IpAddr>,
    deadline: Deadline,
    shutdown: &Shutdown,
) -> io::Result<TcpStream> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_read_timeout(Some(BRIEFLY))?;
    socket.set_write_timeout(Some(BRIEFLY))?;
    if let Some(source) = source {
        // connect(2) chooses the port, and may choose one that is in use with another destination.
        setsockopt(&socket, IpBindAddressNoPort, &true)?;
        socket.bind(&SocketAddr::new(source, 0).into())?;
    }
    match socket.connect(&address.into()) {
        // The socket's timeout is over, or a signal was delivered: the connect goes on.
        Err(error)
            if error.raw_os_error() == Some(Errno::EINPROGRESS as i32)
                || error.kind() == io::ErrorKind::Interrupted =>
        {
            woken(wait_with_grace(
                &socket,
                Interest::Write,
                deadline,
                shutdown,
            )?)?;
            socket.take_error()?.map_or(Ok(()), Err)?;
        }
        done => done?,
    }
    Ok(socket.into())
}

/// A wait that ended without readiness, as an error.
///
/// # Errors
/// `TimedOut`, or `Interrupted` by a shutdown.
pub fn woken(woken: Woken) -> io::Result<()> {
    match woken {
        Woken::Ready => Ok(()),
        Woken::TimedOut => Err(io::Error::new(io::ErrorKind::TimedOut, "timed out")),
        Woken::Stopping => Err(io::Error::new(io::ErrorKind::Interrupted, "stopped")),
    }
}

/// Raises the soft limit of open descriptors to the hard one: many systems start programs with a limit of 1,024
/// although they allow far more. Where it cannot be raised, it stays.
pub fn raise_descriptor_limit() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
    {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        os::unix::net::UnixStream,
    };

    use super::*;

    fn soon() -> Option<Instant> {
        Some(Instant::now() + Duration::from_millis(5))
    }

    #[test]
    fn a_wait_ends_by_readiness_time_or_shutdown() {
        let shutdown = Shutdown::new().unwrap();
        let (reader, mut writer) = UnixStream::pair().unwrap();
        assert_eq!(
            wait(&reader, Interest::Read, soon(), Some(&shutdown)).unwrap(),
            Woken::TimedOut
        );
        shutdown.request();
        assert_eq!(
            wait(&reader, Interest::Read, None, Some(&shutdown)).unwrap(),
            Woken::Stopping
        );
        assert_eq!(
            wait(&reader, Interest::Read, soon(), None).unwrap(),
            Woken::TimedOut
        );
        writer.write_all(b"x").unwrap();
        assert_eq!(
            wait(&reader, Interest::Read, None, Some(&shutdown)).unwrap(),
            Woken::Ready
        );
    }

    #[test]
    fn a_shutdown_leaves_the_grace_time() {
        let shutdown = Shutdown::new().unwrap();
        let (reader, writer) = UnixStream::pair().unwrap();
        shutdown.request();
        let begun = Instant::now();
        let deadline = Deadline {
            until: begun + Duration::from_secs(60),
            grace: Duration::from_millis(20),
        };
        assert_eq!(
            wait_with_grace(&reader, Interest::Read, deadline, &shutdown).unwrap(),
            Woken::Stopping
        );
        assert!(begun.elapsed() >= Duration::from_millis(15));
        drop(writer);
        assert_eq!(
            wait_with_grace(&reader, Interest::Read, deadline, &shutdown).unwrap(),
            Woken::Ready
        );
    }

    #[test]
    fn a_taken_address_is_one_line_with_a_hint() {
        let listener = listen("127.0.0.1:0".parse().unwrap(), 1).unwrap();
        let address = listener.local_addr().unwrap();
        let failure = listen(address, 1).unwrap_err().to_string();
        assert!(
            failure.starts_with(&format!("listen on {address}: address in use; ")),
            "{failure}"
        );
    }

    #[test]
    fn a_listener_that_drops_requests_keeps_its_backlog() {
        let listener = listen("127.0.0.1:0".parse().unwrap(), 8).unwrap();
        let address = listener.local_addr().unwrap();
        let connect = |time| {
            let deadline = Deadline {
                until: Instant::now() + time,
                grace: Duration::ZERO,
            };
            connect(address, None, deadline, &Shutdown::new().unwrap())
        };
        let mut first: Vec<_> = (0..3)
            .map(|_| connect(Duration::from_secs(60)).unwrap())
            .collect();
        drop_requests(&listener).unwrap();
        let late = connect(Duration::from_millis(100)).unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
        for client in &mut first {
            let (mut accepted, _) = listener.accept().unwrap();
            client.write_all(b"Hello").unwrap();
            wait(&accepted, Interest::Read, None, None).unwrap();
            let mut message = [0; 8];
            assert_eq!(accepted.read(&mut message).unwrap(), 5);
        }
        let none = listener.accept().unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_port_without_a_listener_refuses() {
        // Bound, so that no other process gets it, and not listening.
        let bound = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        bound
            .bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())
            .unwrap();
        let unused = bound.local_addr().unwrap().as_socket().unwrap();
        let deadline = Deadline {
            until: Instant::now() + Duration::from_secs(60),
            grace: Duration::ZERO,
        };
        let error = connect(unused, None, deadline, &Shutdown::new().unwrap()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
