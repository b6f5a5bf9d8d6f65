//! The client's options, with their defaults and limits.

use std::{path::PathBuf, time::Duration};

use common::{
    config::{Period, in_range},
    exit::Failure,
    net::{LONGEST_MESSAGE, SERVER},
};

use crate::schedule::{Amount, Load};

const EXAMPLES: &str = "\
Examples:
  thread-client                                 the handout's client
  thread-client --connect localhost:12345 --message 'Good morning'
  thread-client --clients 50 --json             50 clients at once, and a summary for a script
  thread-client --clients 32 --requests 1000    32 clients, each the next exchange after a reply
  thread-client --rate 500 --for 1s --plot rate.svg
                                                500 exchanges a second, an open-loop load
  thread-client --clients 100 --hold 1s         connect all, wait a second, then send";

/// A client of a concurrent server: it sends one request over TCP and prints the reply; or many clients, or a load
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
        /// The server, :PORT on 127.0.0.1; each address of a name is tried [default: 127.0.0.1:12345]
        #[arg(value_name = "HOST:PORT")]
        connect: String,
        /// The message to send [default: Hello server]
        #[arg(short, value_name = "TEXT")]
        message: String,
        /// The reply to expect; any other is a failure [default: any]
        #[arg(value_name = "TEXT")]
        expect: String,
        /// Number of clients at once, a thread each [default: 1; with --rate: 256]
        #[arg(value_name = "N")]
        clients: usize,
        /// How long to wait for the reply, from the start of the connection [default: 10s]
        #[arg(value_name = "DURATION")]
        timeout: Period,
        /// Closed-loop load of N exchanges: the next after a reply [default: one a client]
        #[arg(value_name = "N", help_heading = "Load")]
        requests: u64,
        /// Open-loop load: N exchanges a second, with --for; latency from the scheduled start
        #[arg(value_name = "N", help_heading = "Load")]
        rate: f64,
        /// How long to begin exchanges [default: until --requests are done]
        #[arg(long = "for", value_name = "DURATION", help_heading = "Load")]
        r#for: Period,
        /// Start the clients, or raise the rate, over this time [default: at once]
        #[arg(value_name = "DURATION", help_heading = "Load")]
        ramp: Period,
        /// Connect all clients, wait this time, then send [default: no wait]
        #[arg(value_name = "DURATION", help_heading = "Load")]
        hold: Period,
        /// Draw the latencies and the throughput over time as SVG
        #[arg(value_name = "FILE.svg", help_heading = "Load")]
        plot: PathBuf,
    } writes { plot }
}

/// The client's settings, all of them set and in range.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server as it was named.
    pub connect: String,
    /// The message, 1 to [`LONGEST_MESSAGE`] bytes.
    pub message: String,
    /// The only answer that is none of a failure, if that matters.
    pub expect: Option<String>,
    /// How many clients, at least 1.
    pub clients: usize,
    /// How long one exchange may take.
    pub timeout: Duration,
    /// The load, where it is one.
    pub load: Option<Load>,
    /// Where to draw it.
    pub plot: Option<PathBuf>,
    /// Whether there is an event log.
    pub logged: bool,
}

impl Options {
    /// Whether a load is asked for, rather than one exchange a client.
    pub fn is_load(&self) -> bool {
        self.requests.is_some()
            || self.rate.is_some()
            || self.r#for.is_some()
            || self.ramp.is_some()
            || self.hold.is_some()
            || self.plot.is_some()
    }
}

impl Settings {
    /// Fills in the defaults and checks the ranges.
    ///
    /// # Errors
    /// The flag, its value and its range, where a value is out of range (exit code 2).
    pub fn new(options: Options) -> Result<Self, Failure> {
        let is_load = options.is_load();
        let message = options.message.unwrap_or_else(|| "Hello server".into());
        let length = |flag: &str, text: &str| {
            let what = format!("length of {flag} in bytes");
            in_range(&what, text.len(), 1, LONGEST_MESSAGE).map(drop)
        };
        length("--message", &message)?;
        if let Some(expect) = &options.expect {
            length("--expect", expect)?;
        }
        let usual = if options.rate.is_some() { 256 } else { 1 };
        let clients = in_range("--clients", options.clients.unwrap_or(usual), 1, 20_000)?;
        let period =
            |given: Option<Period>, flag| given.map(|period| period.as_wait(flag)).transpose();
        let time = period(options.r#for, "--for")?;
        if let Some(requests) = options.requests {
            in_range("--requests", requests, 1, 1_000_000_000)?;
        }
        if let Some(rate) = options.rate {
            in_range("--rate", rate, 0.001, 1_000_000.0)?;
        }
        let not = |why| {
            Err(Failure::could_not_run(
                "usage",
                format!("{why}; see --help"),
            ))
        };
        let amount = match (options.requests, options.rate, time) {
            (Some(_), Some(_), _) => {
                return not("--requests is a closed loop and --rate an open loop: use one of them");
            }
            (Some(_), None, Some(_)) => {
                return not("--requests and --for both end the load: use one of them");
            }
            (None, Some(_), None) => return not("--rate needs --for"),
            (Some(requests), None, None) => Amount::Exchanges(requests),
            (None, Some(rate), Some(time)) => Amount::Rate(rate, time),
            (None, None, Some(time)) => Amount::Time(time),
            (None, None, None) => Amount::Exchanges(clients as u64),
        };
        let hold = period(options.hold, "--hold")?;
        if hold.is_some() && (options.requests.is_some() || time.is_some()) {
            return not(
                "--hold runs one exchange per client: without --requests, --rate and --for",
            );
        }
        Ok(Self {
            connect: options.connect.unwrap_or_else(|| SERVER.to_string()),
            message,
            expect: options.expect,
            clients,
            timeout: period(options.timeout, "--timeout")?.unwrap_or(Duration::from_secs(10)),
            load: is_load.then_some(Load {
                clients,
                amount,
                ramp: period(options.ramp, "--ramp")?.unwrap_or(Duration::ZERO),
                hold,
            }),
            plot: options.plot,
            logged: options.log.is_some(),
        })
    }
}
