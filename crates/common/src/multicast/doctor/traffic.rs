//! What has to pass the firewall.

use std::net::IpAddr;

/// The name of the check of a firewall.
pub(super) const CHECK: &str = "firewall";

/// What must pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traffic {
    pub(super) v4: bool,
    pub(super) port: u16,
    /// Whether members are to hear from the network, so that IGMP (RFC 3376) or MLD (RFC 3810) must pass, too.
    pub(super) network: bool,
}

impl Traffic {
    pub(super) fn new(group: IpAddr, port: u16, network: bool) -> Self {
        let v4 = group.is_ipv4();
        Self { v4, port, network }
    }
}
