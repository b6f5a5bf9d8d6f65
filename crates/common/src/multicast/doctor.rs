//! Why nothing arrives: every reason that multicast may have not to work on this machine, looked at one by one.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::{
    Membership, Reach, Receiver, Sender, Technique, Wanted, kernel, receiver::on_this_machine,
};
use crate::{
    event::{Event, Kind, Level},
    exit::{Exit, Failure, Summary, why},
    interface::{Interface, routed},
    journal::{Journal, Lines},
    shutdown::Shutdown,
    text::{micros, plural, whole_micros},
};

/// How long the self-test waits for its own datagram.
const SELF_TEST: Duration = Duration::from_secs(1);

/// How a check came out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    Ok,
    /// It works here, and may be why it does not elsewhere.
    Warn,
    Fail,
}

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

    /// A failure tells its remedy itself.
    fn failure(check: &'static str, failure: &Failure) -> Self {
        Self::new(check, Verdict::Fail, failure.to_string(), "")
    }

    fn event(&self) -> Event {
        let (word, level) = match self.verdict {
            Verdict::Ok => ("ok", Level::Info),
            Verdict::Warn => ("warn", Level::Warn),
            Verdict::Fail => ("FAIL", Level::Error),
        };
        let mut text = self.what.clone();
        if !self.remedy.is_empty() {
            text += &format!("; remedy: {}", self.remedy);
        }
        Event {
            level,
            ..Event::new(Kind::Check)
                .resolved(self.check, word)
                .text(text)
        }
    }
}

/// What people see of a check.
pub fn view(event: &Event, lines: &mut Lines) {
    let of = |field: &Option<String>| field.clone().unwrap_or_default();
    lines.answer = format!(
        "{:<4}  {:<14}  {}",
        of(&event.value),
        of(&event.name),
        of(&event.text)
    );
}

/// Looks at everything, tells of each check as soon as it is done, and whether multicast works (exit code 1 if not).
///
/// # Errors
/// When the options are wrong (exit code 2).
pub fn run(
    wanted: Wanted,
    reach: Reach,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let mut findings = [0_u64; 3];
    let mut tell = |finding: Finding| {
        findings[finding.verdict as usize] += 1;
        journal.record(finding.event());
    };
    // Whatever is wrong with the options is no finding, but an interface that is not there is one.
    let without = Wanted {
        interface: None,
        ..wanted.clone()
    };
    match Membership::new(wanted) {
        Ok(membership) => examine(&membership, reach, shutdown, &mut tell),
        Err(failure) if failure.what.starts_with("--interface") => {
            Membership::new(without)?;
            tell(Finding::failure("interface", &failure));
        }
        Err(failure) => return Err(failure),
    }
    let [ok, warnings, failures] = findings;
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
    reach: Reach,
    shutdown: &Shutdown,
    tell: &mut impl FnMut(Finding),
) {
    let group = membership.groups[0];
    for interface in &membership.interfaces {
        tell(link(interface));
    }
    tell(range(&membership.interfaces));
    tell(route(group, &membership.interfaces));
    for interface in &membership.interfaces {
        if group.is_ipv4() && !interface.loopback {
            tell(reverse_path(interface));
        }
    }
    tell(firewall());
    tell(time_to_live(reach));
    tell(port(membership));
    let mut receiver = match Receiver::join(membership) {
        Ok(receiver) => receiver,
        Err(failure) => return tell(Finding::failure("join", &failure)),
    };
    for interface in &membership.interfaces {
        tell(listed(group, interface));
    }
    tell(room(receiver.room));
    for interface in &membership.interfaces {
        tell(self_test(&mut receiver, interface, shutdown));
    }
}

fn link(interface: &Interface) -> Finding {
    let Interface { name, state, .. } = interface;
    if !state.multicast && !interface.loopback {
        let what = format!("{interface} does no multicast");
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

fn range(interfaces: &[Interface]) -> Finding {
    if on_this_machine(interfaces) {
        let what = "on the loopback interface only programs on this machine hear one another";
        return Finding::new(
            "reach",
            Verdict::Warn,
            what,
            "--interface default goes on the network",
        );
    }
    Finding::ok("reach", "hosts on the network hear one another")
}

/// Where programs end up that leave the choice to the kernel, as the handout's do.
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
        "{group} is routed from {chosen}: programs that name no interface, as the handout's, are not heard on {}, nor hear it",
        joined[0]
    );
    Finding::new(
        "route",
        Verdict::Warn,
        what,
        "--interface default joins them",
    )
}

