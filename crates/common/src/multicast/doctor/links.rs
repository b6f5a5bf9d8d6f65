//! The interfaces and the routes: whether a group can be joined on them, and where the kernel sends what is sent to it.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use super::{super::interface::Interface, finding::Finding};
use crate::{
    event::Verdict,
    exit::{Failure, why},
    sys::{
        commands::{self, Over, word},
        interfaces::{self, LOOPBACK},
        tables,
    },
    zone::is_of_link,
};

/// That `--interface WORD`, or without it the loopback interface, cannot be used, and what makes it usable.
pub(super) fn unusable(name: Option<&str>, group: IpAddr, failure: &Failure) -> Finding {
    Finding::failure("interface", failure, usable(name, group))
}

fn usable(name: Option<&str>, group: IpAddr) -> String {
    let known = Interface::all(group).unwrap_or_default();
    let lo = || known.iter().find(|interface| interface.loopback);
    match name {
        None => switch_on(LOOPBACK, group),
        // No route leads to the group, or one with a source address that no interface has.
        Some("default") => {
            let by = candidates(&known).next().or_else(lo);
            match by {
                Some(by) if is_of_link(group) => format!("--interface {}", word(&by.name)),
                Some(by) => add_route(group, by, false),
                None => switch_on(LOOPBACK, group),
            }
        }
        Some(name) if interfaces::index(name).is_some() => {
            let has_address = known.iter().any(|interface| interface.name == name);
            match group {
                _ if has_address => commands::switch_on(name),
                IpAddr::V6(_) => switch_on(name, group),
                IpAddr::V4(_) => {
                    let gives = commands::give_address(name);
                    format!("give it an address of your network: {gives}")
                }
            }
        }
        // An address of an interface that is down, or of none.
        Some(name) => {
            let named = |interface: &&Interface| Some(interface.address) == name.parse().ok();
            match known.iter().find(named) {
                // On several interfaces.
                Some(up) if up.state.up => format!("--interface {}", word(&up.name)),
                Some(down) => commands::switch_on(&down.name),
                None => match candidates(&known).next().or_else(lo) {
                    Some(other) => format!("--interface {}", word(&other.name)),
                    None => switch_on(LOOPBACK, group),
                },
            }
        }
    }
}

/// The interfaces to the network on which a group can be joined.
fn candidates(known: &[Interface]) -> impl Iterator<Item = &Interface> {
    let capable = |interface: &&Interface| {
        let state = interface.state;
        !interface.loopback && state.up && state.running && state.multicast
    };
    known.iter().filter(capable)
}

/// The command after which this interface is up and has an address of the group's family: of IPv6 it gives itself one.
fn switch_on(name: &str, group: IpAddr) -> String {
    if group.is_ipv4() {
        commands::switch_on(name)
    } else {
        commands::switch_on_v6(name)
    }
}

pub(super) fn link(interface: &Interface) -> Finding {
    let Interface { name, state, .. } = interface;
    if !state.multicast && !interface.loopback {
        let what = format!("{interface} does not support multicast");
        let remedy = commands::multicast_on(name);
        return Finding::new("interface", Verdict::Fail, what, remedy);
    }
    if !state.running {
        let what = format!("{interface} is up and has no carrier");
        let remedy = "plug the cable in, or join the wireless network";
        return Finding::new("interface", Verdict::Fail, what, remedy);
    }
    Finding::ok("interface", format!("{interface} is up"))
}

pub(super) fn reach(group: IpAddr, interfaces: &[Interface]) -> Finding {
    if !interfaces.iter().all(|interface| interface.loopback) {
        return Finding::ok("reach", "hosts on the network receive from one another");
    }
    let what = "on the loopback interface only programs on this machine receive from one another";
    let default = Interface::find(Some("default"), group).unwrap_or_default();
    let known = Interface::all(group).unwrap_or_default();
    let remedy = if candidates(&default).next().is_some() {
        "--interface default".into()
    } else if let Some(other) = candidates(&known).next() {
        format!("--interface {}", word(&other.name))
    } else {
        "connect this machine: no interface to a network is up".into()
    };
    Finding::new("reach", Verdict::Warn, what, remedy)
}

/// Which interface the kernel chooses for programs that name none, as the handout's.
pub(super) fn route(groups: &[IpAddr], joined: &[Interface]) -> Finding {
    let mut findings: Vec<_> = groups
        .iter()
        .map(|group| route_to(*group, joined))
        .collect();
    let worst = findings
        .iter()
        .position(|finding| finding.verdict != Verdict::Ok);
    findings.swap_remove(worst.unwrap_or_default())
}

