//! A datagram as the system hands it over.

use std::net::{IpAddr, SocketAddr};

/// What the system says of a datagram, or of several of one length, that one read returned.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    /// The number of bytes.
    pub length: usize,
    /// The length of each datagram; `length` when it is one.
    pub each: usize,
    /// The source address.
    pub sender: SocketAddr,
    /// The destination address; None: the system did not say.
    pub to: Option<IpAddr>,
    /// The address of this machine that received it: another than `to` when that is a group or a broadcast address. Linux
    /// alone says it, for IPv4.
    pub own: Option<IpAddr>,
    /// Whether the last datagram is truncated.
    pub truncated: bool,
    /// When the kernel received it, in microseconds since 1970; None: the system did not say.
    pub time_us: Option<u64>,
    /// How many datagrams of this socket the kernel has dropped, modulo 2^32; None: the system does not count them.
    pub drops: Option<u32>,
}
