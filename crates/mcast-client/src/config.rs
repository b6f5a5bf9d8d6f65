//! The client's options: flags, environment and lab file, with their defaults and limits.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use clap::Subcommand;
use common::{
    config::{Switch, in_range},
    endpoint::{Defaults, Endpoint},
    exit::Failure,
    json,
    multicast::{AddressingMode, LONGEST, Membership, Reach},
    sys::Feature,
    zone,
};
use serde::{Deserialize, Deserializer};

use crate::schedule::Load;

const EXAMPLES: &str = "\
Examples:
  mcast-client                                  join, print each message, send each line typed; Ctrl-C stops it
  mcast-client -m hello -m goodbye              send two messages to the group and end
  mcast-client --mode unicast --to 127.0.0.1 --to 127.0.0.2 -m hello
                                                a copy for each receiver
  mcast-client --mode broadcast -m hello        on loopback, to 127.255.255.255
  mcast-client --stamp --size 1400 --rate 1000 --for 1s    a load whose losses receivers count
  mcast-client doctor                           why does nothing arrive?";

/// A member of an IP multicast group: it sends each line typed to all members, and prints every message received
#[derive(Debug, clap::Parser)]
#[command(name = "mcast-client", after_help = EXAMPLES)]
pub struct Cli {
    /// The flags.
    #[command(flatten)]
    pub options: Options,
    /// The subcommand; without one the client runs.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The subcommands.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Command {
    /// Check, one by one, why multicast may not work here
    #[command(
        after_help = "Examples:\n  mcast-client doctor\n  mcast-client doctor --interface default --json\n  mcast-client doctor --group 239.1.2.3 --port 6000"
    )]
    Doctor,
}

common::membership_options! {
    /// The client's options.
    pub struct Options of Cli = "mcast-client" {
        group: "A group to join and send to; may be repeated [default: 224.1.1.1]",
        count: "End after N datagrams received; with -m or --size, after N messages sent [default: no end]",
        for: "End after this time; exit code 1 if fewer than --count were received [default: no end]",
        offload: "Let the kernel take and hand over many datagrams in one piece: on or off [default: on]",
        /// Send this message and end, without joining; may be repeated [default: each line typed]
        #[arg(short, value_name = "TEXT", help_heading = "Sending")]
        message: Vec<String>,
        /// Addressing mode: unicast, multicast or broadcast [default: multicast]
        #[arg(value_name = "MODE", hide_possible_values = true, help_heading = "Sending")]
        mode: AddressingMode,
        /// Destination, :PORT on 127.0.0.1: several for unicast, one for broadcast [default: the group]
        #[arg(value_name = "ADDR[:PORT]", help_heading = "Sending")]
        to: Vec<Destination>,
        /// Put a sequence header before each message: sender, session, number, time, clock
        #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "BOOL", help_heading = "Sending")]
        stamp: bool,
        /// Send datagrams of this size and end, without joining [default: that of the message]
        #[arg(value_name = "BYTES", help_heading = "Sending")]
        size: usize,
        /// Messages a second [default: as fast as the kernel takes them]
        #[arg(value_name = "R", help_heading = "Sending")]
        rate: f64,
        /// Send N messages at once [default: a millisecond's worth]
        #[arg(value_name = "N", help_heading = "Sending")]
        burst: u64,
        /// Time to live: how many networks a message may cross; 0: this machine only [default: 1 for a group]
        #[arg(value_name = "N", help_heading = "Sending")]
        ttl: u8 => [root, doctor],
        /// Whether members on this machine receive what is sent to a group: on or off [default: on]
        #[arg(value_name = "SWITCH", hide_possible_values = true, help_heading = "Sending")]
        r#loop: Switch,
    }
}

impl Options {
    /// How far a message goes.
    pub fn reach(&self) -> Reach {
        Reach {
            ttl: self.ttl,
            looped: Switch::on_by_default(self.r#loop),
            offload: Feature::Offload.is_there() && Switch::on_by_default(self.offload),
        }
    }
}

/// A destination as it is written: an address or a name; without a port, at the group's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Destination(Endpoint);

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_';
        // One word is a name when it has a port, or is localhost.
        if !text.is_empty()
            && text.chars().all(plain)
            && !text.eq_ignore_ascii_case("localhost")
            && text.contains(char::is_alphabetic)
        {
            return Err(format!(
                "'{text}' is no address, such as 127.0.0.1, 127.0.0.1:5007 or [::1]:5007; a name has its port, {text}:5007"
            ));
        }
        Endpoint::with_any_name(text).map(Self)
    }
}

impl<'de> Deserialize<'de> for Destination {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_text(deserializer)
    }
}

/// Where messages are sent to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Target {
    address: SocketAddr,
    /// Whether the port was given.
    has_port: bool,
}

impl Target {
    /// The socket address, with this port where none was given.
    pub fn at(self, port: u16) -> SocketAddr {
        let mut address = self.address;
        if !self.has_port {
            address.set_port(port);
        }
        address
    }

