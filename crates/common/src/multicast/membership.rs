//! A membership: which groups to join, on which interfaces, and when to end. Both programs of the experiment have one.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use super::interface::Interface;
use crate::{
    config::{Period, Switch, in_range},
    exit::Failure,
};

/// The handout's group.
pub const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 1, 1, 1));

/// The handout's port.
pub const PORT: u16 = 5007;

/// The receive buffer that a receiver requests, in bytes: it holds what arrives within some milliseconds at full speed.
const RECEIVE_BUFFER: usize = 4 << 20;

/// The largest receive buffer that may be requested, in bytes.
const LARGEST_BUFFER: usize = 1 << 30;

/// The options of a membership as a command line gives them; None stands for the default.
#[derive(Clone, Debug, Default)]
pub struct MembershipArgs {
    /// `--group`
    pub group: Option<Vec<IpAddr>>,
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
        let groups = args
            .group
            .filter(|groups| !groups.is_empty())
            .unwrap_or_else(|| vec![GROUP]);
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
        Ok(Self {
            interfaces: Interface::find(args.interface.as_deref(), groups[0])?,
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
            offload: Switch::on_by_default(args.offload),
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
