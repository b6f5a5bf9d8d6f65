//! TCP sockets, and waits on any socket that a shutdown can interrupt.
//!
//! No thread blocks for long in a system call that cannot be interrupted: it tries first, without waiting or for
//! [`BRIEFLY`], and then waits in [`wait`].

use std::{
    io,
    net::{
        IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket,
    },
    time::{Duration, Instant},
};

use socket2::{Domain, Protocol, Socket, Type};

pub use crate::sys::{
    limits::raise_descriptor_limit,
    sockets::{AcceptWait, Interest, Pollable, Woken, drop_requests, try_read},
};
use crate::{
    exit::{Failure, why},
    shutdown::Shutdown,
    sys::errors::LOW_PORT,
    sys::sockets::{
        self, bind_without_port, block_briefly, both_families, is_in_progress, report_unreachable,
        share_address,
    },
};

/// Where the handout's server listens.
pub const SERVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 12345);

/// The longest message of an exchange with it, in bytes and in either direction: the handout's programs read once, at
/// most this much.
pub const LONGEST_MESSAGE: usize = 1024;

/// Waits until `file` is ready, until the moment `until` (None: no limit), or until `shutdown` is requested (None: it is
/// ignored). When several hold, readiness comes before a shutdown, and both before the time.
///
/// # Errors
/// When the system cannot poll.
pub fn wait(
    file: &impl Pollable,
    interest: Interest,
    until: Option<Instant>,
    shutdown: Option<&Shutdown>,
) -> io::Result<Woken> {
    sockets::wait(file, interest, until, shutdown.map(Shutdown::wake_up))
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
    file: &impl Pollable,
    interest: Interest,
    deadline: Deadline,
    shutdown: &Shutdown,
) -> io::Result<Woken> {
    match wait(file, interest, Some(deadline.until), Some(shutdown))? {
        Woken::Stopping => {}
        woken => return Ok(woken),
    }
    let end = shutdown.since().unwrap_or_else(Instant::now) + deadline.grace;
    match wait(file, interest, Some(deadline.until.min(end)), None)? {
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
        share_address(&socket)?;
        both_families(&socket, address)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(sockets::backlog(backlog))?;
        Ok(socket.into())
    };
    socket().map_err(|error: io::Error| {
        let hint = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "; another server listens there, or left connections in TIME-WAIT; --listen 127.0.0.1:0 takes a free port"
            }
            io::ErrorKind::PermissionDenied => LOW_PORT,
            _ => "",
        };
        Failure::could_not_run(
            format!("listen on {address}"),
            format!("{}{hint}", why(&error)),
        )
    })
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
    block_briefly(&socket, BRIEFLY)?;
    if let Some(source) = source {
        bind_without_port(&socket, &SocketAddr::new(source, 0).into())?;
    }
    match socket.connect(&address.into()) {
        Err(error) if is_in_progress(&error) => {
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

/// Begins a connection to `address` on a socket that never blocks. Once it has room to write, or something to read, it is
/// established or has failed, which the next write or read says.
///
/// # Errors
/// As connect(2).
pub fn begin_connect(address: SocketAddr) -> io::Result<TcpStream> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    match socket.connect(&address.into()) {
        Err(error) if !is_in_progress(&error) => Err(error),
        _ => Ok(socket.into()),
    }
}

/// A UDP socket that sends to any address from `source`, at a port that nobody can guess, and never blocks. Where the system
/// can, it reports when nobody listens at an address.
///
/// # Errors
/// As bind(2).
pub fn datagrams_from(source: IpAddr) -> io::Result<UdpSocket> {
    // The system chooses the port at random (RFC 6056).
    let socket = UdpSocket::bind((source, 0))?;
    socket.set_nonblocking(true)?;
    report_unreachable(&socket)?;
    Ok(socket)
}

/// The address from which this machine sends to `address`, by its routes. Nothing is sent.
///
/// # Errors
/// As connect(2), when there is no route.
pub fn source_to(address: SocketAddr) -> io::Result<IpAddr> {
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(address)?;
    Ok(socket.local_addr()?.ip())
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
