//! The server's options, with their defaults and limits.

use std::{net::SocketAddr, time::Duration};

use clap::ValueEnum;
use common::{
    capacity::{self, Cost},
    config::{Period, in_range},
    endpoint::Endpoint,
    exit::Failure,
    net::{LONGEST_MESSAGE, SERVER},
    parallel,
    sys::Feature,
};
use serde::{Deserialize, Serialize};

/// The stack of a thread that serves clients: a thread holds one message and a few events, and the rest of std's 2 MiB
/// would only be reserved.
pub const STACK: usize = capacity::stack(32 * 1024);

/// What stands below the flags: the models that this system has, and examples.
fn after_help() -> String {
    let models = Model::value_variants().iter();
    let models = models.filter_map(Model::to_possible_value);
    let models: Vec<String> = models
        .filter(|model| !model.is_hide_set())
        .map(|model| {
            let help = model.get_help().map(ToString::to_string);
            let mut help = help.unwrap_or_default();
            help[..1].make_ascii_lowercase();
            format!("  {:<22}  {help}", model.get_name())
        })
        .collect();
    let models = models.join("\n");
    let stop = "Ctrl-C lets it serve the clients it has accepted";
    let signals = match Feature::ReportSignal.missing() {
        None => format!("kill -USR1 PID makes the server print its counts so far; {stop}"),
        Some(_) => stop.into(),
    };
    format!("Models:\n{models}\n\n{EXAMPLES}\n\nSignals: {signals}")
}

const EXAMPLES: &str = "\
Examples, each until Ctrl-C:
  thread-server                                 the handout's server
  thread-server --listen 127.0.0.1:0 --log server.jsonl
                                                a free port, and a log of every event
  thread-server --max-clients 4 --timeout 2s    at most 4 clients at once; others wait in the backlog
  thread-server --model pool --workers 8 --work 20ms
                                                8 threads for all clients, each reply takes 20 ms";

/// A concurrent server: it accepts connections over TCP and passes each to a separate thread, which replies
#[derive(Debug, clap::Parser)]
#[command(name = "thread-server", after_help = after_help())]
pub struct Cli {
    /// Flags.
    #[command(flatten)]
    pub options: Options,
}

common::options! {
    /// The server's options.
    pub struct Options of Cli = "thread-server" {
        /// Listen on this address, :PORT on 127.0.0.1; port 0 takes a free one [default: 127.0.0.1:12345]
        #[arg(value_name = "ADDR:PORT")]
        listen: Endpoint,
        /// The reply [default: Hello from server]
        #[arg(value_name = "TEXT")]
        reply: String,
        /// How to serve many clients, one of the models below [default: thread-per-connection]
        #[arg(value_enum, value_name = "MODEL", hide_possible_values = true)]
        model: Model,
        /// Number of threads in the models pool and prethreaded [default: one a processor, at least 2]
        #[arg(value_name = "N")]
        workers: usize,
        /// Wait this time before each reply, as for a disk or another server [default: 0s]
        #[arg(value_name = "DURATION")]
        work: Period,
        /// Compute for each reply: this much processor time [default: 0s]
        #[arg(value_name = "DURATION")]
        spin: Period,
        /// Number of clients served at once; others wait in the backlog [default: 10000; processes: 500]
        #[arg(value_name = "N")]
        max_clients: usize,
        /// Length of the kernel's queue of connections [default: 4096]
        #[arg(value_name = "N")]
        backlog: u16,
        /// How long to wait for a client that sends nothing [default: 10s]
        #[arg(value_name = "DURATION")]
        timeout: Period,
        /// How long to serve accepted clients after a request to stop [default: 5s]
        #[arg(value_name = "DURATION")]
        grace: Period,
        /// Write the real address into this file once it listens; removed at the end
        #[arg(value_name = "FILE", help_heading = "Output")]
        ready_file: std::path::PathBuf,
    } writes { ready_file }
}

/// The ways to serve many clients.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// One client after another on one thread
    Iterative,
    /// A new thread for each client, as in the handout
    ThreadPerConnection,
    /// A new process for each client
    #[value(hide = Feature::ProcessPerConnection.missing().is_some())]
    ProcessPerConnection,
    /// One thread accepts and passes clients to workers
    Pool,
    /// Workers that each accept and serve
    Prethreaded,
    /// One thread and non-blocking sockets
    EventDriven,
}

impl Model {
    /// How many descriptors it takes to serve a client beside the connection: a child process takes a copy of it and a
    /// pipe with two ends.
    pub fn descriptors(self) -> u64 {
        match self {
            Self::ProcessPerConnection => 3,
            _ => 0,
        }
    }