/// RFC 3704: a strict filter drops what comes by another way than an answer would go.
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
        "strict on {name}: datagrams are dropped whose sender would be answered over another interface"
    );
    let remedy = format!("sysctl net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.{name}.rp_filter=2");
    Finding::new("rp_filter", Verdict::Warn, what, remedy)
}

/// Whether there are rules that drop anything; whether they drop this is for the self-test to say.
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
                "see iptables -S; the self-test says whether they matter here",
            );
        }
        Ok(_) => return Finding::ok("firewall", "not looked at: only the administrator may"),
        Err(_) => return Finding::ok("firewall", "not looked at: nft is not installed"),
    };
    let drops = kernel::dropping(&rules);
    if drops.is_empty() {
        return Finding::ok("firewall", "no rule drops anything");
    }
    let what = format!("rules that drop something: {}", drops.join(" | "));
    Finding::new(
        "firewall",
        Verdict::Warn,
        what,
        "see nft list ruleset; the self-test says whether they matter here",
    )
}

fn time_to_live(reach: Reach) -> Finding {
    match reach.ttl {
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

/// Who else has the port. A failure is told by the join.
fn port(membership: &Membership) -> Finding {
    let port = membership.port;
    if port == 0 {
        return Finding::ok("port", "a free one");
    }
    let held = kernel::holders(port, membership.groups[0].is_ipv4());
    let taken = || {
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
    match taken() {
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
                "{port} is shared with {by}: a group's datagrams reach each of them, unicast only the last to bind"
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
        return Finding::ok("membership", format!("not looked at: no {path}"));
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
    Finding::new("membership", Verdict::Fail, what, format!("look at {path}"))
}

fn room((asked, granted): (usize, usize)) -> Finding {
    // The kernel doubles the wish, for what it keeps beside the data (socket(7)).
    if granted >= 2 * asked {
        return Finding::ok(
            "receive buffer",
            format!("{granted} bytes granted, as asked for"),
        );
    }
    let what = format!(
        "{granted} bytes granted where {asked} and as much again were asked for: what comes faster than it is read is lost sooner"
    );
    let remedy = format!("sysctl net.core.rmem_max={asked}");
    Finding::new("receive buffer", Verdict::Warn, what, remedy)
}

/// A datagram to the group that stays on this machine must come back.
fn self_test(receiver: &mut Receiver, interface: &Interface, shutdown: &Shutdown) -> Finding {
    let to = interface.at(receiver.group.ip(), receiver.group.port());
    let reach = Reach {
        ttl: Some(0),
        ..Reach::default()
    };
    let message = format!(
        "lab doctor: self-test {} on {interface}",
        std::process::id()
    );
    let begun = Instant::now();
    let sent = Sender::new(Technique::Multicast, to, interface, reach)
        .and_then(|mut sender| sender.send(message.as_bytes()).map(|()| sender.from));
    let from = match sent {
        Ok(from) => from,
        Err(failure) => return Finding::failure("self-test", &failure),
    };
    let until = begun + SELF_TEST;
    loop {
        match receiver.receive(Some(until), shutdown) {
            Ok(Some(batch)) => {
                let ours = |datagram: &[u8]| datagram == message.as_bytes();
                if batch.sender.port() == from.port() && batch.datagrams().any(ours) {
                    let after = micros(whole_micros(begun.elapsed()));
                    return Finding::ok(
                        "self-test",
                        format!("sent to {to} on {interface} and heard after {after}"),
                    );
                }
            }
            Ok(None) => {
                let what = format!(
                    "sent to {to} on {interface} and not heard within {} s, though nothing of it left this machine",
                    SELF_TEST.as_secs()
                );
                let remedy = "look at the firewall's rules: nft list ruleset, iptables -S";
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
