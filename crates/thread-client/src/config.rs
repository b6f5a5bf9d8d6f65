//! What the client can be told: flags, environment and lab file, with their defaults and limits.

use std::time::Duration;

use common::{
    config::{Period, in_range},
    exit::Failure,
    net::{LONGEST_MESSAGE, SERVER},
};

const EXAMPLES: &str = "\
Examples:
  thread-client                                 the handout's client
  thread-client --connect server.lab:12345 --message 'Good morning'
  thread-client --clients 50 --json             50 clients at once, and a summary for a script";

/// A TCP client: it sends one message and prints the answer
#[derive(Debug, clap::Parser)]
#[command(name = "thread-client", after_help = EXAMPLES)]
pub struct Cli {
    /// Flags.
    #[command(flatten)]
    pub options: Options,
}

common::options! {
    /// The client's options.
    pub struct Options of Cli = "thread-client" {
        /// The server; a name is resolved and each of its addresses tried [default: 127.0.0.1:12345]
        #[arg(value_name = "HOST:PORT")]
        connect: String,
        /// What to send [default: Hello server]
        #[arg(short, value_name = "TEXT")]
        message: String,
        /// How many clients to run at once, a thread each [default: 1]
        #[arg(value_name = "N")]
        clients: usize,
        /// How long to wait for the answer, from the start of the connection [default: 10s]
        #[arg(value_name = "DURATION")]
        timeout: Period,
    }
}

/// The client's settings: everything is said, and in range.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server as it was named.
    pub connect: String,
    /// The message, 1 to [`LONGEST_MESSAGE`] bytes.
    pub message: String,
    /// How many clients, at least 1.
    pub clients: usize,
    /// How long one exchange may take.
    pub timeout: Duration,
}

impl Settings {
    /// Fills in the defaults and checks the ranges.
    ///
    /// # Errors
    /// The flag, its value and its range, where a value is out of range (exit code 2).
    pub fn new(options: Options) -> Result<Self, Failure> {
        let message = options.message.unwrap_or_else(|| "Hello server".into());
        in_range(
            "length of --message in bytes",
            message.len(),
            1,
            LONGEST_MESSAGE,
        )?;
        Ok(Self {
            connect: options.connect.unwrap_or_else(|| SERVER.to_string()),
            message,
            clients: in_range("--clients", options.clients.unwrap_or(1), 1, 20_000)?,
            timeout: options
                .timeout
                .unwrap_or(Period(Duration::from_secs(10)))
                .as_wait("--timeout")?,
        })
    }
}
