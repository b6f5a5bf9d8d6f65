//! Why nothing arrives: checks, one by one, every reason why multicast may not work on this machine. Each finding that is
//! not ok names its remedy.
//!
//! | module | checks |
//! | --- | --- |
//! | `links` | interfaces and routes |
//! | `routes` | the system's table of routes, where it has to be read |
//! | `firewall` | rules that drop the datagrams |
//! | `sockets` | the port, the join, the receive buffer, and a live test |
//! | `traffic` | what has to pass |
//! | `finding` | what one check found |
//! | `tool` | what a program of the system prints |

mod finding;
mod firewall;
mod links;
mod routes;
mod sockets;
mod tool;
mod traffic;

use self::{finding::Finding, traffic::Traffic};
use super::{
    group_socket::GroupSocket,
    membership::{GROUP, GroupAddress, Membership, MembershipArgs},
};
use crate::{
    event::{Event, Verdict},
    exit::{Exit, Failure, Summary},
    journal::Journal,
    shutdown::Shutdown,
    sys::tables::FILTERS_REVERSE_PATH,
    text::plural,
};

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
    let word = membership.interface.clone();
    let groups = membership.group.as_deref().unwrap_or_default();
    let group = groups.first().map_or(GROUP, GroupAddress::ip);
    match Membership::new(membership) {
        Ok(membership) => examine(&membership, ttl, shutdown, &mut report),
        Err(failure) if is_of_interface(&failure) => {
            match Membership::new(without_interface) {
                Err(other) if !is_of_interface(&other) => return Err(other),
                _ => {}
            }
            report(links::unusable(word.as_deref(), group, &failure));
        }
        Err(failure) => return Err(failure),
    }
    let count = |verdict| verdicts.iter().filter(|found| **found == verdict).count() as u64;
    let [ok, open, warnings, failures] = Verdict::ALL.map(count);
    let conclusion = match (failures, warnings) {
        (0, 0) => "multicast works here",
        (0, _) => "multicast works here, within what the warnings say",
        _ => "multicast does not work here",
    };
    let undecided = if open > 0 {
        format!(", {open} open")
    } else {
        String::new()
    };
    let text = format!(
        "{}: {ok} ok{undecided}, {}, {}: {conclusion}",
        plural(ok + open + warnings + failures, "check"),
        plural(warnings, "warning"),
        plural(failures, "failure")
    );
    let exit = if failures > 0 { Exit::No } else { Exit::Done };
    Ok(Summary::done(text)
        .exit(exit)
        .count("ok", ok)
        .count("open", open)
        .count("warnings", warnings)
        .count("failures", failures))
}

/// Whether options are refused for what is wrong with the interface, not with an option.
fn is_of_interface(failure: &Failure) -> bool {
    failure.what.starts_with("--interface") || failure.what == "loopback interface"
}

fn examine(
    membership: &Membership,
    ttl: Option<u8>,
    shutdown: &Shutdown,
    report: &mut impl FnMut(Finding),
) {
    let Membership {
        groups, interfaces, ..
    } = membership;
    let group = groups[0];
    for interface in interfaces {
        report(links::link(interface));
    }
    report(links::reach(group, interfaces));
    report(links::route(groups, interfaces));
    if let Some(finding) = routes::check(group, interfaces) {
        report(finding);
    }
    for interface in interfaces.iter().filter(|_| group.is_ipv4()) {
        if !interface.loopback && FILTERS_REVERSE_PATH {
            report(links::reverse_path(interface));
        }
        report(links::broadcast(interface));
    }
    let network = interfaces.iter().any(|interface| !interface.loopback);
    let mut remedy = String::new();
    for firewall in firewall::check(Traffic::new(group, membership.port, network)) {
        if remedy.is_empty() {
            remedy.clone_from(&firewall.remedy);
        }
        report(firewall);
    }
    report(sockets::time_to_live(ttl));
    report(sockets::port(membership));
    let mut socket = match GroupSocket::join(membership) {
        Ok(socket) => socket,
        Err(failure) => return report(sockets::join(membership, &failure)),
    };
    let joined = plural(groups.len() as u64, "group");
    report(Finding::ok(
        "join",
        format!(
            "{joined} on {}",
            plural(interfaces.len() as u64, "interface")
        ),
    ));
    for interface in interfaces {
        report(sockets::listed(groups, interface));
    }
    report(sockets::receive_buffer(socket.receive_buffer));
    for interface in interfaces {
        if remedy.is_empty() {
            remedy = links::remedy_of_loopback(group, interface);
        }
        report(sockets::self_test(
            &mut socket,
            membership,
            interface,
            &remedy,
            shutdown,
        ));
    }
}
