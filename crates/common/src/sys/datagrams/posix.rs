//! What Linux, macOS and the BSDs have in common.

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket},
    os::fd::AsRawFd,
    time::Duration,
};

use nix::{
    errno::Errno,
    libc,
    sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg},
};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};

use super::{cause::Cause, received::Received};

/// How an interface is named where a group of IPv4 is joined or left.
pub fn membership_interface(index: u32, _address: Ipv4Addr) -> InterfaceIndexOrAddress {
    InterfaceIndexOrAddress::Index(index)
}

/// A UDP socket, of IPv4 or of IPv6. A read of it waits for so long at most.
///
/// # Errors
/// As socket(2).
pub(super) fn open(v4: bool, read_timeout: Duration) -> io::Result<Socket> {
    let domain = if v4 { Domain::IPV4 } else { Domain::IPV6 };
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_read_timeout(Some(read_timeout))?;
    Ok(socket)
}

/// Reads what has arrived; with `may_wait` it waits for it, as long as [`open`] allows. The kernel puts its control messages
/// into `control`, and each goes to `note`.
///
/// # Errors
/// As recvmsg(2): `WouldBlock` when nothing has arrived, `Interrupted` by a signal.
pub(super) fn receive(
    socket: &UdpSocket,
    buffer: &mut [u8],
    control: &mut [u8],
    may_wait: bool,
    note: impl Fn(&mut Received, &ControlMessageOwned),
) -> io::Result<Received> {
    let flags = if may_wait {
        MsgFlags::empty()
    } else {
        MsgFlags::MSG_DONTWAIT
    };
    let mut slices = [IoSliceMut::new(buffer)];
    let message = recvmsg(socket.as_raw_fd(), &mut slices, Some(control), flags)?;
    let mut received = Received {
        length: message.bytes,
        each: message.bytes,
        sender: message
            .address
            .as_ref()
            .and_then(socket_address)
            .ok_or(io::ErrorKind::InvalidData)?,
        to: None,
        own: None,
        truncated: message.flags.contains(MsgFlags::MSG_TRUNC),
        time_us: None,
        drops: None,
    };
    for message in message.cmsgs()? {
        note(&mut received, &message);
    }
    Ok(received)
}

/// An address of the kernel's.
pub(super) fn v4(address: libc::in_addr) -> IpAddr {
    Ipv4Addr::from(u32::from_be(address.s_addr)).into()
}

/// An address of the kernel's.
pub(super) fn v6(address: libc::in6_addr) -> IpAddr {
    Ipv6Addr::from(address.s6_addr).into()
}

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
fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
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
