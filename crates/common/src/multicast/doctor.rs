//! Why nothing arrives: checks, one by one, every reason why multicast may not work on this machine.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::{
    group_socket::{GroupSocket, ReceiveBuffer},
    interface::{Interface, routed},
    kernel,
    membership::{Membership, MembershipArgs},
    sender::{Reach, Sender},
};
use crate::{
    event::{AddressingMode, Event, Verdict},
    exit::{Exit, Failure, Summary, why},
    journal::Journal,
    shutdown::Shutdown,
    text::{micros, plural, whole_micros},
};

/// How long the self-test waits for its datagram.
const SELF_TEST: Duration = Duration::from_secs(1);

/// What one check found.
#[derive(Debug)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    what: String,
    remedy: String,
}

impl Finding {
    fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, what, "")
    }

    fn new(
        check: &'static str,
        verdict: Verdict,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            check,
            verdict,
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    /// The text of a failure names its remedy.
    fn failure(check: &'static str, failure: &Failure) -> Self {
        Self::new(check, Verdict::Fail, failure.to_string(), "")
    }

    fn event(&self) -> Event {
        let mut text = self.what.clone();
        if !self.remedy.is_empty() {
            text += &format!("; remedy: {}", self.remedy);
        }
        Event::check(self.check, self.verdict, text)
    }
}

/// A check as people see it.
pub(super) fn line(event: &Event) -> String {
    format!(
        "{:<4}  {:<14}  {}",
        event.verdict.map_or("", Verdict::word),
        event.check.as_deref().unwrap_or_default(),
        event.text.as_deref().unwrap_or_default()
    )
}

/// Makes all checks and reports each as soon as it is done, then whether multicast works here (exit code 1 if not).
///
/// # Errors
/// When the options are wrong (exit code 2).
pub fn run(
    membership: MembershipArgs,
    ttl: Option<u8>,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let mut verdicts = Vec::new();
    let mut report = |finding: Finding| {
        verdicts.push(finding.verdict);
        journal.record(finding.event());
    };
    // A check has no use for these, wherever they were set.
    let membership = MembershipArgs {
        count: None,
        end_after: None,
        offload: None,
        ..membership
    };
    // An invalid option is no finding, but a missing interface is one.
    let without_interface = MembershipArgs {
        interface: None,
        ..membership.clone()
    };
    match Membership::new(membership) {
        Ok(membership) => examine(&membership, ttl, shutdown, &mut report),
        Err(failure) if failure.what.starts_with("--interface") => {
            Membership::new(without_interface)?;
            report(Finding::failure("interface", &failure));
        }
        Err(failure) => return Err(failure),
    }
    let count = |verdict| verdicts.iter().filter(|found| **found == verdict).count() as u64;
    let [ok, warnings, failures] = [Verdict::Ok, Verdict::Warn, Verdict::Fail].map(count);
    let conclusion = match (failures, warnings) {
        (0, 0) => "multicast works here",
        (0, _) => "multicast works here, within what the warnings say",
        _ => "multicast does not work here",
    };
    let text = format!(
        "{}: {ok} ok, {}, {}: {conclusion}",
        plural(ok + warnings + failures, "check"),
        plural(warnings, "warning"),
        plural(failures, "failure")
    );
    let exit = if failures > 0 { Exit::No } else { Exit::Done };
    Ok(Summary::done(text)
        .exit(exit)
        .count("ok", ok)
        .count("warnings", warnings)
        .count("failures", failures))
}

fn examine(
    membership: &Membership,
    ttl: Option<u8>,
    shutdown: &Shutdown,
    report: &mut impl FnMut(Finding),
) {
    let group = membership.groups[0];
    for interface in &membership.interfaces {
        report(link(interface));
    }
    report(reach(&membership.interfaces));
    report(route(group, &membership.interfaces));
    for interface in &membership.interfaces {
        if group.is_ipv4() && !interface.loopback {
            report(reverse_path(interface));
        }
    }
    report(firewall());
    report(time_to_live(ttl));
    report(port(membership));
    let mut socket = match GroupSocket::join(membership) {
        Ok(socket) => socket,
        Err(failure) => return report(Finding::failure("join", &failure)),
    };
    for interface in &membership.interfaces {
        report(listed(group, interface));
    }
    report(receive_buffer(socket.receive_buffer));
    for interface in &membership.interfaces {
        report(self_test(&mut socket, interface, shutdown));
    }
}

