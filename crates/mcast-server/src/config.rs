//! What the server can be told: flags, environment and lab file.

use std::net::{IpAddr, Ipv4Addr};

use clap::Subcommand;
use common::{
    config::{Period, Switch},
    multicast::Wanted,
};

const EXAMPLES: &str = "\
Examples:
  mcast-server                                  join the handout's group on this machine; Ctrl-C stops it
  mcast-server --interface default              join it on the network
  mcast-server --count 3 --for 5s               end after 3 datagrams; exit code 1 if 5 s pass first
  mcast-server --group 232.1.1.1 --source 127.0.0.1 --group 232.1.1.2
  mcast-server --group ff02::5007               an IPv6 group
  mcast-server doctor                           why does nothing arrive?";

/// A member of a multicast group: it prints every datagram that it hears, and how it came
#[derive(Debug, clap::Parser)]
#[command(name = "mcast-server", after_help = EXAMPLES)]
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
        after_help = "Examples:\n  mcast-server doctor\n  mcast-server doctor --interface default --json"
    )]
    Doctor,
}

common::options! {
    /// The server's options.
    pub struct Options of Cli = "mcast-server" {
        /// A group to join; several are possible [default: 224.1.1.1]
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
        /// End after so many datagrams
        #[arg(value_name = "N")]
        count: u64,
        /// End after this time; exit code 1 if --count was not reached
        #[arg(value_name = "DURATION")]
        r#for: Period,
        /// The receive buffer to ask the kernel for; says what it grants [default: 4194304]
        #[arg(value_name = "BYTES")]
        receive_buffer: usize,
        /// Let the kernel hand over many datagrams in one piece: on or off [default: on]
        #[arg(value_name = "SWITCH", hide_possible_values = true)]
        offload: Switch,
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
}
