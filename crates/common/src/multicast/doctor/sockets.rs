//! The port, the join, the receive buffer, and a datagram that this machine sends to itself.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::{Duration, Instant},
};

use super::{
    super::{
        group_socket::{GroupSocket, ReceiveBuffer},
        interface::Interface,
        membership::{Membership, PORT},
        sender::{Reach, Sender},
    },
    finding::Finding,
    tool::output,
};
use crate::{
    event::{AddressingMode, Verdict},
    exit::{Failure, why},
    shutdown::Shutdown,
    sys::{
        commands,
        datagrams::{self, BUFFER_LIMIT, UNICAST_GOES_TO, granted_in_full},
        tables::{self, holders},
    },
    text::{micros, plural, whole_micros},
};

/// How long the self-test waits for its datagrams.
const SELF_TEST: Duration = Duration::from_secs(1);

pub(super) fn time_to_live(ttl: Option<u8>) -> Finding {
    match ttl {
        Some(0) => Finding::new(
            "ttl",
            Verdict::Warn,
            "0: what is sent to a group stays on this machine; with 1 it reaches the network",
            "--ttl 1",
        ),
        None | Some(1) => Finding::ok(
            "ttl",
            "1: what is sent to a group reaches the network and crosses no router",
        ),
        Some(ttl) => Finding::ok(
            "ttl",
            format!(
                "{ttl}: crosses up to {}, if they route multicast",
                plural(u64::from(ttl) - 1, "router")
            ),
        ),
    }
}

/// Whether a socket can be bound to the port, and which other processes hold it.
pub(super) fn port(membership: &Membership) -> Finding {
    let (port, v4) = (membership.port, membership.groups[0].is_ipv4());
    if port == 0 {
        return Finding::ok("port", "a free one");
    }
    let bound = bind(port, v4);
    let taken = |error: &std::io::Error| error.kind() == std::io::ErrorKind::AddrInUse;
    let (mut held, mut is_held) = match holders(port, v4) {
        Some(held) => (held.clone(), !held.is_empty()),
        // A socket that does not share finds the port held by any.
        None => (
            Vec::new(),
            bind_alone(port, v4).is_err_and(|error| taken(&error)),
        ),
    };
    if v4 && !is_held && bound.as_ref().is_err_and(taken) {
        // A socket of IPv6 may hold the port for IPv4 as well.
        held = holders(port, false).unwrap_or_default();
        is_held = !held.is_empty();
    }
    let by = if held.is_empty() {
        "another program".into()
    } else {
        held.join(", ")
    };
    let (verdict, what) = match bound {
        Ok(()) if !is_held => return Finding::ok("port", format!("{port} is free")),
        Ok(()) => (
            Verdict::Warn,
            format!(
                "{port} is shared with {by}: each of them receives multicast and broadcast datagrams, only {UNICAST_GOES_TO} receives unicast ones, so for unicast each needs a port of its own"
            ),
        ),
        Err(error) if taken(&error) => (
            Verdict::Fail,
            format!("{port} is held by {by}, which does not share it: end it, or use another port"),
        ),
        Err(error) => (
            Verdict::Fail,
            format!("{port}: {}: use another port", why(&error)),
        ),
    };
    Finding::new("port", verdict, what, another_port(port, v4))
}

fn bind(port: u16, v4: bool) -> std::io::Result<()> {
    bind_socket(port, v4, true)
}

fn bind_alone(port: u16, v4: bool) -> std::io::Result<()> {
    bind_socket(port, v4, false)
}

fn bind_socket(port: u16, v4: bool, shared: bool) -> std::io::Result<()> {
    let any: IpAddr = if v4 {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    let any = SocketAddr::new(any, port);
    let domain = socket2::Domain::for_address(any);
    let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, None)?;
    if !v4 {
        socket.set_only_v6(true)?;
    }
    if shared {
        datagrams::share_port(&socket)?;
    }
    socket.bind(&any.into())
}

