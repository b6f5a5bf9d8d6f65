//! The server's options: flags, environment and lab file.

use clap::Subcommand;

const EXAMPLES: &str = "\
Examples:
  mcast-server                                  join the handout's group on this machine; Ctrl-C stops it
  mcast-server --interface default              join it on the network, until Ctrl-C
  mcast-server --count 3 --for 2s               end after 3 datagrams, with exit code 1 if 2 s pass first
  mcast-server --group 232.1.1.1 --source 127.0.0.1 --group 232.1.1.2
                                                two groups, one of them source-specific, until Ctrl-C
  mcast-server --group ff02::5007 --for 1s      an IPv6 group
  mcast-server doctor                           why does nothing arrive?";

/// A member of an IP multicast group: it receives what is sent to the group, and prints how each message was addressed
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
        after_help = "Examples:\n  mcast-server doctor\n  mcast-server doctor --interface default --json\n  mcast-server doctor --group 239.1.2.3 --port 6000"
    )]
    Doctor,
}

common::membership_options! {
    /// The server's options.
    pub struct Options of Cli = "mcast-server" {
        group: "A group to join; may be repeated [default: 224.1.1.1]",
        count: "End after N datagrams [default: no end]",
        for: "End after this time; exit code 1 if fewer than --count were received [default: no end]",
        offload: "Let the kernel hand over many datagrams in one piece: on or off [default: on]",
    }
}
