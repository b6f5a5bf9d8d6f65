//! Which groups to join, where, and for how long to listen: what both programs of the experiment have in common.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use super::{GROUP, PORT};
use crate::{
    config::{Period, Switch, in_range},
    exit::{Exit, Failure, Summary},
    interface::Interface,
};

/// The room that a receiver asks the kernel for, in bytes: what comes within some milliseconds at full speed.
const RECEIVE_BUFFER: usize = 4 << 20;

/// The most that a receiver may ask for, in bytes.
const LARGEST_BUFFER: usize = 1 << 30;

/// The options of a membership as they are given on a command line; None is the default.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
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

/// Which groups to join, where, and for how long to listen.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The groups, at least one, all IPv4 or all IPv6.
    pub groups: Vec<IpAddr>,
    /// Their port; port 0 takes a free one.
    pub port: u16,
    /// Where they are joined; at least one.
    pub interfaces: Vec<Interface>,
    /// Whom to hear; empty: everybody (source-specific multicast, RFC 4607).
    pub sources: Vec<Ipv4Addr>,
    /// The receive buffer to ask for, in bytes.
    pub receive_buffer: usize,
    /// Whether that was asked for by hand, so that the answer is told.
    pub tell_buffer: bool,
    /// Whether the kernel may hand over many datagrams in one piece.
    pub offload: bool,
    /// After how many datagrams to end.
    pub count: Option<u64>,
    /// After what time to end.
    pub end_after: Option<Duration>,
}

impl Membership {
    /// Fills in the defaults, finds the interfaces and checks the ranges.
    ///
    /// # Errors
    /// The flag, its value and what is wrong with it (exit code 2).
    pub fn new(wanted: Wanted) -> Result<Self, Failure> {
        let groups = wanted
            .group
            .filter(|groups| !groups.is_empty())
            .unwrap_or_else(|| vec![GROUP]);
        for group in &groups {
            valid_group(*group)?;
            if group.is_ipv4() != groups[0].is_ipv4() {
                let why = format!(
                    "{group} and {} are of two families; a program listens to one",
                    groups[0]
                );
                return Err(Failure::could_not_run("--group", why));
            }
        }
        let sources = wanted.source.unwrap_or_default();
        for source in &sources {
            if source.is_multicast() || source.is_unspecified() || source.is_broadcast() {
                return Err(Failure::could_not_run(
                    "--source",
                    format!("{source} is nobody's address"),
                ));
            }
        }
        if !sources.is_empty() && groups[0].is_ipv6() {
            return Err(Failure::could_not_run(
                "--source",
                "goes with an IPv4 group, in 232.0.0.0/8",
            ));
        }
        let wish = wanted.receive_buffer;
        Ok(Self {
            interfaces: Interface::find(wanted.interface.as_deref(), groups[0])?,
            groups,
            port: wanted.port.unwrap_or(PORT),
            sources,
            receive_buffer: in_range(
                "--receive-buffer",
                wish.unwrap_or(RECEIVE_BUFFER),
                1,
                LARGEST_BUFFER,
            )?,
            tell_buffer: wish.is_some(),
            offload: Switch::on_by_default(wanted.offload),
            count: wanted
                .count
                .map(|count| in_range("--count", count, 1, u64::MAX))
                .transpose()?,
            end_after: wanted
                .end_after
                .map(|period| period.as_wait("--for"))
                .transpose()?,
        })
    }

    /// How many more datagrams it takes to be enough.
    pub fn wanting(&self, received: u64) -> u64 {
        self.count
            .map_or(u64::MAX, |count| count.saturating_sub(received))
    }

    /// The summary of a run that received so many: the answer is no where `--count` asked for more, unless somebody
    /// interrupted it.
    pub fn judge(&self, mut summary: Summary, received: u64, interrupted: bool) -> Summary {
        if let Some(count) = self.count
            && received < count
        {
            summary.text += &format!("; {count} were asked for");
            if !interrupted {
                summary.exit = summary.exit.max(Exit::No);
            }
        }
        summary
    }
}

fn valid_group(group: IpAddr) -> Result<(), Failure> {
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

    fn refused(wanted: Wanted) -> String {
        Membership::new(wanted).unwrap_err().to_string()
    }

    fn groups(groups: &[&str]) -> Wanted {
        Wanted {
            group: Some(groups.iter().map(|group| group.parse().unwrap()).collect()),
            ..Wanted::default()
        }
    }

    #[test]
    fn what_is_no_membership_is_refused() {
        assert_eq!(
            refused(groups(&["10.0.0.1"])),
            "--group: 10.0.0.1 is not in 224.0.0.0 to 239.255.255.255"
        );
        assert_eq!(
            refused(groups(&["fe80::1"])),
            "--group: fe80::1 is not in ff00::/8"
        );
        assert!(refused(groups(&["224.1.1.1", "ff02::1"])).contains("two families"));
        let source = |source: &str, group: &str| Wanted {
            source: Some(vec![source.parse().unwrap()]),
            ..groups(&[group])
        };
        assert!(refused(source("224.0.0.1", "232.1.1.1")).ends_with("nobody's address"));
        assert!(refused(source("10.0.0.1", "ff15::1")).contains("an IPv4 group"));
        let buffer = Wanted {
            receive_buffer: Some(0),
            ..Wanted::default()
        };
        assert!(refused(buffer).starts_with("--receive-buffer: 0 is not in 1 to "));
    }

    #[test]
    fn too_few_is_a_no_unless_interrupted() {
        let membership = Membership::new(Wanted {
            count: Some(3),
            ..Wanted::default()
        })
        .unwrap();
        assert_eq!(
            [0, 2, 3, 4].map(|received| membership.wanting(received)),
            [3, 1, 0, 0]
        );
        let exit = |received, interrupted| {
            membership
                .judge(Summary::done(""), received, interrupted)
                .exit
        };
        assert_eq!(exit(2, false), Exit::No);
        assert_eq!((exit(2, true), exit(3, false)), (Exit::Done, Exit::Done));
    }
}
