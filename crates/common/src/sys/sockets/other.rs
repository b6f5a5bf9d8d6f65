//! The same where the system has less.

use std::{
    io,
    net::{SocketAddr, TcpListener, UdpSocket},
};

use socket2::{SockAddr, Socket};

#[cfg(unix)]
use super::unix::wait;
#[cfg(windows)]
use super::windows::wait;
use crate::sys::{types::Interest, wake_up::WakeUp};

/// A wait of one of several threads for the same listener. A new connection wakes all of them, and one takes it.
#[derive(Debug)]
pub struct AcceptWait(());

impl AcceptWait {
    /// A wait for this listener and this wake-up.
    ///
    /// # Errors
    /// None here.
    pub fn new(_listener: &TcpListener, _stop: &WakeUp) -> io::Result<Self> {
        Ok(Self(()))
    }

    /// Waits until a connection may be waiting or the wake-up wakes.
    ///
    /// # Errors
    /// When the system cannot poll.
    pub fn wait(&self, listener: &TcpListener, stop: &WakeUp) -> io::Result<()> {
        wait(listener, Interest::Read, None, Some(stop)).map(drop)
    }
}

/// Would make the kernel drop every request for a new connection.
///
/// # Errors
/// Always: only Linux can, and connections are taken as before.
pub fn drop_requests(_listener: &TcpListener) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Nothing: only Linux reports to a socket that is not connected that nobody listens at an address; elsewhere that is silence.
///
/// # Errors
/// None.
pub fn report_unreachable(_socket: &UdpSocket) -> io::Result<()> {
    Ok(())
}

/// Has a socket that is to be bound to [::] take IPv4, too, as on Linux.
///
/// # Errors
/// As setsockopt.
pub fn both_families(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    match address.is_ipv6() && address.ip().is_unspecified() {
        true => socket.set_only_v6(false),
        false => Ok(()),
    }
}

/// Binds a socket that connects next to an address. The system chooses a port that no other socket has.
///
/// # Errors
/// As bind(2).
pub fn bind_without_port(socket: &Socket, address: &SockAddr) -> io::Result<()> {
    socket.bind(address)
}
