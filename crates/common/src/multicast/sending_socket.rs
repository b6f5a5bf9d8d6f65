//! The socket that sends to one destination by one addressing mode: how it is opened, and why nothing can be sent.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use socket2::{Domain, Protocol, Socket, Type};

use super::interface::Interface;
use crate::{
    event::AddressingMode,
    exit::{Failure, why},
    sys::{
        Feature,
        datagrams::{self, Cause},
    },
};

/// How far a message goes.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// The time to live: how many networks the message may cross; with 0 it stays on this machine. None: 1 for a group,
    /// else the system's default.
    pub ttl: Option<u8>,
    /// Whether members on this machine receive what is sent to a group.
    pub looped: bool,
    /// Whether the kernel may be handed many datagrams in one piece (UDP_SEGMENT).
    pub offload: bool,
}

impl Default for Reach {
    fn default() -> Self {
        Self {
            ttl: None,
            looped: true,
            offload: Feature::Offload.is_there(),
        }
    }
}

/// Opens a socket that sends from this port, 0 for a free one; its source address.
pub(super) fn open(
    mode: AddressingMode,
    to: SocketAddr,
    interface: &Interface,
    reach: Reach,
    port: u16,
) -> io::Result<(SocketAddr, UdpSocket)> {
    let socket = Socket::new(Domain::for_address(to), Type::DGRAM, Some(Protocol::UDP))?;
    set_destination(&socket, mode, to, interface, reach, port)?;
    // Connecting fixes the source address, and lets the kernel report that no program listens at a unicast
    // destination.
    socket.connect(&to.into())?;
    socket.set_nonblocking(true)?;
    let socket = UdpSocket::from(socket);
    Ok((socket.local_addr()?, socket))
}

/// Whether the loss of the interface, or of its address, can be the reason of the error.
pub(super) fn may_be_lost(error: &io::Error) -> bool {
    matches!(
        datagrams::cause(error),
        Cause::NoInterface
            | Cause::InterfaceDown
            | Cause::NoRoute
            | Cause::HostUnreachable
            | Cause::NoSuchAddress
            | Cause::NoDestination
            | Cause::Invalid
    )
}

/// Whether the error says that the kernel cannot split what it is handed into such datagrams.
pub(super) fn cannot_split(error: &io::Error) -> bool {
    matches!(
        datagrams::cause(error),
        Cause::Invalid | Cause::Device | Cause::TooLong | Cause::NotSupported
    )
}

fn set_destination(
    socket: &Socket,
    mode: AddressingMode,
    to: SocketAddr,
    interface: &Interface,
    reach: Reach,
    port: u16,
) -> io::Result<()> {
    let ttl = reach.ttl.map(u32::from);
    match (mode, to, interface.address) {
        (AddressingMode::Unicast, SocketAddr::V4(_), _) => {
            ttl.map_or(Ok(()), |ttl| socket.set_ttl_v4(ttl))?;
            return bind_to_any(socket, Ipv4Addr::UNSPECIFIED.into(), port);
        }
        (AddressingMode::Unicast, SocketAddr::V6(_), _) => {
            ttl.map_or(Ok(()), |ttl| socket.set_unicast_hops_v6(ttl))?;
            return bind_to_any(socket, Ipv6Addr::UNSPECIFIED.into(), port);
        }
        (_, SocketAddr::V4(_), IpAddr::V4(address)) => {
            socket.set_multicast_if_v4(&address)?;
            socket.set_multicast_ttl_v4(ttl.unwrap_or(1))?;
            if Feature::LoopAtSender.is_there() {
                socket.set_multicast_loop_v4(reach.looped)?;
            }
        }
        _ => {
            socket.set_multicast_if_v6(interface.index)?;
            socket.set_multicast_hops_v6(ttl.unwrap_or(1))?;
            if Feature::LoopAtSender.is_there() {
                socket.set_multicast_loop_v6(reach.looped)?;
            }
        }
    }
    if mode == AddressingMode::Broadcast {
        socket.set_broadcast(true)?;
        if let Some(ttl) = ttl {
            socket.set_ttl_v4(ttl)?;
        }
        // The limited broadcast has no route: the socket itself says over which interface it leaves.
        if to.ip() == IpAddr::V4(Ipv4Addr::BROADCAST) {
            datagrams::limited_broadcast(socket, &interface.name, interface.index)?;
        }
    }
    socket.bind(&interface.at(interface.address, port).into())
}

/// Binds to a port; without one, the kernel chooses address and port when the socket is connected.
fn bind_to_any(socket: &Socket, any: IpAddr, port: u16) -> io::Result<()> {
    match port {
        0 => Ok(()),
        port => socket.bind(&SocketAddr::new(any, port).into()),
    }
}

/// Why nothing can be sent, with the remedy where there is an obvious one. --interface chooses the interface for all but
/// unicast.
pub(super) fn send_failure(mode: AddressingMode, to: SocketAddr, error: &io::Error) -> Failure {
    let chosen = mode != AddressingMode::Unicast;
    let cause = datagrams::cause(error);
    let remedy = datagrams::send_remedy(cause, chosen, to.is_ipv4()).unwrap_or(match cause {
        Cause::NoListener => "; no program listens there",
        Cause::NoRoute | Cause::NoInterface if chosen => NO_ROUTE,
        Cause::NoRoute => "; no route leads there",
        Cause::Denied if !chosen => "; a broadcast address takes --mode broadcast",
        Cause::NotPermitted => "; a firewall on this machine forbids it",
        Cause::Invalid | Cause::Denied if chosen => NOT_ALLOWED,
        _ => "",
    });
    Failure::could_not_run(format!("send to {to}"), format!("{}{remedy}", why(error)))
}

pub(super) const NO_ROUTE: &str = "; no route leads there, so name an interface with --interface";
pub(super) const NOT_ALLOWED: &str = "; not allowed on this interface";
