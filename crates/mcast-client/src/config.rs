//! What the client can be told: flags, environment and lab file, with their defaults and limits.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

use clap::Subcommand;
use common::{
    config::{Period, Switch, in_range},
    exit::Failure,
    json,
    multicast::{LONGEST, Membership, Reach, Technique, Wanted},
    text::visible,
};
use serde::{Deserialize, Deserializer};

use crate::load::Load;

const EXAMPLES: &str = "\
Examples:
  mcast-client                                  join, print what is heard, send each line typed; Ctrl-C stops it
  mcast-client -m hello -m goodbye              send two messages to the group and end
  mcast-client --mode unicast --to 127.0.0.1 --to 127.0.0.2 -m hello
  mcast-client --mode broadcast -m hello        on loopback, to 127.255.255.255
  mcast-client --stamp --size 1400 --rate 1000 --for 10s    a load that receivers can count
  mcast-client doctor                           why does nothing arrive?";

/// A member of a multicast group: it prints every datagram that it hears, and sends what is typed
#[derive(Debug, clap::Parser)]
#[command(name = "mcast-client", after_help = EXAMPLES)]
pub struct Cli {
    /// Flags.
    #[command(flatten)]
    pub options: Options,
    /// What else is asked.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What else can be asked.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Command {
    /// Check, one by one, why multicast may not work here
    #[command(
        after_help = "Examples:\n  mcast-client doctor\n  mcast-client doctor --interface default --json"
    )]
    Doctor,
}

common::options! {
    /// The client's options.
    pub struct Options of Cli = "mcast-client" {
        /// A group to join and send to; several are possible [default: 224.1.1.1]
        #[arg(value_name = "ADDR")]
        group: Vec<IpAddr>,
        /// The groups' port; 0 takes a free one [default: 5007]
        #[arg(value_name = "PORT")]
        port: u16,
        /// An interface by name or address, 'default' or 'all' of them [default: loopback]
        #[arg(value_name = "INTERFACE")]
        interface: String,
        /// Hear only this sender to the group (source-specific multicast, 232/8); several are possible
        #[arg(value_name = "ADDR")]
        source: Vec<Ipv4Addr>,
        /// End after so many datagrams heard; with -m or --size, after so many messages sent
        #[arg(value_name = "N")]
        count: u64,
        /// End after this time; exit code 1 if --count was not heard
        #[arg(value_name = "DURATION")]
        r#for: Period,
        /// The receive buffer to ask the kernel for; says what it grants [default: 4194304]
        #[arg(value_name = "BYTES")]
        receive_buffer: usize,
        /// Let the kernel take and hand over many datagrams in one piece: on or off [default: on]
        #[arg(value_name = "SWITCH", hide_possible_values = true)]
        offload: Switch,
        /// Send this and end, without joining; several are sent in turn
        #[arg(short, value_name = "TEXT", help_heading = "Sending")]
        message: Vec<String>,
        /// How to send: unicast, multicast or broadcast [default: multicast]
        #[arg(value_name = "TECHNIQUE", hide_possible_values = true, help_heading = "Sending")]
        mode: Technique,
        /// Whom to send to: several for unicast, one for broadcast
        #[arg(value_name = "ADDR[:PORT]", help_heading = "Sending")]
        to: Vec<Destination>,
        /// Put sender, session, number, time and Lamport clock before each message
        #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "BOOL", help_heading = "Sending")]
        stamp: bool,
        /// Make each datagram so long, and end when they are sent
        #[arg(value_name = "BYTES", help_heading = "Sending")]
        size: usize,
        /// Messages a second [default: as fast as the kernel takes them]
        #[arg(value_name = "R", help_heading = "Sending")]
        rate: f64,
        /// Send so many at a time [default: a millisecond's worth]
        #[arg(value_name = "N", help_heading = "Sending")]
        burst: u64,
        /// How many networks a message may cross; 0 stays on this machine [default: 1 for a group]
        #[arg(value_name = "N", help_heading = "Sending")]
        ttl: u8,
        /// Whether members on this machine hear what goes out on a network: on or off [default: on]
        #[arg(value_name = "SWITCH", hide_possible_values = true, help_heading = "Sending")]
        r#loop: Switch,
    }
}

impl Options {
    /// The membership that these options ask for.
    pub fn wanted(&self) -> Wanted {
        Wanted {
            group: self.group.clone(),
            port: self.port,
            interface: self.interface.clone(),
            source: self.source.clone(),
            receive_buffer: self.receive_buffer,
            offload: self.offload,
            count: self.count,
            end_after: self.r#for,
        }
    }

