//! A membership: which groups to join, on which interfaces, and when to end. Both programs of the experiment have one.

use std::{
    net::{IpAddr, Ipv4Addr},
    str::FromStr,
    time::Duration,
};

use serde::{Deserialize, Deserializer};

use super::interface::Interface;
use crate::{
    config::{Period, Switch, in_range},
    endpoint::Endpoint,
    exit::Failure,
    json,
    sys::Feature,
    zone::{self, Scoped},
};

/// The handout's group.
pub const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 1, 1, 1));

/// The handout's port.
pub const PORT: u16 = 5007;

/// The receive buffer that a receiver requests, in bytes: it holds what arrives within some milliseconds at full speed.
const RECEIVE_BUFFER: usize = 4 << 20;

/// The largest receive buffer that may be requested, in bytes.
const LARGEST_BUFFER: usize = 1 << 30;

/// A group as it is written; the zone of an IPv6 one is the interface, `ff02::5007%eth0`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GroupAddress(Scoped);

impl GroupAddress {
    /// The group's address, without the zone.
    pub fn ip(&self) -> IpAddr {
        self.0.ip()
    }
}

impl FromStr for GroupAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let port = || text.parse::<Endpoint>().ok()?.port();
        text.parse().map(Self).map_err(|why| match port() {
            Some(port) => format!("a group's port goes into --port {port}"),
            None => why,
        })
    }
}

impl<'de> Deserialize<'de> for GroupAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_text(deserializer)
    }
}

impl From<IpAddr> for GroupAddress {
    fn from(group: IpAddr) -> Self {
        Self(group.into())
    }
}

/// The options of a membership as a command line gives them; None stands for the default.
#[derive(Clone, Debug, Default)]
pub struct MembershipArgs {
    /// `--group`
    pub group: Option<Vec<GroupAddress>>,
    /// `--port`
    pub port: Option<u16>,
    /// `--interface`
    pub interface: Option<String>,
    /// `--source`
    pub source: Option<Vec<Ipv4Addr>>,
    /// `--receive-buffer`
    pub receive_buffer: Option<usize>,
    /// `--offload`
    pub offload: Option<Switch>,
    /// `--count`
    pub count: Option<u64>,
    /// `--for`
    pub end_after: Option<Period>,
}

/// Which groups to join, on which interfaces, and when to end; every value is in its range.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The groups, at least one, all IPv4 or all IPv6.
    pub groups: Vec<IpAddr>,
    /// Their port; port 0 takes a free one.
    pub port: u16,
    /// The interfaces on which they are joined, at least one.
    pub interfaces: Vec<Interface>,
    /// Whether the interface was selected by its address, and not by its name.
    pub by_address: bool,
    /// The senders to receive from (source-specific multicast, RFC 4607); empty: all senders.
    pub sources: Vec<Ipv4Addr>,
    /// The receive buffer to request, in bytes.
    pub receive_buffer: usize,
    /// Whether the user requested that size, so that the granted one is printed.
    pub report_buffer: bool,
    /// Whether the kernel may hand over many datagrams in one piece.
    pub offload: bool,
    /// The run ends after this number of datagrams.
    pub count: Option<u64>,
    /// The run ends after this time.
    pub end_after: Option<Duration>,
}

impl Membership {
    /// Fills in the defaults, finds the interfaces and checks the ranges.
    ///
    /// # Errors
    /// The flag, its value and what is wrong with it (exit code 2).
    pub fn new(args: MembershipArgs) -> Result<Self, Failure> {
        let written = args
            .group
            .filter(|groups| !groups.is_empty())
            .unwrap_or_else(|| vec![GROUP.into()]);
        let groups: Vec<_> = written.iter().map(|group| group.0.ip()).collect();
        for group in &groups {
            check_group(*group)?;
            if group.is_ipv4() != groups[0].is_ipv4() {
                let why = format!(
                    "{group} and {} are of two address families; a program joins groups of one",
                    groups[0]
                );
                return Err(Failure::could_not_run("--group", why));
            }
        }
        let sources = args.source.unwrap_or_default();
        for source in &sources {
            if source.is_multicast() || source.is_unspecified() || source.is_broadcast() {
                let why = format!("{source} is not the address of a sender");
                return Err(Failure::could_not_run("--source", why));
            }
        }
        if !sources.is_empty() && groups[0].is_ipv6() {
            let why = "goes with an IPv4 group, in 232.0.0.0/8";
            return Err(Failure::could_not_run("--source", why));
        }
        let requested = args.receive_buffer;
        let word = args.interface.as_deref();
        Ok(Self {
            interfaces: interfaces(word, &written, groups[0])?,
            by_address: word.is_some_and(|word| word.parse::<Scoped>().is_ok()),
            groups,
            port: args.port.unwrap_or(PORT),
            sources,
            receive_buffer: in_range(
                "--receive-buffer",
                requested.unwrap_or(RECEIVE_BUFFER),
                1,
                LARGEST_BUFFER,
            )?,
            report_buffer: requested.is_some(),
            offload: Feature::Offload.is_there() && Switch::on_by_default(args.offload),
            count: args
                .count
                .map(|count| in_range("--count", count, 1, u64::MAX))
                .transpose()?,
            end_after: args
                .end_after
                .map(|period| period.as_wait("--for"))
                .transpose()?,
        })
    }
}

