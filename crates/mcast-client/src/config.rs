//! What the client can be told: flags, environment and lab file, with their defaults and limits.

use std::{
    net::{Ipv4Addr, SocketAddrV4},
    str::FromStr,
};

use common::{
    config::Period,
    exit::Failure,
    json,
    multicast::{LONGEST, Membership, Technique},
    text::visible,
};
use serde::{Deserialize, Deserializer};

const EXAMPLES: &str = "\
Examples:
  mcast-client                                  join, print what is heard, send each line typed; Ctrl-C stops it
  mcast-client -m hello -m goodbye              send two messages to the group and end
  mcast-client --mode unicast --to 127.0.0.1 -m hello
  mcast-client --mode broadcast -m hello        on loopback, to 127.255.255.255";

/// A member of a multicast group: it prints every datagram that it hears, and sends what is typed
#[derive(Debug, clap::Parser)]
#[command(name = "mcast-client", after_help = EXAMPLES)]
pub struct Cli {
    /// Flags.
    #[command(flatten)]
    pub options: Options,
}

common::options! {
    /// The client's options.
    pub struct Options of Cli = "mcast-client" {
        /// The group to join [default: 224.1.1.1]
        #[arg(value_name = "ADDR")]
        group: Ipv4Addr,
        /// The group's port; 0 takes a free one [default: 5007]
        #[arg(value_name = "PORT")]
        port: u16,
        /// Where to join: an interface by name or address, or 'default' [default: loopback]
        #[arg(value_name = "INTERFACE")]
        interface: String,
        /// End after so many datagrams
        #[arg(value_name = "N")]
        count: u64,
        /// End after this time; exit code 1 if --count was not reached
        #[arg(value_name = "DURATION")]
        r#for: Period,
        /// Send this and end, without joining; may be given several times
        #[arg(short, value_name = "TEXT")]
        message: Vec<String>,
        /// How to send: unicast, multicast or broadcast [default: multicast]
        #[arg(value_name = "TECHNIQUE", hide_possible_values = true)]
        mode: Technique,
        /// Whom to send to: several for unicast, one for broadcast
        #[arg(value_name = "ADDR[:PORT]")]
        to: Vec<Destination>,
    }
}

/// Whom to send to; without a port, the group's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Destination {
    address: Ipv4Addr,
    port: Option<u16>,
}

impl Destination {
    /// The socket address, with this port where none was given.
    pub fn at(self, port: u16) -> SocketAddrV4 {
        SocketAddrV4::new(self.address, self.port.unwrap_or(port))
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
            text.parse().map(|full: SocketAddrV4| Self {
                address: *full.ip(),
                port: Some(full.port()),
            })
        };
        let shown = visible(text.as_bytes());
        plain.or_else(full).map_err(|_| {
            format!("'{shown}' is no IPv4 address, such as 127.0.0.1 or 127.0.0.1:5007")
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
    /// What to send before ending; none to listen instead.
    pub messages: Vec<String>,
    /// How to send.
    pub technique: Technique,
    /// Whom to send to, unless the technique says it.
    pub to: Vec<Destination>,
}

impl Settings {
    /// Fills in the defaults, finds the interface and checks the ranges.
    ///
    /// # Errors
    /// The flag, its value and what is wrong with it (exit code 2).
    pub fn new(options: Options) -> Result<Self, Failure> {
        let membership = Membership::new(
            options.group,
            options.port,
            options.interface.as_deref(),
            options.count,
            options.r#for,
        )?;
        let (technique, to) = (
            options.mode.unwrap_or(Technique::Multicast),
            options.to.unwrap_or_default(),
        );
        match (technique, to.len()) {
            (Technique::Unicast, 0) => {
                return Err(Failure::could_not_run(
                    "--mode unicast",
                    "needs somebody to send to: --to ADDR",
                ));
            }
            (Technique::Multicast, 1..) => {
                let why = "goes with --mode unicast or broadcast; multicast goes to --group";
                return Err(Failure::could_not_run("--to", why));
            }
            (Technique::Broadcast, 2..) => {
                return Err(Failure::could_not_run(
                    "--to",
                    "a broadcast goes to one address",
                ));
            }
            _ => {}
        }
        let messages = options.message.unwrap_or_default();
        for message in &messages {
            if message.len() > LONGEST {
                let why = format!(
                    "{} bytes; a datagram carries at most {LONGEST}",
                    message.len()
                );
                return Err(Failure::could_not_run("--message", why));
            }
        }
        Ok(Self {
            membership,
            messages,
            technique,
            to,
        })
    }
}
