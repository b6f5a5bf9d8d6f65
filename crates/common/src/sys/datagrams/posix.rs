//! What Linux, macOS and the BSDs have in common.

use std::{
    io,
    net::{SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket},
};

use nix::{errno::Errno, sys::socket::SockaddrStorage};

use super::cause::Cause;

/// What the destination of a connected socket answered to an earlier datagram, once.
///
/// # Errors
/// As getsockopt(2).
pub fn pending_error(socket: &UdpSocket) -> io::Result<Option<io::Error>> {
    socket.take_error()
}

/// What an error of a UDP socket means.
pub fn cause(error: &io::Error) -> Cause {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ECONNREFUSED) => Cause::NoListener,
        Some(Errno::ENETUNREACH) => Cause::NoRoute,
        Some(Errno::EHOSTUNREACH) => Cause::HostUnreachable,
        Some(Errno::ENODEV | Errno::ENXIO) => Cause::NoInterface,
        Some(Errno::ENETDOWN) => Cause::InterfaceDown,
        Some(Errno::EADDRNOTAVAIL) => Cause::NoSuchAddress,
        Some(Errno::EADDRINUSE) => Cause::InUse,
        Some(Errno::EDESTADDRREQ) => Cause::NoDestination,
        Some(Errno::EINVAL) => Cause::Invalid,
        Some(Errno::EPERM) => Cause::NotPermitted,
        Some(Errno::EACCES) => Cause::Denied,
        Some(Errno::ENOBUFS | Errno::ETOOMANYREFS) => Cause::NoRoom,
        Some(Errno::ENOMEM) => Cause::NoMemory,
        Some(Errno::EMSGSIZE) => Cause::TooLong,
        Some(Errno::ENOPROTOOPT | Errno::EOPNOTSUPP) => Cause::NotSupported,
        Some(Errno::EIO) => Cause::Device,
        _ => Cause::Other,
    }
}

/// The address in a form of the standard library's.
pub(super) fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address
        .as_sockaddr_in()
        .map(|v4| SocketAddrV4::from(*v4).into());
    let v6 = || {
        address
            .as_sockaddr_in6()
            .map(|v6| SocketAddrV6::from(*v6).into())
    };
    v4.or_else(v6)
}