fn route_to(group: IpAddr, joined: &[Interface]) -> Finding {
    let first = &joined[0];
    let chosen = match source_to(first.at(group, PORT), false) {
        Ok(address) => address,
        Err(error) => {
            let what = format!(
                "no route leads to {group} ({}): programs that name no interface, as the handout's, neither join nor send",
                why(&error)
            );
            // Any other error is that of a route which forbids the group.
            let forbidden = error.kind() != io::ErrorKind::NetworkUnreachable;
            let remedy = add_route(group, first, forbidden);
            return Finding::new("route", Verdict::Warn, what, remedy);
        }
    };
    if is_of_link(group) {
        let what = format!("{group} is on one link: every program names an interface");
        return Finding::ok("route", what);
    }
    let known = Interface::all(group).unwrap_or_default();
    let index = known
        .iter()
        .find(|interface| interface.address == chosen)
        .map(|interface| interface.index);
    let by = joined
        .iter()
        .find(|interface| Some(interface.index) == index);
    if let Some(by) = by {
        return Finding::ok("route", format!("{group} is routed over {by}"));
    }
    let what = format!(
        "{group} is routed from {chosen}: programs that name no interface, as the handout's, neither send to {first} nor receive from it"
    );
    let remedy = if Interface::find(Some("default"), group).is_ok() {
        "--interface default".into()
    } else {
        add_route(group, first, false)
    };
    Finding::new("route", Verdict::Warn, what, remedy)
}

/// The command that routes the groups over this interface; with `only`, this group alone, before all other routes.
fn add_route(group: IpAddr, over: &Interface, only: bool) -> String {
    commands::route_group(group, as_over(over), only)
}

/// The interface as commands name it.
pub(super) fn as_over(interface: &Interface) -> Over<'_> {
    Over {
        name: &interface.name,
        index: interface.index,
        address: interface.address,
        loopback: interface.loopback,
    }
}

/// What makes the loopback interface receive what is sent to a group of IPv6; empty for other interfaces.
pub(super) fn remedy_of_loopback(group: IpAddr, interface: &Interface) -> String {
    if group.is_ipv6() && interface.loopback {
        add_route(group, interface, false)
    } else {
        String::new()
    }
}

/// Any port serves: a route depends on the address alone.
const PORT: u16 = 9;

/// The source address that the kernel would choose to send there. Nothing is sent.
fn source_to(to: SocketAddr, broadcast: bool) -> io::Result<IpAddr> {
    let any: IpAddr = if to.is_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.set_broadcast(broadcast)?;
    socket.connect(to)?;
    Ok(socket.local_addr()?.ip())
}

/// RFC 3704: a strict filter drops what arrives on another interface than an answer would be sent on.
pub(super) fn reverse_path(interface: &Interface) -> Finding {
    let of = |name: &str| {
        let value = tables::of_interface("ipv4", name, "rp_filter")?;
        value.parse::<u32>().ok()
    };
    // The kernel takes the larger of the two.
    let name = &interface.name;
    match of("all").max(of(name)) {
        None => return Finding::new("rp_filter", Verdict::Open, "not checked: no /proc/sys", ""),
        Some(1) => {}
        Some(_) => return Finding::ok("rp_filter", format!("not strict on {name}")),
    }
    let what = format!(
        "strict on {name}: the kernel drops datagrams whose sender it would answer on another interface"
    );
    let remedy = commands::accept_reverse_path(name);
    Finding::new("rp_filter", Verdict::Warn, what, remedy)
}

/// Where a broadcast goes, and whether the kernel takes that address for one: to send there it demands SO_BROADCAST.
pub(super) fn broadcast(interface: &Interface) -> Finding {
    let name = &interface.name;
    let address = match interface.broadcast_address() {
        Ok(address) => address,
        Err(none) => {
            let what = format!("{name} has no broadcast address: {none}");
            return Finding::new("broadcast", Verdict::Warn, what, none.remedy());
        }
    };
    let to = SocketAddr::new(address.into(), PORT);
    let refused =
        source_to(to, false).is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied);
    let what = match source_to(to, true) {
        Ok(_) if refused => {
            let what = format!("{address} is every host on the network of {name}");
            return Finding::ok("broadcast", what);
        }
        Ok(_) => format!(
            "the kernel takes {address}, the last address of {name}'s network, for that of a host"
        ),
        Err(error) => format!(
            "no route leads to {address}, the broadcast address of {name} ({})",
            why(&error)
        ),
    };
    let remedy = commands::broadcast_route(address, as_over(interface));
    Finding::new("broadcast", Verdict::Warn, what, remedy)
}
