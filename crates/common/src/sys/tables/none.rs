//! macOS, the BSDs and Windows: no file shows any of it.

use std::net::{IpAddr, UdpSocket};

/// Whether the kernel may drop what arrives on another interface than an answer would be sent on (RFC 3704).
pub const FILTERS_REVERSE_PATH: bool = false;

/// How many datagrams the kernel has dropped because the receive buffer of this socket was full; None: the system does not
/// count them.
pub fn dropped(_socket: &UdpSocket, _v4: bool) -> Option<u64> {
    None
}

/// The processes that hold a UDP port; None: the system does not say.
pub fn holders(_port: u16, _v4: bool) -> Option<Vec<String>> {
    None
}

/// Where the kernel lists the groups that programs on this machine joined.
pub fn groups_place(_v4: bool) -> &'static str {
    "no file of this system"
}

/// The groups that programs on this machine joined, of IPv4 or of IPv6.
#[derive(Debug)]
pub enum Groups {}

/// The groups that programs on this machine joined; None: the system does not say.
pub fn groups(_v4: bool) -> Option<Groups> {
    None
}

impl Groups {
    /// Whether a program joined this group on this interface.
    pub fn contain(&self, _group: IpAddr, _interface: &str) -> bool {
        match *self {}
    }
}

/// The number that a setting of the kernel is set to; None: there is none.
pub fn setting(_key: &str) -> Option<usize> {
    None
}

/// Whether nobody can change that setting here.
pub fn is_fixed(_key: &str) -> bool {
    false
}

/// The setting of an interface, of `ipv4` or `ipv6`; None: there is none.
pub fn of_interface(_family: &str, _interface: &str, _setting: &str) -> Option<String> {
    None
}

/// Whether rules of an older kind are loaded than those that the firewall lists.
pub fn has_old_rules(_v4: bool) -> bool {
    false
}
