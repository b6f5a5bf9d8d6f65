//! The server's options: flags, environment and lab file.

use clap::Subcommand;

const EXAMPLES: &str = "\
Examples:
  mcast-server                                  join the handout's group on this machine; Ctrl-C stops it
  mcast-server --interface default              join it on the network
  mcast-server --count 3 --for 5s               end after 3 datagrams; exit code 1 if 5 s pass first
  mcast-server --group 232.1.1.1 --source 127.0.0.1 --group 232.1.1.2
  mcast-server --group ff02::5007               an IPv6 group
  mcast-server doctor                           why does nothing arrive?";

/// A member of a multicast group: prints every datagram received, and how it was addressed
#[derive(Debug, clap::Parser)]
#[command(name = "mcast-server", after_help = EXAMPLES)]
pub struct Cli {
    /// The flags.
    #[command(flatten)]
    pub options: Options,
    /// The subcommand; without one the server runs.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The subcommands.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Command {
    /// Check, one by one, why multicast may not work here
    #[command(
        after_help = "Examples:\n  mcast-server doctor\n  mcast-server doctor --interface default --json"
    )]
    Doctor,
}

common::membership_options! {
    /// The server's options.
    pub struct Options of Cli = "mcast-server" {
        group: "A group to join; may be repeated [default: 224.1.1.1]",
        count: "End after N datagrams",
        for: "End after this time; exit code 1 if fewer than --count were received",
        offload: "Let the kernel hand over many datagrams in one piece: on or off [default: on]",
    }
}