/// The interfaces that the word selects; without a word, the zone of the groups.
fn interfaces(
    word: Option<&str>,
    written: &[GroupAddress],
    group: IpAddr,
) -> Result<Vec<Interface>, Failure> {
    let mut zone = None;
    for GroupAddress(group) in written {
        let index = group
            .index()
            .map_err(|why| Failure::could_not_run(format!("--group {group}"), why))?;
        match (index, zone) {
            (Some(index), Some((other, first))) if index != other => {
                let why = format!("{first} is on another interface; --interface all joins on all");
                return Err(Failure::could_not_run(format!("--group {group}"), why));
            }
            (Some(index), None) => zone = Some((index, group)),
            _ => {}
        }
    }
    let Some((index, scoped)) = zone else {
        return Interface::find(word, group);
    };
    let name = zone::name(index).unwrap_or_default();
    let found = Interface::find(word.or(Some(&name)), group)?;
    match found.iter().find(|interface| interface.index != index) {
        Some(other) => {
            let why = format!("{other} is selected by --interface, and is another interface");
            Err(Failure::could_not_run(format!("--group {scoped}"), why))
        }
        None => Ok(found),
    }
}

fn check_group(group: IpAddr) -> Result<(), Failure> {
    if group.is_multicast() {
        return Ok(());
    }
    let range = if group.is_ipv4() {
        "224.0.0.0 to 239.255.255.255"
    } else {
        "ff00::/8"
    };
    Err(Failure::could_not_run(
        "--group",
        format!("{group} is not in {range}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(args: MembershipArgs) -> String {
        Membership::new(args).unwrap_err().to_string()
    }

    fn groups(groups: &[&str]) -> MembershipArgs {
        MembershipArgs {
            group: Some(groups.iter().map(|group| group.parse().unwrap()).collect()),
            ..MembershipArgs::default()
        }
    }

    #[test]
    fn an_invalid_membership_is_refused() {
        assert_eq!(
            refused(groups(&["10.0.0.1"])),
            "--group: 10.0.0.1 is not in 224.0.0.0 to 239.255.255.255"
        );
        assert_eq!(
            refused(groups(&["fe80::1"])),
            "--group: fe80::1 is not in ff00::/8"
        );
        assert!(refused(groups(&["224.1.1.1", "ff02::1"])).contains("two address families"));
        let of_lo = Membership::new(groups(&["ff02::5007%lo", "ff15::1"])).unwrap();
        assert_eq!(of_lo.interfaces[0].name, "lo");
        assert!(
            refused(groups(&["ff02::5007%nope"]))
                .starts_with("--group ff02::5007%nope: no interface is called nope; ")
        );
        for (text, why) in [
            ("224.1.1.1:5007", "a group's port goes into --port 5007"),
            ("[ff02::1]:5007", "a group's port goes into --port 5007"),
            ("group", "'group' is no IP address"),
            (
                "ff15::1%lo",
                "ff15::1 is no link-local address and has no zone; write it without %lo",
            ),
        ] {
            assert_eq!(text.parse::<GroupAddress>(), Err(why.into()));
        }
        let source = |source: &str, group: &str| MembershipArgs {
            source: Some(vec![source.parse().unwrap()]),
            ..groups(&[group])
        };
        assert!(refused(source("224.0.0.1", "232.1.1.1")).ends_with("not the address of a sender"));
        assert!(refused(source("10.0.0.1", "ff15::1")).contains("an IPv4 group"));
        let buffer = MembershipArgs {
            receive_buffer: Some(0),
            ..MembershipArgs::default()
        };
        assert!(refused(buffer).starts_with("--receive-buffer: 0 is not in 1 to "));
    }
}
