//! What the server can be told: flags, environment and lab file.

use std::net::Ipv4Addr;

use common::{config::Period, exit::Failure, multicast::Membership};

const EXAMPLES: &str = "\
Examples:
  mcast-server                                  join the handout's group on this machine; Ctrl-C stops it
  mcast-server --interface default              join it on the network
  mcast-server --count 3 --for 5s               end after 3 datagrams; exit code 1 if 5 s pass first";

/// A member of a multicast group: it prints every datagram that it hears
#[derive(Debug, clap::Parser)]
#[command(name = "mcast-server", after_help = EXAMPLES)]
pub struct Cli {
    /// Flags.
    #[command(flatten)]
    pub options: Options,
}

common::options! {
    /// The server's options.
    pub struct Options of Cli = "mcast-server" {
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
    }
}

impl Options {
    /// The membership that these options ask for.
    ///
    /// # Errors
    /// As [`Membership::new`].
    pub fn membership(&self) -> Result<Membership, Failure> {
        Membership::new(
            self.group,
            self.port,
            self.interface.as_deref(),
            self.count,
            self.r#for,
        )
    }
}