fn link(interface: &Interface) -> Finding {
    let Interface { name, state, .. } = interface;
    if !state.multicast && !interface.loopback {
        let what = format!("{interface} does not support multicast");
        let remedy = format!("ip link set {name} multicast on");
        return Finding::new("interface", Verdict::Fail, what, remedy);
    }
    if !state.running {
        let what = format!("{interface} is up and has no carrier");
        return Finding::new(
            "interface",
            Verdict::Fail,
            what,
            "plug the cable in, or join the wireless network",
        );
    }
    Finding::ok("interface", format!("{interface} is up"))
}

fn reach(interfaces: &[Interface]) -> Finding {
    if interfaces.iter().all(|interface| interface.loopback) {
        let what =
            "on the loopback interface only programs on this machine receive from one another";
        return Finding::new(
            "reach",
            Verdict::Warn,
            what,
            "--interface default goes on the network",
        );
    }
    Finding::ok("reach", "hosts on the network receive from one another")
}

/// Which interface the kernel chooses for programs that name none, as the handout's.
fn route(group: IpAddr, joined: &[Interface]) -> Finding {
    let chosen = match routed(group) {
        Ok(address) => address,
        Err(error) => {
            let what = format!(
                "no route leads to {group} ({}): programs that name no interface, as the handout's, neither join nor send",
                why(&error)
            );
            let net = if group.is_ipv4() {
                "224.0.0.0/4"
            } else {
                "ff00::/8"
            };
            let family = if group.is_ipv4() { "" } else { "-6 " };
            let remedy = format!("ip {family}route add {net} dev {}", joined[0].name);
            return Finding::new("route", Verdict::Warn, what, remedy);
        }
    };
    if joined.iter().any(|interface| interface.address == chosen) {
        return Finding::ok("route", format!("{group} is routed over {}", joined[0]));
    }
    let what = format!(
        "{group} is routed from {chosen}: programs that name no interface, as the handout's, neither send to {} nor receive from it",
        joined[0]
    );
    Finding::new(
        "route",
        Verdict::Warn,
        what,
        "--interface default joins them",
    )
}

/// RFC 3704: a strict filter drops what arrives on another interface than an answer would be sent on.
fn reverse_path(interface: &Interface) -> Finding {
    let of = |name: &str| {
        let path = format!("/proc/sys/net/ipv4/conf/{name}/rp_filter");
        fs::read_to_string(path)
            .ok()
            .and_then(|value| value.trim().parse::<u32>().ok())
            .unwrap_or_default()
    };
    // The kernel takes the larger of the two.
    let name = &interface.name;
    if of("all").max(of(name)) != 1 {
        return Finding::ok("rp_filter", format!("not strict on {name}"));
    }
    let what = format!(
        "strict on {name}: the kernel drops datagrams whose sender it would answer on another interface"
    );
    let remedy = format!("sysctl net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.{name}.rp_filter=2");
    Finding::new("rp_filter", Verdict::Warn, what, remedy)
}

/// Whether there are rules that drop packets; the self-test shows whether they drop these.
fn firewall() -> Finding {
    let rules = Command::new("nft")
        .args(["list", "ruleset"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let old = fs::read_to_string("/proc/net/ip_tables_names").unwrap_or_default();
    let rules = match rules {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).into_owned()
        }
        _ if !old.trim().is_empty() => {
            let what = "iptables rules are loaded";
            return Finding::new(
                "firewall",
                Verdict::Warn,
                what,
                "see iptables -S; the self-test shows whether they matter here",
            );
        }
        Ok(_) => return Finding::ok("firewall", "not checked: only the administrator may"),
        Err(_) => return Finding::ok("firewall", "not checked: nft is not installed"),
    };
    let drops = kernel::dropping(&rules);
    if drops.is_empty() {
        return Finding::ok("firewall", "no rule drops packets");
    }
    let what = format!("rules that drop packets: {}", drops.join(" | "));
    Finding::new(
        "firewall",
        Verdict::Warn,
        what,
        "see nft list ruleset; the self-test shows whether they matter here",
    )
}

