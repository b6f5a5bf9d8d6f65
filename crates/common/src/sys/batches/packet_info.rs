//! Packet info: the control messages that say where a datagram was sent to, and where its answer leaves from (ip(7),
//! RFC 3542 section 6). BSD has other ones for IPv4 (IP_RECVDSTADDR and IP_SENDSRCADDR of ip(4)).

use std::{
    io::{self, IoSlice},
    net::{Ipv6Addr, SocketAddr},
    os::fd::{AsFd, AsRawFd},
};

#[cfg(any(target_os = "linux", target_os = "macos"))]
use nix::sys::socket::sockopt::Ipv4PacketInfo as Ipv4Wanted;
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
use nix::sys::socket::sockopt::Ipv4RecvDstAddr as Ipv4Wanted;
use nix::{
    cmsg_space, libc,
    sys::socket::{
        ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, sendmsg, setsockopt,
        sockopt::Ipv6RecvPacketInfo,
    },
};

use super::{Port, Source, is_wildcard};

pub(super) type Address = SockaddrStorage;

pub(super) fn socket_address(address: &Address) -> Option<SocketAddr> {
    match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
        (Some(address), _) => Some(SocketAddr::V4((*address).into())),
        (None, address) => Some(SocketAddr::V6((*address?).into())),
    }
}

/// The kind of packet info that a socket reports: none, when it has one address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum PacketInfo {
    None,
    V4,
    V6,
}

impl PacketInfo {
    /// The room for the control message of a datagram; None when there is none.
    pub(super) fn space(self) -> Option<Vec<u8>> {
        match self {
            Self::None => None,
            #[cfg(any(target_os = "linux", target_os = "macos"))]
            Self::V4 => Some(cmsg_space!(libc::in_pktinfo)),
            #[cfg(not(any(target_os = "linux", target_os = "macos")))]
            Self::V4 => Some(cmsg_space!(libc::in_addr)),
            Self::V6 => Some(cmsg_space!(libc::in6_pktinfo)),
        }
    }
}

/// Has the socket report where each datagram was sent to, when it is bound to a wildcard address.
pub(super) fn ask_for(socket: &impl AsFd, address: SocketAddr) -> io::Result<PacketInfo> {
    if !is_wildcard(address) {
        return Ok(PacketInfo::None);
    }
    match address {
        SocketAddr::V4(_) => {
            setsockopt(socket, Ipv4Wanted, &true)?;
            Ok(PacketInfo::V4)
        }
        SocketAddr::V6(_) => {
            setsockopt(socket, Ipv6RecvPacketInfo, &true)?;
            Ok(PacketInfo::V6)
        }
    }
}

/// The address in a control message; None when no answer can leave from it.
pub(super) fn source_of(message: &ControlMessageOwned) -> Option<Source> {
    match message {
        #[cfg(any(target_os = "linux", target_os = "macos"))]
        ControlMessageOwned::Ipv4PacketInfo(info) => {
            // For a broadcast, this is the address of the interface.
            Some(Source::V4(info.ipi_spec_dst.s_addr.to_ne_bytes().into()))
        }
        #[cfg(not(any(target_os = "linux", target_os = "macos")))]
        ControlMessageOwned::Ipv4RecvDstAddr(address) => {
            Some(Source::V4(address.s_addr.to_ne_bytes().into()))
        }
        ControlMessageOwned::Ipv6PacketInfo(info) => {
            let address = Ipv6Addr::from(info.ipi6_addr.s6_addr);
            let interface = match address.is_unicast_link_local() {
                true => info.ipi6_ifindex,
                false => 0,
            };
            (!address.is_multicast()).then_some(Source::V6(address, interface as _))
        }
        _ => None,
    }
}

/// Calls `send` with the control message that has a datagram leave from there.
pub(super) fn with_control<T>(from: Source, send: impl FnOnce(&[ControlMessage<'_>]) -> T) -> T {
    match from {
        Source::V4(address) => {
            let address = libc::in_addr {
                s_addr: u32::from_ne_bytes(address.octets()),
            };
            #[cfg(any(target_os = "linux", target_os = "macos"))]
            let info = libc::in_pktinfo {
                ipi_ifindex: 0,
                ipi_spec_dst: address,
                ipi_addr: libc::in_addr { s_addr: 0 },
            };
            #[cfg(any(target_os = "linux", target_os = "macos"))]
            return send(&[ControlMessage::Ipv4PacketInfo(&info)]);
            #[cfg(not(any(target_os = "linux", target_os = "macos")))]
            send(&[ControlMessage::Ipv4SendSrcAddr(&address)])
        }
        Source::V6(address, interface) => {
            let info = libc::in6_pktinfo {
                ipi6_addr: libc::in6_addr {
                    s6_addr: address.octets(),
                },
                ipi6_ifindex: interface as _,
            };
            send(&[ControlMessage::Ipv6PacketInfo(&info)])
        }
    }
}

pub(super) fn send(
    port: &Port,
    from: Option<Source>,
    message: &[u8],
    to: &Address,
) -> io::Result<()> {
    let slices = [IoSlice::new(message)];
    let send = |control: &[ControlMessage<'_>]| {
        let fd = port.socket.as_raw_fd();
        sendmsg(fd, &slices, control, MsgFlags::empty(), Some(to))
    };
    match from {
        Some(from) => with_control(from, send)?,
        None => send(&[])?,
    };
    Ok(())
}