/// The flag for a port near this one that no program holds.
fn another_port(port: u16, v4: bool) -> String {
    let near = port.max(PORT - 1).saturating_add(1)..=u16::MAX;
    let free = |port: &u16| match holders(*port, v4) {
        Some(held) => bind(*port, v4).is_ok() && held.is_empty(),
        None => bind_alone(*port, v4).is_ok(),
    };
    match near.chain(PORT..port).take(1000).find(free) {
        Some(free) => format!("--port {free}"),
        None => "--port 0".into(),
    }
}

/// Why the join failed, and how it succeeds.
pub(super) fn join(membership: &Membership, failure: &Failure) -> Finding {
    let groups = &membership.groups;
    let v4 = groups[0].is_ipv4();
    let repeated = groups
        .iter()
        .enumerate()
        .any(|(index, group)| groups[..index].contains(group));
    let remedy = if repeated {
        "name each group once".into()
    } else if bind(membership.port, v4).is_err() {
        another_port(membership.port, v4)
    } else {
        limits(membership)
    };
    Finding::failure("join", failure, remedy)
}

/// The command that raises the limits on what one socket may join to what this membership takes; empty where none is below.
fn limits(membership: &Membership) -> String {
    let memberships = membership.groups.len() * membership.interfaces.len();
    let sources = membership.sources.len();
    // The kernel takes less than this for its lists of the groups and of their sources, which it doubles.
    let each_list = if sources > 0 { 16 * (sources + 10) } else { 0 };
    let lists = 1024 + memberships * (64 + each_list);
    let mut needed = vec![("net.core.optmem_max", lists)];
    if membership.groups[0].is_ipv4() {
        needed.push(("net.ipv4.igmp_max_memberships", memberships));
        needed.push(("net.ipv4.igmp_max_msf", sources));
    }
    let too_low =
        |(key, needed): &(&str, usize)| tables::setting(key).is_some_and(|limit| limit < *needed);
    let raised: Vec<_> = needed
        .into_iter()
        .filter(too_low)
        .map(|(key, needed)| format!("{key}={needed}"))
        .collect();
    if raised.is_empty() {
        return String::new();
    }
    format!("sysctl {}", raised.join(" "))
}

/// Whether the kernel lists the groups as joined on this interface.
pub(super) fn listed(groups: &[IpAddr], interface: &Interface) -> Finding {
    let (v4, name) = (groups[0].is_ipv4(), &interface.name);
    let path = tables::groups_place(v4);
    let Some(table) = tables::groups(v4) else {
        return printed(groups, interface).unwrap_or_else(|| {
            let what = format!("not checked: no {path}");
            Finding::new("membership", Verdict::Open, what, "")
        });
    };
    let missing = groups.iter().find(|group| !table.contain(**group, name));
    if let Some(group) = missing {
        let what = format!("the kernel does not list {group} on {name}, though it was joined");
        return Finding::new("membership", Verdict::Fail, what, format!("see {path}"));
    }
    let most = tables::setting("net.ipv4.igmp_max_memberships").filter(|_| groups[0].is_ipv4());
    let most = most.map_or_else(String::new, |most| format!("; a socket may join {most}"));
    let groups = match groups {
        [group] => group.to_string(),
        [group, others @ ..] => format!("{group} and {} more", others.len()),
        [] => return Finding::ok("membership", "no group"),
    };
    Finding::ok(
        "membership",
        format!("the kernel lists {groups} on {name}{most}"),
    )
}

/// Whether the tool that prints the groups prints these; None where there is none. Its form is not known, so that what it
/// does not show is open.
fn printed(groups: &[IpAddr], interface: &Interface) -> Option<Finding> {
    let (program, arguments) = commands::JOINS?[usize::from(groups[0].is_ipv6())];
    let tool = [&[program], arguments].concat().join(" ");
    let (verdict, what) = match output(program, arguments) {
        Ok(Some(text)) => {
            let shown = |group: &IpAddr| {
                let group = group.to_string();
                let mut words = text.split(|letter: char| letter.is_whitespace() || letter == '%');
                words.any(|word| word == group)
            };
            match groups.iter().find(|group| !shown(group)) {
                None => {
                    let all = groups.iter().map(IpAddr::to_string).collect::<Vec<_>>();
                    let what = format!("{tool} lists {}", all.join(", "));
                    return Some(Finding::ok("membership", what));
                }
                Some(group) => (
                    Verdict::Open,
                    format!(
                        "{tool} does not show {group}, which was joined on {}",
                        interface.name
                    ),
                ),
            }
        }
        _ => (Verdict::Open, format!("not checked: {tool} fails")),
    };
    Some(Finding::new("membership", verdict, what, ""))
}

