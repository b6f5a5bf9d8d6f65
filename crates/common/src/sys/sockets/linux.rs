//! What Linux alone has: epoll for one of several waiters, filters on sockets, binding without a port.

use std::{
    io,
    net::{SocketAddr, TcpListener, UdpSocket},
};

use nix::{
    errno::Errno,
    sys::{
        epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout},
        socket::{
            setsockopt,
            sockopt::{IpBindAddressNoPort, Ipv4RecvErr, Ipv6RecvErr},
        },
    },
};
use socket2::{SockAddr, SockFilter, SockRef, Socket};

use crate::sys::wake_up::WakeUp;

/// A wait of one of several threads for the same listener, which a new connection wakes one of: an epoll with EPOLLEXCLUSIVE,
/// where poll(2) would wake all.
#[derive(Debug)]
pub struct AcceptWait(Epoll);

impl AcceptWait {
    /// A wait for this listener and this wake-up.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub fn new(listener: &TcpListener, stop: &WakeUp) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let interest = EpollFlags::EPOLLIN;
        epoll.add(
            listener,
            EpollEvent::new(interest | EpollFlags::EPOLLEXCLUSIVE, 0),
        )?;
        epoll.add(stop.socket(), EpollEvent::new(interest, 1))?;
        Ok(Self(epoll))
    }

    /// Waits until a connection may be waiting or the wake-up wakes.
    ///
    /// # Errors
    /// When the system cannot poll.
    pub fn wait(&self, _listener: &TcpListener, _stop: &WakeUp) -> io::Result<()> {
        match self.0.wait(&mut [EpollEvent::empty()], EpollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
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
    SockRef::from(listener).attach_filter(&[
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

/// Has a socket that is not connected report when nobody listens at an address that it sent to (ICMP port unreachable): the
/// next call returns `ConnectionRefused`.
///
/// # Errors
/// As setsockopt(2).
pub fn report_unreachable(socket: &UdpSocket) -> io::Result<()> {
    match socket.local_addr()? {
        SocketAddr::V4(_) => setsockopt(socket, Ipv4RecvErr, &true)?,
        SocketAddr::V6(_) => setsockopt(socket, Ipv6RecvErr, &true)?,
    }
    Ok(())
}

/// Nothing: a socket at `[::]` takes IPv4, too, unless `net.ipv6.bindv6only` says otherwise.
///
/// # Errors
/// None.
pub fn both_families(_socket: &Socket, _address: SocketAddr) -> io::Result<()> {
    Ok(())
}

/// Binds a socket that connects next to an address. connect(2) chooses the port, and may choose one that is in use with
/// another destination.
///
/// # Errors
/// As bind(2).
pub fn bind_without_port(socket: &Socket, address: &SockAddr) -> io::Result<()> {
    setsockopt(socket, IpBindAddressNoPort, &true)?;
    socket.bind(address)
}
