//! TCP sockets, and waiting on any socket in a way that a shutdown can interrupt.
//!
//! No thread ever sits for long in a system call that cannot be ended: it tries first, without waiting or [`BRIEFLY`],
//! and waits in [`wait`] when there is nothing yet.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream, ToSocketAddrs},
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
use socket2::{Domain, Protocol, Socket, Type};

use crate::{
    exit::{Failure, why},
    shutdown::Shutdown,
    text::visible,
};

/// Where the handout's server listens.
pub const SERVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 12345);

/// The longest message of an exchange with it, in bytes and either direction: the handout's programs read once, at
/// most so much.
pub const LONGEST_MESSAGE: usize = 1024;

/// What a thread waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Interest {
    /// Something to read or accept, or the end of it.
    Read,
    /// Room to write, or the end of connecting.
    Write,
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Woken {
    /// What was waited for.
    Ready,
    /// The time is up.
    TimedOut,
    /// The program is to stop.
    Stopping,
}

/// Waits until `file` is ready, the moment `until` has come (None: no limit), or `shutdown` is requested (None: it
/// does not matter). What is ready comes before a shutdown, and both before the time.
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
            // A signal, or a millisecond rounded: the wait goes on.
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) if files[0].any().unwrap_or(true) => return Ok(Woken::Ready),
            Ok(_) => return Ok(Woken::Stopping),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The time in poll's milliseconds, rounded up so that the last one is not spun away.
fn whole_millis(left: Duration) -> PollTimeout {
    PollTimeout::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(PollTimeout::MAX)
}

/// How long one exchange may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// When it is given up.
    pub until: Instant,
    /// How long after a shutdown was requested it may still go on.
    pub grace: Duration,
}

/// Waits as [`wait`] does for something that was begun before a shutdown and is finished within its grace time;
/// [`Woken::Stopping`] says that the grace time is over.
///
/// # Errors
/// When the system cannot poll.
pub fn wait_patiently(
    file: impl AsFd,
    interest: Interest,
    patience: Patience,
    shutdown: &Shutdown,
) -> io::Result<Woken> {
    match wait(&file, interest, Some(patience.until), Some(shutdown))? {
        Woken::Stopping => {}
        woken => return Ok(woken),
    }
    let end = shutdown.since().unwrap_or_else(Instant::now) + patience.grace;
    match wait(&file, interest, Some(patience.until.min(end)), None)? {
        Woken::TimedOut if end < patience.until => Ok(Woken::Stopping),
        woken => Ok(woken),
    }
}

/// A listening socket with SO_REUSEADDR, so that a restart does not wait for the last run's connections to fade
/// (TIME-WAIT, RFC 9293 section 3.6.1). The kernel cuts `backlog` to its own limit (`net.core.somaxconn`).
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
                "; another server is there, or left connections behind; --listen 127.0.0.1:0 takes a free port"
            }
            io::ErrorKind::PermissionDenied => "; ports below 1024 are the administrator's",
            _ => "",
        };
        Failure::could_not_run(
            format!("listen on {address}"),
            format!("{}{hint}", why(&error)),
        )
    })
}

/// What is there to read, without waiting for it, whatever mode the socket is in; 0 bytes are the end.
///
/// # Errors
/// As recv(2); `WouldBlock` when nothing is there yet.
pub fn try_read(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(recv(stream.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT)?)
}

/// One thread's place in the queue of those who wait for the same listener: a new connection wakes one of them,
/// where poll(2) would wake all (epoll's EPOLLEXCLUSIVE).
#[derive(Debug)]
pub struct Doorbell(Epoll);

impl Doorbell {
    /// A place at this listener's door.
    ///
    /// # Errors
    /// When the system has no descriptor left for it.
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

