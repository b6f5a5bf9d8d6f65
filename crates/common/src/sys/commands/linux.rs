//! Linux: ip(8), sysctl(8).

use std::net::{IpAddr, Ipv4Addr};

use super::tools::{Firewall, Over, Routes, Tool};
use crate::sys::{
    quoting::{OF_SHELL, quoted},
    tables,
};

/// The firewalls that a Linux may have.
pub const FIREWALLS: &[Firewall] = &[Firewall::Netfilter];

/// The table of routes is not read: the kernel is asked for a route.
pub const ROUTES: Option<(Routes, [Tool; 2])> = None;

/// The tables of groups are read from the kernel, without a tool.
pub const JOINS: Option<[Tool; 2]> = None;

/// How to run a program with all rights.
pub const AS_ADMINISTRATOR: &str = "run the doctor as root";

/// Where to see what drops a datagram that does not leave this machine.
pub const DROPS: &str = "see what drops it: nft list ruleset, tc filter show";

/// A word of a command, quoted where a shell would take it for more than that: an interface may have any name without
/// spaces.
pub fn word(text: &str) -> String {
    quoted(text, "-_./:%@+=,", '\'', OF_SHELL)
}

/// The words `KEY=VALUE` for sysctl(8), of the setting `net/FAMILY/conf/INTERFACE/SETTING`. With slashes, as the name of
/// an interface may have a dot.
fn conf(family: &str, interface: &str, setting: &str, value: u32) -> String {
    let key = format!("net/{family}/conf/{interface}/{setting}={value}");
    if interface.contains('.') {
        word(&key)
    } else {
        word(&key.replace('/', "."))
    }
}

/// Switches an interface on.
pub fn switch_on(name: &str) -> String {
    format!("ip link set {} up", word(name))
}

/// Switches an interface on so that it gives itself an address of IPv6.
pub fn switch_on_v6(name: &str) -> String {
    let up = switch_on(name);
    let setting = |setting: &str| tables::of_interface("ipv6", name, setting);
    match (setting("disable_ipv6"), setting("addr_gen_mode")) {
        (None, _) => "start a kernel with IPv6, or name an IPv4 --group".into(),
        (Some(disabled), _) if disabled != "0" => {
            format!("sysctl {} && {up}", conf("ipv6", name, "disable_ipv6", 0))
        }
        // The loopback interface has ::1 when it is up.
        (_, Some(none)) if none == "1" && name != "lo" => {
            format!("sysctl {} && {up}", conf("ipv6", name, "addr_gen_mode", 0))
        }
        _ => up,
    }
}

/// Makes an interface support multicast.
pub fn multicast_on(name: &str) -> String {
    format!("ip link set {} multicast on", word(name))
}

/// Gives an interface an address of IPv4 or of IPv6.
pub fn give_address(name: &str) -> String {
    format!("ip addr add ADDRESS/LENGTH dev {}", word(name))
}

/// Routes the groups over an interface; with `only`, this group alone, before all other routes.
pub fn route_group(group: IpAddr, over: Over<'_>, only: bool) -> String {
    let (name, address) = (word(over.name), over.address);
    match group {
        IpAddr::V4(_) => {
            let to = if only {
                group.to_string()
            } else {
                "224.0.0.0/4".into()
            };
            format!("ip route replace {to} dev {name} src {address}")
        }
        // Of the type local: the loopback interface receives nothing else.
        IpAddr::V6(_) if over.loopback => format!("ip -6 route replace local ff00::/8 dev {name}"),
        IpAddr::V6(_) if only => format!("ip -6 route replace {group} dev {name} table local"),
        IpAddr::V6(_) => format!("ip -6 route replace multicast ff00::/8 dev {name} table local"),
    }
}

/// Makes the kernel take this address for the broadcast address of an interface's network.
pub fn broadcast_route(address: Ipv4Addr, over: Over<'_>) -> String {
    format!(
        "ip route replace broadcast {address} dev {} src {} table local",
        word(over.name),
        over.address
    )
}

/// Lets an interface accept what it would answer on another one (RFC 3704).
pub fn accept_reverse_path(name: &str) -> String {
    let settings = ["all", name].map(|name| conf("ipv4", name, "rp_filter", 2));
    format!("sysctl {}", settings.join(" "))
}

/// Routes to groups have no metric here that decides between interfaces.
pub fn prefer(_over: Over<'_>) -> String {
    String::new()
}

/// Lets programs have a receive buffer of this size, in bytes.
pub fn raise_buffer(bytes: usize) -> String {
    format!("sysctl net.core.rmem_max={bytes}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_survives_the_names_of_interfaces() {
        assert_eq!(word("eth0"), "eth0");
        assert_eq!(word("a;b"), "'a;b'");
        assert_eq!(word("it's"), r"'it'\''s'");
        assert_eq!(
            conf("ipv4", "eth0", "rp_filter", 2),
            "net.ipv4.conf.eth0.rp_filter=2"
        );
        assert_eq!(
            conf("ipv6", "eth0.7", "disable_ipv6", 0),
            "net/ipv6/conf/eth0.7/disable_ipv6=0"
        );
    }
}