    /// How far what is sent goes.
    pub fn reach(&self) -> Reach {
        Reach {
            ttl: self.ttl,
            looped: Switch::on_by_default(self.r#loop),
            offload: Switch::on_by_default(self.offload),
        }
    }
}

/// Whom to send to; without a port, the group's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Destination {
    address: IpAddr,
    port: Option<u16>,
}

impl Destination {
    /// The socket address, with this port where none was given.
    pub fn at(self, port: u16) -> SocketAddr {
        SocketAddr::new(self.address, self.port.unwrap_or(port))
    }
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = text.parse().map(|address| Self {
            address,
            port: None,
        });
        let full = |_| {
            text.parse().map(|full: SocketAddr| Self {
                address: full.ip(),
                port: Some(full.port()),
            })
        };
        let shown = visible(text.as_bytes());
        plain.or_else(full).map_err(|_| {
            format!("'{shown}' is no address, such as 127.0.0.1, 127.0.0.1:5007 or [::1]:5007")
        })
    }
}

impl<'de> Deserialize<'de> for Destination {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_text(deserializer)
    }
}

/// The client's settings: everything is said, and in range.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The group to join.
    pub membership: Membership,
    /// What to send before ending; None to listen instead.
    pub load: Option<Load>,
    /// How to send.
    pub technique: Technique,
    /// Whom to send to, unless the technique says it.
    pub to: Vec<Destination>,
    /// Whether messages are stamped, and by whom.
    pub stamp: Option<String>,
    /// How far what is sent goes.
    pub reach: Reach,
}

impl Settings {
    /// Fills in the defaults, finds the interface and checks the ranges.
    ///
    /// # Errors
    /// The flag, its value and what is wrong with it (exit code 2).
    pub fn new(options: &Options) -> Result<Self, Failure> {
        let membership = Membership::new(options.wanted())?;
        let technique = options.mode.unwrap_or(Technique::Multicast);
        let to = options.to.clone().unwrap_or_default();
        check_destinations(technique, &to, &membership)?;
        let name = options.name.as_deref().unwrap_or("mcast-client");
        Ok(Self {
            load: load(options, &membership)?,
            membership,
            technique,
            to,
            stamp: (options.stamp == Some(true)).then(|| name.to_owned()),
            reach: options.reach(),
        })
    }
}

fn check_destinations(
    technique: Technique,
    to: &[Destination],
    membership: &Membership,
) -> Result<(), Failure> {
    let refuse = |what: &str, why: &str| Err(Failure::could_not_run(what, why));
    let v6 = |to: &Destination| to.address.is_ipv6();
    match (technique, to.len()) {
        (Technique::Unicast, 0) => refuse("--mode unicast", "needs somebody to send to: --to ADDR"),
        (Technique::Multicast, 1..) => refuse(
            "--to",
            "goes with --mode unicast or broadcast; multicast goes to --group",
        ),
        (Technique::Broadcast, 2..) => refuse("--to", "a broadcast goes to one address"),
        (Technique::Broadcast, 1) if v6(&to[0]) => refuse("--to", NO_BROADCAST),
        (Technique::Broadcast, _) if membership.groups[0].is_ipv6() => {
            refuse("--mode broadcast", NO_BROADCAST)
        }
        (Technique::Unicast, _) => match to.iter().find(|to| to.address.is_multicast()) {
            Some(group) => Err(Failure::could_not_run(
                "--to",
                format!(
                    "{} is a group; send to it with --mode multicast --group",
                    group.address
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
        for (flag, given) in [
            ("--rate", options.rate.is_some()),
            ("--burst", options.burst.is_some()),
        ] {
            if given {
                return Err(Failure::could_not_run(
                    flag,
                    "goes with -m or --size: what is typed sets its own pace",
                ));
            }
        }
        return Ok(None);
    }
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
    let once = messages.len().max(1) as u64;
    let forever = membership.end_after.is_some() || options.rate.is_some();
    Ok(Some(Load {
        // Without another end, each message is sent once.
        total: membership.count.or((!forever).then_some(once)),
        messages: messages.into_iter().map(String::into_bytes).collect(),
        size: options.size,
        end_after: membership.end_after,
        rate: options.rate,
        offload: membership.offload,
        burst: options.burst,
    }))
}
