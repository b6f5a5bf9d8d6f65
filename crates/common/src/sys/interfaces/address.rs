//! An address of an interface, as all systems describe it.

use std::net::IpAddr;

/// An address of an interface.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InterfaceAddress {
    /// The interface's name.
    pub name: String,
    /// The interface's index.
    pub index: u32,
    /// The address.
    pub address: IpAddr,
    /// The length of its network's prefix, in bits.
    pub prefix: u8,
    /// What the system says of the interface.
    pub flags: Flags,
    /// The address is not usable yet, or not at all: another host may have it (RFC 4862 section 5.4).
    pub tentative: bool,
}

/// The flags of an interface (netdevice(7)).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Flags {
    /// It is switched on.
    pub up: bool,
    /// It has a carrier.
    pub running: bool,
    /// It supports multicast.
    pub multicast: bool,
    /// It supports broadcast; a point-to-point link does not.
    pub broadcast: bool,
    /// What is sent on it never leaves this machine.
    pub loopback: bool,
}