    /// How many descriptors the model takes for itself: those with which it waits for clients.
    fn own_descriptors(self) -> u64 {
        match self {
            Self::ProcessPerConnection | Self::Prethreaded | Self::EventDriven => 1,
            _ => 0,
        }
    }
}

/// The server's settings, all of them set and in range.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The answer, 1 to [`LONGEST_MESSAGE`] bytes.
    pub reply: String,
    /// How many clients are served.
    pub model: Model,
    /// How many threads a pool has, at least 1.
    pub workers: usize,
    /// How long each answer waits.
    pub work: Duration,
    /// How much processor time each answer takes.
    pub spin: Duration,
    /// How many clients are served at once, at least 1.
    pub max_clients: usize,
    /// The length of the kernel's queue of connections.
    pub backlog: i32,
    /// How long a client may say nothing.
    pub timeout: Duration,
    /// How long clients in hand are served on after a request to stop.
    pub grace: Duration,
}

impl Settings {
    /// Checks that the system has room for what is needed to serve at all: threads for the workers, and descriptors for
    /// one client. To be called when the server listens.
    ///
    /// # Errors
    /// `--workers N: there is room for M: LIMIT`, or the same of descriptors (exit code 2).
    pub fn check_room(&self) -> Result<(), Failure> {
        if matches!(self.model, Model::Pool | Model::Prethreaded) {
            let what = format!("--workers {}", self.workers);
            capacity::room(&Cost::thread(STACK)).require(self.threads(), what)?;
        }
        let needed = 1 + self.model.own_descriptors();
        let room = capacity::descriptors();
        if room.number < needed {
            let more = needed - room.number;
            let why = format!("{}, and a client needs {more} more", room.limit);
            return Err(Failure::could_not_run("open files", why));
        }
        Ok(())
    }

    /// How many threads serve in a model with workers; each that accepts by itself has a client, and there are no more
    /// of those than `--max-clients`.
    pub fn threads(&self) -> usize {
        match self.model {
            Model::Prethreaded => self.workers.min(self.max_clients),
            _ => self.workers,
        }
    }

    /// A number of clients that bounds how many are served at once and what is allocated for them: the setting, or more
    /// than there are descriptors.
    pub fn most_clients(&self) -> usize {
        let files = usize::try_from(capacity::descriptors().number).unwrap_or(usize::MAX);
        self.max_clients.min(files.saturating_add(1024))
    }

    /// Fills in the defaults and checks the ranges.
    ///
    /// # Errors
    /// The flag, its value and its range, where a value is out of range, or what is wrong with `--listen` (exit code 2).
    pub fn new(options: Options) -> Result<Self, Failure> {
        let reply = options.reply.unwrap_or_else(|| "Hello from server".into());
        in_range(
            "length of --reply in bytes",
            reply.len(),
            1,
            LONGEST_MESSAGE,
        )?;
        let wait =
            |given: Option<Period>, default, flag| given.unwrap_or(Period(default)).as_wait(flag);
        let model = options.model.unwrap_or(Model::ThreadPerConnection);
        if model == Model::ProcessPerConnection
            && let Some(why) = Feature::ProcessPerConnection.missing()
        {
            let what = "--model process-per-connection";
            return Err(Failure::could_not_run(what, why));
        }
        if !matches!(model, Model::Pool | Model::Prethreaded) {
            let why = "goes with --model pool or prethreaded";
            options.given.refuse(&["--workers"], why)?;
        }
        let processors = parallel::processors();
        let most = match model {
            // Each takes a few hundred kilobytes of its own, and an entry in the system's table.
            Model::ProcessPerConnection => 500,
            _ => 10_000,
        };
        let delay = |given: Option<Period>, flag| {
            in_range(
                flag,
                given.unwrap_or(Period(Duration::ZERO)),
                Period(Duration::ZERO),
                Period::LONGEST,
            )
            .map(|period| period.0)
        };
        Ok(Self {
            listen: options.listen.map_or(Ok(SERVER.into()), |listen| {
                listen.listen("--listen", SERVER.into())
            })?,
            reply,
            model,
            workers: in_range(
                "--workers",
                options.workers.unwrap_or(processors.max(2)),
                1,
                20_000,
            )?,
            work: delay(options.work, "--work")?,
            spin: delay(options.spin, "--spin")?,
            max_clients: in_range(
                "--max-clients",
                options.max_clients.unwrap_or(most),
                1,
                1_000_000,
            )?,
            backlog: in_range("--backlog", options.backlog.unwrap_or(4096), 1, u16::MAX)?.into(),
            timeout: wait(options.timeout, Duration::from_secs(10), "--timeout")?,
            grace: wait(options.grace, Duration::from_secs(5), "--grace")?,
        })
    }
}
