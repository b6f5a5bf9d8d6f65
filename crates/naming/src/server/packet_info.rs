//! The address that a datagram was sent to, which is the one that its answer leaves from: packet info (ip(7), RFC 3542
//! section 6). Only a socket that is bound to a wildcard address needs it.

use std::{
    io::IoSlice,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    os::fd::{AsFd, AsRawFd},
};

use nix::{
    libc,
    sys::socket::{
        ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, sendmsg, setsockopt,
        sockopt::{Ipv4PacketInfo, Ipv6RecvPacketInfo},
    },
};

/// The address that a datagram was sent to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Source {
    V4(Ipv4Addr),
    /// With the interface, which only a link-local address needs.
    V6(Ipv6Addr, u32),
}

impl Source {
    /// The address in a control message; None when no answer can leave from it.
    pub(super) fn of(message: &ControlMessageOwned) -> Option<Self> {
        match message {
            ControlMessageOwned::Ipv4PacketInfo(info) => {
                // For a broadcast, this is the address of the interface.
                Some(Self::V4(info.ipi_spec_dst.s_addr.to_ne_bytes().into()))
            }
            ControlMessageOwned::Ipv6PacketInfo(info) => {
                let address = Ipv6Addr::from(info.ipi6_addr.s6_addr);
                let interface = match address.is_unicast_link_local() {
                    true => info.ipi6_ifindex,
                    false => 0,
                };
                (!address.is_multicast()).then_some(Self::V6(address, interface))
            }
            _ => None,
        }
    }

    /// The address alone.
    pub(super) fn ip(self) -> IpAddr {
        match self {
            Self::V4(address) => address.into(),
            Self::V6(address, _) => IpAddr::from(address).to_canonical(),
        }
    }

    /// Calls `send` with the control message that has a datagram leave from here.
    pub(super) fn with_control<T>(self, send: impl FnOnce(&[ControlMessage<'_>]) -> T) -> T {
        match self {
            Self::V4(address) => {
                let info = libc::in_pktinfo {
                    ipi_ifindex: 0,
                    ipi_spec_dst: libc::in_addr {
                        s_addr: u32::from_ne_bytes(address.octets()),
                    },
                    ipi_addr: libc::in_addr { s_addr: 0 },
                };
                send(&[ControlMessage::Ipv4PacketInfo(&info)])
            }
            Self::V6(address, interface) => {
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
}

/// Has the socket report where each datagram was sent to, when it is bound to a wildcard address.
pub(super) fn ask_for(socket: &impl AsFd, address: SocketAddr) -> nix::Result<()> {
    if !is_wildcard(address) {
        return Ok(());
    }
    match address {
        SocketAddr::V4(_) => setsockopt(socket, Ipv4PacketInfo, &true),
        SocketAddr::V6(_) => setsockopt(socket, Ipv6RecvPacketInfo, &true),
    }
}

/// Whether a socket with this address takes datagrams for any address of the machine.
pub(super) fn is_wildcard(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_unspecified()
}

/// Sends one datagram from this address, or from the socket's.
pub(super) fn send(
    socket: &UdpSocket,
    from: Option<Source>,
    message: &[u8],
    to: &SockaddrStorage,
) -> nix::Result<usize> {
    let slices = [IoSlice::new(message)];
    let send = |control: &[ControlMessage<'_>]| {
        let flags = MsgFlags::empty();
        sendmsg(socket.as_raw_fd(), &slices, control, flags, Some(to))
    };
    match from {
        Some(from) => from.with_control(send),
        None => send(&[]),
    }
}
