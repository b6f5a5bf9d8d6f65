//! Opens a member's socket: binds the shared port and joins the groups.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket},
};

use nix::{
    errno::Errno,
    sys::socket::{
        setsockopt,
        sockopt::{Ipv4PacketInfo, Ipv6RecvPacketInfo, ReceiveTimestampns, RxqOvfl, UdpGroSegment},
    },
};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};

use super::{interface::Interface, membership::Membership, sender};
use crate::{
    exit::{Failure, why},
    net::BRIEFLY,
};

/// Binds and joins; the socket, its port and the size of the receive buffer that the kernel granted.
pub(super) fn join(membership: &Membership) -> Result<(UdpSocket, u16, usize), Failure> {
    let first = &membership.interfaces[0];
    let failed = |group: IpAddr, interface: &Interface, error: &io::Error| {
        join_failure(interface.at(group, membership.port), interface, error)
    };
    let socket = bind(membership).map_err(|error| failed(membership.groups[0], first, &error))?;
    for group in &membership.groups {
        for interface in &membership.interfaces {
            join_on(&socket, *group, interface, &membership.sources)
                .map_err(|error| failed(*group, interface, &error))?;
        }
    }
    let ready = || {
        let granted = socket.recv_buffer_size()?;
        let socket = UdpSocket::from(socket);
        let port = socket.local_addr()?.port();
        Ok((socket, port, granted))
    };
    ready().map_err(|error| failed(membership.groups[0], first, &error))
}

fn bind(membership: &Membership) -> io::Result<Socket> {
    let v4 = membership.groups[0].is_ipv4();
    let domain = if v4 { Domain::IPV4 } else { Domain::IPV6 };
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_read_timeout(Some(BRIEFLY))?;
    socket.set_recv_buffer_size(membership.receive_buffer)?;
    // Only a socket bound to the wildcard address receives multicast, unicast and broadcast alike. For the loopback
    // interface it is bound to the device too, so that nothing from the network arrives.
    #[cfg(target_os = "linux")]
    if let [interface] = &membership.interfaces[..]
        && interface.loopback
    {
        socket.bind_device(Some(interface.name.as_bytes()))?;
    }
    if membership.port != 0 {
        share_port(&socket)?;
    }
    if v4 {
        socket.bind(&SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, membership.port).into())?;
    } else {
        socket.set_only_v6(true)?;
        socket.bind(&SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, membership.port, 0, 0).into())?;
    }
    // A free port is shared after the bind: the bind of a socket that shares its port may choose one that others share
    // already.
    share_port(&socket)?;
    // Without this the socket receives from every group that any program on this machine joined (ip(7)).
    #[cfg(target_os = "linux")]
    if v4 {
        socket.set_multicast_all_v4(false)?;
        setsockopt(&socket, Ipv4PacketInfo, &true)?;
    } else {
        socket.set_multicast_all_v6(false)?;
        setsockopt(&socket, Ipv6RecvPacketInfo, &true)?;
    }
    setsockopt(&socket, RxqOvfl, &1)?;
    // With the kernel's timestamp, a late read does not lengthen a datagram's delay.
    setsockopt(&socket, ReceiveTimestampns, &true)?;
    if membership.offload {
        // A kernel without it hands over the datagrams one by one.
        let _ = setsockopt(&socket, UdpGroSegment, &true);
    }
    Ok(socket)
}

fn share_port(socket: &Socket) -> io::Result<()> {
    // On the BSDs and macOS only SO_REUSEPORT shares a port; on Linux it also requires that every program sets it.
    #[cfg(not(target_os = "linux"))]
    socket.set_reuse_port(true)?;
    socket.set_reuse_address(true)
}

/// Joins a group on an interface, from these senders or from all.
pub(super) fn join_on(
    socket: &Socket,
    group: IpAddr,
    interface: &Interface,
    sources: &[Ipv4Addr],
) -> io::Result<()> {
    match (group, interface.address) {
        (IpAddr::V4(group), IpAddr::V4(address)) if !sources.is_empty() => sources
            .iter()
            .try_for_each(|source| socket.join_ssm_v4(source, &group, &address)),
        (IpAddr::V4(group), _) => {
            socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(interface.index))
        }
        (IpAddr::V6(group), _) => socket.join_multicast_v6(&group, interface.index),
    }
}

/// Leaves a group on the interface with this number, which may be gone; the place that the membership takes in the socket
/// is free again.
pub(super) fn leave(socket: &Socket, group: IpAddr, index: u32) {
    // There is nothing to leave where the kernel has forgotten it.
    let _ = match group {
        IpAddr::V4(group) => {
            socket.leave_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(index))
        }
        IpAddr::V6(group) => socket.leave_multicast_v6(&group, index),
    };
}

/// Why a group could not be joined, with the remedy where there is an obvious one.
pub(super) fn join_failure(group: SocketAddr, interface: &Interface, error: &io::Error) -> Failure {
    let remedy = match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENETUNREACH | Errno::ENODEV) => sender::NO_ROUTE,
        Some(Errno::ENOBUFS) => {
            "; too many groups for one socket, sysctl net.ipv4.igmp_max_memberships sets the limit"
        }
        Some(Errno::ENOMEM) => "; no memory for one more, see sysctl net.core.optmem_max",
        // The same error for a port that is held and for a group that is named twice.
        Some(Errno::EADDRINUSE) => {
            "; a program holds this port without sharing it, so choose another --port, or the group is named twice"
        }
        Some(Errno::EPERM) => {
            "; binding a socket to the loopback interface takes Linux 5.7 or root, --interface default does without"
        }
        Some(Errno::EACCES) if group.port() < 1024 => "; ports below 1024 are the administrator's",
        Some(Errno::EINVAL | Errno::EACCES) => sender::NOT_ALLOWED,
        _ => "",
    };
    Failure::could_not_run(
        format!("join {group} on {interface}"),
        format!("{}{remedy}", why(error)),
    )
}
