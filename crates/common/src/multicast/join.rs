//! Opens a member's socket: binds the shared port and joins the groups.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket},
};

use socket2::{InterfaceIndexOrAddress, Socket};

use super::{interface::Interface, membership::Membership, sending_socket};
use crate::{
    exit::{Failure, why},
    net::BRIEFLY,
    sys::datagrams::{self, Cause, Inbox},
};

/// A socket that joined.
pub(super) struct Joined {
    pub(super) socket: UdpSocket,
    /// What its reads take.
    pub(super) inbox: Inbox,
    /// Its port.
    pub(super) port: u16,
    /// The size of the receive buffer that the kernel granted, in bytes.
    pub(super) granted: usize,
}

/// Binds and joins.
pub(super) fn join(membership: &Membership) -> Result<Joined, Failure> {
    let first = &membership.interfaces[0];
    let failed = |group: IpAddr, interface: &Interface, error: &io::Error| {
        join_failure(interface.at(group, membership.port), interface, error)
    };
    let (socket, inbox) =
        bind(membership).map_err(|error| failed(membership.groups[0], first, &error))?;
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
        Ok(Joined {
            socket,
            inbox,
            port,
            granted,
        })
    };
    ready().map_err(|error| failed(membership.groups[0], first, &error))
}

fn bind(membership: &Membership) -> io::Result<(Socket, Inbox)> {
    let v4 = membership.groups[0].is_ipv4();
    let (socket, mut inbox) = datagrams::open(v4, BRIEFLY)?;
    datagrams::request_receive_buffer(&socket, membership.receive_buffer)?;
    // Only a socket bound to the wildcard address receives multicast, unicast and broadcast alike. For the loopback
    // interface it is bound to the device too, so that nothing from the network arrives.
    if let [interface] = &membership.interfaces[..]
        && interface.loopback
    {
        datagrams::only_on(&socket, &interface.name)?;
    }
    if membership.port != 0 {
        datagrams::share_port(&socket)?;
    }
    if v4 {
        socket.bind(&SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, membership.port).into())?;
    } else {
        socket.set_only_v6(true)?;
        socket.bind(&SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, membership.port, 0, 0).into())?;
    }
    // A free port is shared after the bind: the bind of a socket that shares its port may choose one that others share
    // already.
    datagrams::share_port(&socket)?;
    inbox.enable(&socket, v4, membership.offload)?;
    Ok((socket, inbox))
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
        (IpAddr::V4(group), _) => socket.join_multicast_v4_n(&group, &of_v4(interface)),
        (IpAddr::V6(group), _) => socket.join_multicast_v6(&group, interface.index),
    }
}

fn of_v4(interface: &Interface) -> InterfaceIndexOrAddress {
    let address = match interface.address {
        IpAddr::V4(address) => address,
        IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
    };
    datagrams::membership_interface(interface.index, address)
}

/// Leaves a group on an interface, which may be gone; the place that the membership takes in the socket is free again.
pub(super) fn leave(socket: &Socket, group: IpAddr, interface: &Interface) {
    // There is nothing to leave where the kernel has forgotten it.
    let _ = match group {
        IpAddr::V4(group) => socket.leave_multicast_v4_n(&group, &of_v4(interface)),
        IpAddr::V6(group) => socket.leave_multicast_v6(&group, interface.index),
    };
}

/// Why a group could not be joined, with the remedy where there is an obvious one.
pub(super) fn join_failure(group: SocketAddr, interface: &Interface, error: &io::Error) -> Failure {
    let cause = datagrams::cause(error);
    let remedy = datagrams::join_remedy(cause, group.port()).unwrap_or(match cause {
        Cause::NoRoute | Cause::NoInterface => sending_socket::NO_ROUTE,
        // The same error for a port that is held and for a group that is named twice.
        Cause::InUse => {
            "; a program holds this port without sharing it, so choose another --port, or the group is named twice"
        }
        Cause::Invalid | Cause::Denied => sending_socket::NOT_ALLOWED,
        _ => "",
    });
    Failure::could_not_run(
        format!("join {group} on {interface}"),
        format!("{}{remedy}", why(error)),
    )
}