fn time_to_live(ttl: Option<u8>) -> Finding {
    match ttl {
        Some(0) => Finding::new(
            "ttl",
            Verdict::Warn,
            "0: what is sent to a group stays on this machine",
            "--ttl 1 reaches the network",
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

/// Which other processes hold the port.
fn port(membership: &Membership) -> Finding {
    let port = membership.port;
    if port == 0 {
        return Finding::ok("port", "a free one");
    }
    let held = kernel::holders(port, membership.groups[0].is_ipv4());
    let bind = || {
        let any: IpAddr = if membership.groups[0].is_ipv4() {
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            std::net::Ipv6Addr::UNSPECIFIED.into()
        };
        let socket = socket2::Socket::new(
            socket2::Domain::for_address(SocketAddr::new(any, port)),
            socket2::Type::DGRAM,
            None,
        )?;
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::new(any, port).into())
    };
    let by = held.join(", ");
    match bind() {
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            let by = if by.is_empty() {
                "another program".into()
            } else {
                by
            };
            let what = format!("{port} is held by {by}, which does not share it");
            Finding::new(
                "port",
                Verdict::Fail,
                what,
                "end it, or choose another --port",
            )
        }
        Err(error) => Finding::new(
            "port",
            Verdict::Fail,
            format!("{port}: {}", why(&error)),
            "choose another --port",
        ),
        Ok(()) if held.is_empty() => Finding::ok("port", format!("{port} is free")),
        Ok(()) => {
            let what = format!(
                "{port} is shared with {by}: each of them receives multicast and broadcast datagrams, only the last to bind receives unicast ones"
            );
            Finding::new(
                "port",
                Verdict::Warn,
                what,
                "for unicast give each program a --port of its own",
            )
        }
    }
}

fn listed(group: IpAddr, interface: &Interface) -> Finding {
    let (path, name) = (kernel::groups_path(group), &interface.name);
    let Ok(table) = fs::read_to_string(path) else {
        return Finding::ok("membership", format!("not checked: no {path}"));
    };
    if kernel::is_member(&table, group, name) {
        let most =
            fs::read_to_string("/proc/sys/net/ipv4/igmp_max_memberships").unwrap_or_default();
        let most = if group.is_ipv4() && !most.trim().is_empty() {
            format!("; a socket may join {}", most.trim())
        } else {
            String::new()
        };
        return Finding::ok(
            "membership",
            format!("the kernel lists {group} on {name}{most}"),
        );
    }
    let what = format!("the kernel does not list {group} on {name}");
    Finding::new("membership", Verdict::Fail, what, format!("see {path}"))
}

fn receive_buffer(size: ReceiveBuffer) -> Finding {
    let ReceiveBuffer { requested, granted } = size;
    if !size.limited() {
        return Finding::ok(
            "receive buffer",
            format!("{granted} bytes granted, as requested"),
        );
    }
    let what = format!(
        "{granted} bytes granted, {} requested: datagrams that arrive faster than they are read are lost sooner",
        2 * requested
    );
    let remedy = format!("sysctl net.core.rmem_max={requested}");
    Finding::new("receive buffer", Verdict::Warn, what, remedy)
}

/// Sends a datagram to the group, with a time to live that keeps it on this machine, and receives it.
fn self_test(socket: &mut GroupSocket, interface: &Interface, shutdown: &Shutdown) -> Finding {
    let to = interface.at(socket.group.ip(), socket.group.port());
    let reach = Reach {
        ttl: Some(0),
        ..Reach::default()
    };
    let message = format!(
        "lab doctor: self-test {} on {interface}",
        std::process::id()
    );
    let begun = Instant::now();
    let sent = Sender::new(AddressingMode::Multicast, to, interface, reach)
        .and_then(|mut sender| sender.send(message.as_bytes()).map(|()| sender.from));
    let from = match sent {
        Ok(from) => from,
        Err(failure) => return Finding::failure("self-test", &failure),
    };
    let until = begun + SELF_TEST;
    loop {
        match socket.receive(Some(until), shutdown) {
            Ok(Some(batch)) => {
                let ours = |datagram: &[u8]| datagram == message.as_bytes();
                if batch.sender.port() == from.port() && batch.datagrams().any(ours) {
                    let after = micros(whole_micros(begun.elapsed()));
                    return Finding::ok(
                        "self-test",
                        format!("sent to {to} on {interface} and received after {after}"),
                    );
                }
            }
            Ok(None) => {
                let what = format!(
                    "sent to {to} on {interface} and not received within {} s, though it did not leave this machine",
                    SELF_TEST.as_secs()
                );
                let remedy = "see the firewall's rules: nft list ruleset, iptables -S";
                return Finding::new("self-test", Verdict::Fail, what, remedy);
            }
            Err(error) => {
                return Finding::new(
                    "self-test",
                    Verdict::Fail,
                    format!("receive: {}", why(&error)),
                    "",
                );
            }
        }
    }
}