    /// Waits until somebody may be at the door or the shutdown is requested.
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

/// An IPv4 address that an IPv6 socket sees as `::ffff:a.b.c.d`, as the other side knows it.
pub fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// The socket addresses of `HOST:PORT`, in the order of the system's resolver.
///
/// # Errors
/// `FLAG HOST:PORT: why` (exit code 2).
pub fn resolve(flag: &str, host_and_port: &str) -> Result<Vec<SocketAddr>, Failure> {
    let fail = |why: &str| {
        Failure::could_not_run(format!("{flag} {}", visible(host_and_port.as_bytes())), why)
    };
    let (host, port) = host_and_port
        .rsplit_once(':')
        .unwrap_or((host_and_port, ""));
    if host.is_empty() || port.parse::<u16>().is_err() {
        return Err(fail("not HOST:PORT, such as localhost:12345"));
    }
    let found = host_and_port.to_socket_addrs().map_err(|error| {
        let text = why(&error);
        fail(
            text.rsplit_once("information: ")
                .map_or(&*text, |(_, reason)| reason)
                .to_lowercase()
                .as_str(),
        )
    })?;
    let addresses: Vec<_> = found.collect();
    if addresses.is_empty() {
        Err(fail("the name has no address"))
    } else {
        Ok(addresses)
    }
}

/// How long a connect, a read or a write on a socket of [`connect`] waits by itself, before it says `WouldBlock` and
/// whoever called waits in a way that a stop can end. Most are over sooner, and one system call where three were.
pub const BRIEFLY: Duration = Duration::from_millis(20);

/// A connection to `address`, from the address `source` if one is given. The socket blocks, but only [`BRIEFLY`].
///
/// # Errors
/// As connect(2); `TimedOut` when the patience is over, `Interrupted` when a shutdown's grace time is.
pub fn connect(
    address: SocketAddr,
    source: Option<IpAddr>,
    patience: Patience,
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
        // The port is chosen by connect, which may take one that another destination uses already.
        setsockopt(&socket, IpBindAddressNoPort, &true)?;
        socket.bind(&SocketAddr::new(source, 0).into())?;
    }
    match socket.connect(&address.into()) {
        // Its own time is over, or a signal came: it goes on all the same.
        Err(error)
            if error.raw_os_error() == Some(Errno::EINPROGRESS as i32)
                || error.kind() == io::ErrorKind::Interrupted =>
        {
            woken(wait_patiently(
                &socket,
                Interest::Write,
                patience,
                shutdown,
            )?)?;
            socket.take_error()?.map_or(Ok(()), Err)?;
        }
        done => done?,
    }
    Ok(socket.into())
}

/// A wait that ended without what was waited for, as an error.
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

/// Raises the soft limit of open descriptors to the hard one: many systems start programs with room for 1,024
/// although they allow far more. Where it cannot be raised the program lives with what there is.
pub fn raise_descriptor_limit() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
    {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, os::unix::net::UnixStream};

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
    fn what_was_begun_has_its_grace_time() {
        let shutdown = Shutdown::new().unwrap();
        let (reader, writer) = UnixStream::pair().unwrap();
        shutdown.request();
        let begun = Instant::now();
        let patience = Patience {
            until: begun + Duration::from_secs(60),
            grace: Duration::from_millis(20),
        };
        assert_eq!(
            wait_patiently(&reader, Interest::Read, patience, &shutdown).unwrap(),
            Woken::Stopping
        );
        assert!(begun.elapsed() >= Duration::from_millis(15));
        drop(writer);
        assert_eq!(
            wait_patiently(&reader, Interest::Read, patience, &shutdown).unwrap(),
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
    fn names_that_are_none_are_refused() {
        for bad in ["localhost", "localhost:", ":1", "localhost:70000"] {
            let failure = resolve("--connect", bad).unwrap_err().to_string();
            assert_eq!(
                failure,
                format!("--connect {bad}: not HOST:PORT, such as localhost:12345")
            );
        }
        assert!(
            resolve("--connect", "localhost:1")
                .unwrap()
                .iter()
                .all(|address| address.ip().is_loopback())
        );
    }

    #[test]
    fn nobody_listening_is_told() {
        // Bound, so that nobody else gets it, and not listening.
        let bound = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        bound
            .bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())
            .unwrap();
        let unused = bound.local_addr().unwrap().as_socket().unwrap();
        let patience = Patience {
            until: Instant::now() + Duration::from_secs(60),
            grace: Duration::ZERO,
        };
        let error = connect(unused, None, patience, &Shutdown::new().unwrap()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
