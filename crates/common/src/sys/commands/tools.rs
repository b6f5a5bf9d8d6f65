//! What a system may have: kinds of firewalls and of tables.

use std::net::IpAddr;

/// A program and its arguments.
pub type Tool = (&'static str, &'static [&'static str]);

/// What drops datagrams on this machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Firewall {
    /// nft(8) and iptables(8) of Linux.
    Netfilter,
    /// pfctl(8) of the BSDs and macOS.
    Pf,
    /// The application firewall of macOS.
    Application,
    /// Windows Defender Firewall.
    Windows,
}

/// How the table of routes is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Routes {
    /// As `netstat -rn` of the BSDs and macOS.
    Netstat,
    /// As `route print` of Windows.
    RoutePrint,
}

/// The interface over which something is routed.
#[derive(Clone, Copy, Debug)]
pub struct Over<'i> {
    /// Its name.
    pub name: &'i str,
    /// Its index.
    pub index: u32,
    /// Its address.
    pub address: IpAddr,
    /// Whether it is the loopback interface.
    pub loopback: bool,
}
