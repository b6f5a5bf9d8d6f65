//! macOS and the BSDs: ifconfig(8), route(8), sysctl(8).

use std::net::{IpAddr, Ipv4Addr};

use super::tools::{Firewall, Over, Routes, Tool};
use crate::sys::quoting::{OF_SHELL, quoted};

/// The firewalls that the system may have.
#[cfg(target_os = "macos")]
pub const FIREWALLS: &[Firewall] = &[Firewall::Application, Firewall::Pf];
/// The firewalls that the system may have.
#[cfg(not(target_os = "macos"))]
pub const FIREWALLS: &[Firewall] = &[Firewall::Pf];

/// What prints the table of routes, of IPv4 and of IPv6.
pub const ROUTES: Option<(Routes, [Tool; 2])> = Some((
    Routes::Netstat,
    [
        ("netstat", &["-rn", "-f", "inet"]),
        ("netstat", &["-rn", "-f", "inet6"]),
    ],
));

/// What prints the groups that programs joined, of IPv4 and of IPv6.
#[cfg(target_os = "macos")]
pub const JOINS: Option<[Tool; 2]> = Some([("netstat", &["-gn"]), ("netstat", &["-gn"])]);
/// What prints the groups that programs joined, of IPv4 and of IPv6.
#[cfg(not(target_os = "macos"))]
pub const JOINS: Option<[Tool; 2]> = Some([("ifmcstat", &[]), ("ifmcstat", &[])]);

/// How to run a program with all rights.
pub const AS_ADMINISTRATOR: &str = "run the doctor with sudo";

/// Where to see what drops a datagram that does not leave this machine.
pub const DROPS: &str = "see what drops it: sudo pfctl -s rules";

/// A word of a command, quoted where a shell would take it for more than that.
pub fn word(text: &str) -> String {
    quoted(text, "-_./:%@+=,", '\'', OF_SHELL)
}

/// Switches an interface on.
pub fn switch_on(name: &str) -> String {
    format!("sudo ifconfig {} up", word(name))
}

/// Switches an interface on so that it gives itself an address of IPv6.
pub fn switch_on_v6(name: &str) -> String {
    let name = word(name);
    if cfg!(target_os = "macos") {
        format!("sudo ifconfig {name} up inet6 auto_linklocal")
    } else {
        format!("sudo ifconfig {name} inet6 -ifdisabled auto_linklocal up")
    }
}

/// No command makes an interface support multicast.
pub fn multicast_on(_name: &str) -> String {
    "choose another --interface".into()
}

/// Gives an interface an address of IPv4 or of IPv6.
pub fn give_address(name: &str) -> String {
    format!("sudo ifconfig {} ADDRESS/LENGTH alias", word(name))
}

/// Routes the groups over an interface; with `only`, this group alone, before all other routes.
pub fn route_group(group: IpAddr, over: Over<'_>, only: bool) -> String {
    let name = word(over.name);
    match (group, only) {
        (IpAddr::V4(_), false) => format!("sudo route add -net 224.0.0.0/4 -interface {name}"),
        (IpAddr::V4(_), true) => format!("sudo route add -host {group} -interface {name}"),
        (IpAddr::V6(_), false) => format!("sudo route add -inet6 ff00::/8 -interface {name}"),
        (IpAddr::V6(_), true) => format!("sudo route add -inet6 {group} -interface {name}"),
    }
}

/// Makes the kernel take this address for the broadcast address of an interface's network.
pub fn broadcast_route(address: Ipv4Addr, over: Over<'_>) -> String {
    let name = word(over.name);
    format!("sudo ifconfig {name} {} broadcast {address}", over.address)
}

/// No filter of this kind exists here.
pub fn accept_reverse_path(_name: &str) -> String {
    String::new()
}

/// Makes this interface the one over which groups are routed.
pub fn prefer(over: Over<'_>) -> String {
    let name = word(over.name);
    let family = if over.address.is_ipv4() {
        "-net 224.0.0.0/4"
    } else {
        "-inet6 ff00::/8"
    };
    format!("sudo route change {family} -interface {name}")
}

/// Lets programs have a receive buffer of this size, in bytes.
pub fn raise_buffer(bytes: usize) -> String {
    // The limit counts the kernel's own bookkeeping, too.
    format!("sudo sysctl kern.ipc.maxsockbuf={}", 2 * bytes)
}