    /// Looks a destination up. `:PORT` is one of this machine, or of the interface's network in a broadcast; of a name with
    /// several addresses it is the first of the family of the groups, if there is one; a link-local address without a
    /// zone is on the interface, unless that is loopback.
    fn find(
        Destination(to): &Destination,
        mode: AddressingMode,
        membership: &Membership,
    ) -> Result<Self, Failure> {
        let v4 = membership.groups[0].is_ipv4();
        let interface = &membership.interfaces[0];
        let here = match (mode, v4) {
            (AddressingMode::Broadcast, _) => interface.broadcast_address().ok().map(IpAddr::from),
            (_, true) => Some(Ipv4Addr::LOCALHOST.into()),
            (_, false) => Some(Ipv6Addr::LOCALHOST.into()),
        };
        let port = to.port().unwrap_or_default();
        let has_port = to.port().is_some();
        let zoneless = to.address().filter(|address| {
            address.zone().is_none() && zone::is_of_link(address.ip()) && !interface.loopback
        });
        if let Some(address) = zoneless {
            let address = interface.at(address.ip(), port);
            return Ok(Self { address, has_port });
        }
        let defaults = Defaults {
            address: here,
            port: Some(port),
        };
        let found = to.resolve("--to", defaults)?;
        let same = found.iter().find(|address| address.is_ipv4() == v4);
        Ok(Self {
            address: *same.unwrap_or(&found[0]),
            has_port,
        })
    }
}

/// The client's settings: every value is set and in its range.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The group to join.
    pub membership: Membership,
    /// The load to send; None: receive, and send what is typed.
    pub load: Option<Load>,
    /// The addressing mode of what is sent.
    pub mode: AddressingMode,
    /// The destinations of unicast, or that of a broadcast; empty: the group, or the networks of the interfaces.
    pub to: Vec<Target>,
    /// The sender's name in the stamps; None: the messages are not stamped.
    pub stamp: Option<String>,
    /// How far a message goes.
    pub reach: Reach,
}

impl Settings {
    /// Fills in the defaults, finds the interface and checks the ranges.
    ///
    /// # Errors
    /// The flag, its value and what is wrong with it (exit code 2).
    pub fn new(options: &Options) -> Result<Self, Failure> {
        let membership = Membership::new(options.membership())?;
        let mode = options.mode.unwrap_or(AddressingMode::Multicast);
        let to = options.to.iter().flatten();
        let to = to.map(|to| Target::find(to, mode, &membership));
        let to: Vec<_> = to.collect::<Result<_, _>>()?;
        check_destinations(mode, &to, &membership)?;
        let name = options.name.as_deref().unwrap_or("mcast-client");
        Ok(Self {
            load: load(options, &membership)?,
            membership,
            mode,
            to,
            stamp: (options.stamp == Some(true)).then(|| name.to_owned()),
            reach: options.reach(),
        })
    }
}

fn check_destinations(
    mode: AddressingMode,
    to: &[Target],
    membership: &Membership,
) -> Result<(), Failure> {
    let refuse = |what: &str, why: &str| Err(Failure::could_not_run(what, why));
    let v6 = |to: &Target| to.address.is_ipv6();
    match (mode, to.len()) {
        (AddressingMode::Unicast, 0) => refuse("--mode unicast", "needs a destination: --to ADDR"),
        (AddressingMode::Multicast, 1..) => refuse(
            "--to",
            "goes with --mode unicast or broadcast; multicast goes to --group",
        ),
        (AddressingMode::Broadcast, 2..) => refuse("--to", "a broadcast goes to one address"),
        (AddressingMode::Broadcast, 1) if v6(&to[0]) => refuse("--to", NO_BROADCAST),
        (AddressingMode::Broadcast, _) if membership.groups[0].is_ipv6() => {
            refuse("--mode broadcast", NO_BROADCAST)
        }
        (AddressingMode::Unicast, _) => match to.iter().find(|to| to.address.ip().is_multicast()) {
            Some(group) => Err(Failure::could_not_run(
                "--to",
                format!(
                    "{} is a group; send to it with --mode multicast --group",
                    group.address.ip()
                ),
            )),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

const NO_BROADCAST: &str =
    "IPv6 has no broadcast; the group ff02::1 is every host on the link (RFC 4291)";

fn load(options: &Options, membership: &Membership) -> Result<Option<Load>, Failure> {
    let messages = options.message.clone().unwrap_or_default();
    if messages.is_empty() && options.size.is_none() {
        let why = "goes with -m or --size: typed lines are sent as they are typed";
        options.given.refuse(&["--rate", "--burst"], why)?;
        return Ok(None);
    }
    let receiving = ["--source", "--receive-buffer", "--ready-file"];
    let why = "goes with receiving: -m and --size send without joining the group";
    options.given.refuse(&receiving, why)?;
    if let Some(size) = options.size {
        in_range("--size", size, 1, LONGEST)?;
    }
    if let Some(rate) = options.rate {
        in_range("--rate", rate, 0.001, 1e9)?;
    }
    if let Some(burst) = options.burst {
        in_range("--burst", burst, 1, 1_000_000)?;
    }
    for message in &messages {
        let (length, most) = (message.len(), options.size.unwrap_or(LONGEST));
        if length > most {
            let why = match options.size {
                Some(size) => format!("{length} bytes do not fit into --size {size}"),
                None => format!("{length} bytes; a datagram carries at most {LONGEST}"),
            };
            return Err(Failure::could_not_run("--message", why));
        }
    }
    let each_once = messages.len().max(1) as u64;
    let until_end = membership.end_after.is_some() || options.rate.is_some();
    Ok(Some(Load {
        // Without a count, a time or a rate, each message is sent once.
        total: membership.count.or((!until_end).then_some(each_once)),
        messages: messages.into_iter().map(String::into_bytes).collect(),
        size: options.size,
        end_after: membership.end_after,
        rate: options.rate,
        offload: membership.offload,
        burst: options.burst,
    }))
}
