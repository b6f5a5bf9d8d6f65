//! Windows: netsh and PowerShell.

use std::net::{IpAddr, Ipv4Addr};

use super::tools::{Firewall, Over, Routes, Tool};
use crate::sys::quoting::quoted;

/// The firewalls that the system may have.
pub const FIREWALLS: &[Firewall] = &[Firewall::Windows];

/// What prints the table of routes, of IPv4 and of IPv6.
pub const ROUTES: Option<(Routes, [Tool; 2])> = Some((
    Routes::RoutePrint,
    [("route", &["print", "-4"]), ("route", &["print", "-6"])],
));

/// What prints the groups that programs joined, of IPv4 and of IPv6.
pub const JOINS: Option<[Tool; 2]> = Some([
    ("netsh", &["interface", "ipv4", "show", "joins"]),
    ("netsh", &["interface", "ipv6", "show", "joins"]),
]);

/// How to run a program with all rights.
pub const AS_ADMINISTRATOR: &str = "run the doctor in a terminal of the administrator";

/// Where to see what drops a datagram that does not leave this machine.
pub const DROPS: &str = "see whether another firewall than that of Windows is installed";

/// A word of a command of PowerShell: between single quotes it is taken as it is.
pub fn word(text: &str) -> String {
    quoted(text, "-_./:+=", '\'', "''")
}

/// Switches an interface on.
pub fn switch_on(name: &str) -> String {
    format!("Enable-NetAdapter -Name {}", word(name))
}

/// Switches an interface on so that it gives itself an address of IPv6.
pub fn switch_on_v6(name: &str) -> String {
    let name = word(name);
    format!("Enable-NetAdapterBinding -Name {name} -ComponentID ms_tcpip6")
}

/// No command makes an interface support multicast.
pub fn multicast_on(_name: &str) -> String {
    "choose another --interface".into()
}

/// Gives an interface an address of IPv4 or of IPv6.
pub fn give_address(name: &str) -> String {
    let name = word(name);
    format!("New-NetIPAddress -InterfaceAlias {name} -IPAddress ADDRESS -PrefixLength LENGTH")
}

/// Routes the groups over an interface; with `only`, this group alone, before all other routes.
pub fn route_group(group: IpAddr, over: Over<'_>, only: bool) -> String {
    let to = match (group, only) {
        (IpAddr::V4(_), false) => "224.0.0.0/4".into(),
        (IpAddr::V4(_), true) => format!("{group}/32"),
        (IpAddr::V6(_), false) => "ff00::/8".into(),
        (IpAddr::V6(_), true) => format!("{group}/128"),
    };
    let index = over.index;
    format!("New-NetRoute -DestinationPrefix {to} -InterfaceIndex {index} -RouteMetric 0")
}

/// Makes the kernel take this address for the broadcast address of an interface's network.
pub fn broadcast_route(_address: Ipv4Addr, over: Over<'_>) -> String {
    let index = over.index;
    format!("Get-NetIPAddress -InterfaceIndex {index} shows the length of its prefix")
}

/// No filter of this kind exists here.
pub fn accept_reverse_path(_name: &str) -> String {
    String::new()
}

/// Makes this interface the one over which groups are routed: that with the lowest metric.
pub fn prefer(over: Over<'_>) -> String {
    let index = over.index;
    format!("Set-NetIPInterface -InterfaceIndex {index} -InterfaceMetric 1")
}

/// No setting limits a receive buffer here.
pub fn raise_buffer(bytes: usize) -> String {
    format!("--receive-buffer {}", bytes / 2)
}
