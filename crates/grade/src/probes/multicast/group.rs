//! The group, and the network of a sandbox in which it is.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket},
    process::Command,
};

use common::exit::why;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::{
    bench::Bench,
    requirement::{Finding, Probed},
    sandbox::Isolation,
};

/// The longest payload of UDP over IPv4, in bytes.
pub(super) const LONGEST: usize = 65_507;

/// Gives loopback the route that multicast needs (ip-route(8)).
pub(super) fn route(bench: &Bench<'_>) -> Probed {
    if bench.isolation() == Isolation::None {
        let what = "multicast is graded in a network of its own alone: install bubblewrap";
        return Err(Finding::grader(what));
    }
    let words = [
        "route",
        "replace",
        "224.0.0.0/4",
        "dev",
        "lo",
        "src",
        "127.0.0.1",
    ];
    match Command::new("ip").args(words).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let text = common::text::visible(output.stderr.trim_ascii());
            Err(Finding::grader(format!("the route of multicast: {text}")))
        }
        Err(error) => Err(Finding::grader(format!(
            "ip (Debian: iproute2): {}",
            why(&error)
        ))),
    }
}

/// The group and its port.
pub(super) fn group(bench: &Bench<'_>) -> Result<SocketAddrV4, Finding> {
    match bench.address() {
        SocketAddr::V4(group) => Ok(group),
        SocketAddr::V6(_) => Err(Finding::grader("groups of IPv4 are graded alone")),
    }
}

/// A socket that sends to groups on loopback, and is a member of none.
pub(super) fn to_groups() -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_multicast_if_v4(&Ipv4Addr::LOCALHOST)?;
    socket.bind(&SockAddr::from(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)))?;
    Ok(socket.into())
}