pub(super) fn receive_buffer(size: ReceiveBuffer) -> Finding {
    const LIMIT: &str = BUFFER_LIMIT;
    let ReceiveBuffer { requested, granted } = size;
    if !size.limited() {
        return Finding::ok(
            "receive buffer",
            format!("{granted} bytes granted, as requested"),
        );
    }
    // In a network namespace of its own a program sees the machine's limit, and nobody can change it there.
    let (who, remedy) = match tables::setting(LIMIT) {
        Some(limit) if tables::is_fixed(LIMIT) => (
            format!("; {LIMIT} of the machine outside of this network namespace limits it"),
            format!("--receive-buffer {limit}"),
        ),
        _ => (String::new(), commands::raise_buffer(requested)),
    };
    let what = format!(
        "{granted} bytes granted, {} requested: datagrams that arrive faster than they are read are lost sooner{who}",
        granted_in_full(requested)
    );
    Finding::new("receive buffer", Verdict::Warn, what, remedy)
}

/// Sends a datagram to each group, with a time to live that keeps it on this machine, and receives them. `remedy` is what
/// other checks found, for when they do not arrive.
pub(super) fn self_test(
    socket: &mut GroupSocket,
    membership: &Membership,
    interface: &Interface,
    remedy: &str,
    shutdown: &Shutdown,
) -> Finding {
    const CHECK: &str = "self-test";
    let sources = &membership.sources;
    if !sources.is_empty() && !sources.iter().any(|source| *source == interface.address) {
        let what = format!(
            "not made: with --source only datagrams from {} are received, and this is {}",
            sources[0], interface.address
        );
        let remedy = "send one from there, or run the doctor without --source";
        return Finding::new(CHECK, Verdict::Open, what, remedy);
    }
    let message = format!(
        "lab doctor: self-test {} on {interface}",
        std::process::id()
    );
    let begun = Instant::now();
    let reach = Reach {
        ttl: Some(0),
        ..Reach::default()
    };
    let mut missing = Vec::new();
    for group in &membership.groups {
        let to = interface.at(*group, socket.group.port());
        let sent = Sender::new(AddressingMode::Multicast, to, interface, reach)
            .and_then(|mut sender| sender.send(message.as_bytes()).map(|()| sender.from.port()));
        match sent {
            Ok(from) => missing.push((to, from)),
            Err(failure) => return Finding::failure(CHECK, &failure, remedy),
        }
    }
    let first = missing[0].0;
    let until = begun + SELF_TEST;
    while let Some((to, _)) = missing.first() {
        match socket.receive(Some(until), shutdown) {
            Ok(Some(batch)) => {
                let ours = |datagram: &[u8]| datagram == message.as_bytes();
                if batch.datagrams().any(ours) {
                    let from = batch.sender.port();
                    missing.retain(|(_, sent_from)| *sent_from != from);
                }
            }
            Ok(None) => {
                let what = format!(
                    "sent to {to} on {interface} and not received within {} s, though it did not leave this machine",
                    SELF_TEST.as_secs()
                );
                let remedy = if remedy.is_empty() {
                    commands::DROPS
                } else {
                    remedy
                };
                return Finding::new(CHECK, Verdict::Fail, what, remedy);
            }
            Err(error) => {
                let what = format!("receive: {}", why(&error));
                return Finding::new(CHECK, Verdict::Fail, what, "");
            }
        }
    }
    let after = micros(whole_micros(begun.elapsed()));
    let more = match membership.groups.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Finding::ok(
        CHECK,
        format!("sent to {first}{more} on {interface} and received after {after}"),
    )
}
