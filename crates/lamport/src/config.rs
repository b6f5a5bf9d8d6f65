//! What the program can be told and asked.

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use clap::{Subcommand, ValueEnum};
use common::{
    config::{Period, in_range},
    exit::Failure,
    json,
    message::Carrier,
    text::visible,
};
use serde::{Deserialize, Deserializer};

use crate::{
    algorithms::{Algorithm, Bug},
    faults::{Chance, Delay, Faults, Wanted},
    process::Names,
    simulate,
    trace::asked::Asked,
    workload::Workload,
};

const EXAMPLES: &str = "\
Examples:
  lamport                                       the handout's two clocks and one message
  lamport simulate mutex --processes 3 --count 1
                                                three processes in simulated time, every event told
  lamport simulate total --loss 10% --duplicate 10% --reorder 10% --seeds 100
                                                a hundred runs over a bad network
  lamport simulate mutex --bug no-tie-break --seeds 1000
                                                a mistake, and the shortest run that shows it
  lamport run mutex --processes 5 --loss 10%    five real processes for 5 s
  lamport check mutex                           every interleaving of three processes
  lamport trace server.jsonl client.jsonl       the logs of any programs as one diagram
  lamport node events --name p1 --listen 127.0.0.1:4001 --peer p2=127.0.0.1:4002
                                                one process by hand; another terminal has p2";

/// Lamport's logical clocks, and the algorithms that stand on them
#[derive(Debug, clap::Parser)]
#[command(name = "lamport", after_help = EXAMPLES)]
pub struct Cli {
    /// Flags.
    #[command(flatten)]
    pub options: Options,
    /// What is to be done; without it the handout's two clocks.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What is to be done.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Simulate processes and their network: the seed decides everything
    #[command(
        after_help = "Examples:\n  lamport simulate mutex --processes 3 --count 2 --seed 7\n  lamport simulate causal --delay exp:20ms --partition 'p1/p2,p3@1s..2s' --for 3s\n  lamport simulate total --crash p2@100ms..2s --logs logs"
    )]
    Simulate {
        /// What the processes do
        algorithm: Algorithm,
    },
    /// Run real processes on this machine, and judge what they did
    #[command(
        after_help = "Examples:\n  lamport run mutex --processes 5 --loss 10% --duplicate 10% --reorder 10%\n  lamport run total --transport tcp --for 2s --logs logs\n  lamport run mutex --crash p2@2s --for 4s      kill -9 for p2 after 2 s"
    )]
    Run {
        /// What the processes do
        algorithm: Algorithm,
    },
    /// Try every interleaving of the processes' steps: does what they promise hold in all of them?
    #[command(
        after_help = "Examples:\n  lamport check mutex --processes 3 --count 1     the processes as they run\n  lamport check mutex --processes 3 --max-clock 6 the TLA+ module LamportMutex, whose counts are published\n  lamport check mutex --bug no-tie-break          a mistake, and the shortest path to what it breaks\n  lamport check mutex --may-overtake 1            what if the network does not keep messages in order?"
    )]
    Check {
        /// What the processes do
        algorithm: Algorithm,
    },
    /// Walk through the states by hand, in a browser (stateright's explorer)
    #[command(
        after_help = "Example:\n  lamport explore mutex --processes 2 --bug no-tie-break --listen 127.0.0.1:3000"
    )]
    Explore {
        /// What the processes do
        algorithm: Algorithm,
    },
    /// Merge the event logs of any programs into one space-time diagram; judge and draw it
    #[command(
        after_help = "Examples:\n  lamport trace server.jsonl client.jsonl         the newest events, in the terminal\n  lamport trace logs/ --check                     can this have happened? exit code 0 or 1\n  lamport trace logs/ --html run.html             a page to look around in\n  lamport trace server.jsonl --svg threads.svg --axis wall --lanes thread\n                                                  which thread served which client, when\n  lamport trace shiviz.log --check                a log with vector clocks, of any program"
    )]
    Trace(Box<Asked>),
    /// Be one process, told by hand what to do
    #[command(
        after_help = "Example, in three terminals:\n  lamport node mutex --name p1 --listen 127.0.0.1:4001 --peer p2=127.0.0.1:4002 --peer p3=127.0.0.1:4003\n  lamport node mutex --name p2 --listen 127.0.0.1:4002 --peer p1=127.0.0.1:4001 --peer p3=127.0.0.1:4003\n  lamport node mutex --name p3 --listen 127.0.0.1:4003 --peer p1=127.0.0.1:4001 --peer p2=127.0.0.1:4002\nThen type help."
    )]
    Node {
        /// What the processes do
        algorithm: Algorithm,
        /// Take peers and work from whoever started this process
        #[arg(long, hide = true)]
        managed: bool,
    },
}

common::options! {
    /// The program's options.
    pub struct Options of Cli = "lamport" {
        /// How many processes [default: 3]
        #[arg(value_name = "N")]
        processes: usize,
        /// What decides everything that chance does [default: 1; of run and node, the time]
        #[arg(value_name = "N")]
        seed: u64,
        /// Simulate so many runs, with this seed and those after it [default: 1]
        #[arg(value_name = "N")]
        seeds: u64,
        /// How many things each process begins: visits, multicasts, events [default: of simulate 10, of check 1]
        #[arg(value_name = "N")]
        count: u64,
        /// How long the processes begin things [default: of run 5s]
        #[arg(value_name = "DURATION")]
        r#for: Period,
        /// How many things each process begins in a second, on average [default: 100]
        #[arg(value_name = "N")]
        rate: f64,
        /// Put a classical mistake in
        bug: Bug,
        /// How many events to print, or all [default: 30; of run and of several seeds 0]
        #[arg(value_name = "N|all")]
        show: Show,
        /// Write the event log of each process, or of check's each path, into this folder
        #[arg(value_name = "FOLDER")]
        logs: PathBuf,
        /// Frames that are lost, such as 10%
        #[arg(value_name = "SHARE", help_heading = "Faults")]
        loss: Chance,
        /// Frames that come twice
        #[arg(value_name = "SHARE", help_heading = "Faults")]
        duplicate: Chance,
        /// Frames that others overtake
        #[arg(value_name = "SHARE", help_heading = "Faults")]
        reorder: Chance,
        /// How long frames take: 5ms, 1ms..10ms, exp:5ms, normal:5ms,1ms [default: of simulate 1ms..10ms]
        #[arg(value_name = "DELAY", help_heading = "Faults")]
        delay: Delay,
        /// Cut off: p1/p2,p3@1s..2s, in one direction p1>*@1s; several are possible
        #[arg(value_name = "A/B@FROM..UNTIL", help_heading = "Faults")]
        partition: Vec<String>,
        /// Stand still: p2@1s..2s; without an end the process never comes back
        #[arg(value_name = "P@FROM..UNTIL", help_heading = "Faults")]
        crash: Vec<String>,
        /// All of these from a JSON file: {"loss": "10%", "crash": ["p2@1s"]}; flags go before it
        #[arg(value_name = "FILE", help_heading = "Faults")]
        faults: PathBuf,
        /// What messages go over [default: udp]
        #[arg(help_heading = "Network")]
        transport: Transport,
        /// Where this process listens; port 0 takes a free one [default: 127.0.0.1:0; of explore 127.0.0.1:3000]
        #[arg(value_name = "ADDR:PORT", help_heading = "Network")]
        listen: SocketAddr,
        /// Another process; several are possible
        #[arg(value_name = "NAME=HOST:PORT", help_heading = "Network")]
        peer: Vec<String>,
        /// Check the TLA+ module LamportMutex up to this time, and not the processes as they run
        #[arg(value_name = "TIME", help_heading = "Check")]
        max_clock: u8,
        /// How many messages may be lost, at the most, each at any moment [default: 0]
        #[arg(value_name = "N", help_heading = "Check")]
        may_lose: u8,
        /// How many may come twice [default: 0]
        #[arg(value_name = "N", help_heading = "Check")]
        may_double: u8,
        /// How many may overtake others between the same two processes [default: 0]
        #[arg(value_name = "N", help_heading = "Check")]
        may_overtake: u8,
        /// How many processes may stop for good [default: 0]
        #[arg(value_name = "N", help_heading = "Check")]
        may_crash: u8,
        /// How many distinct states to look at, at the most [default: 3000000, with --max-clock 20000000]
        #[arg(value_name = "N", help_heading = "Check")]
        states: u64,
        /// How many threads look [default: one for each processor]
        #[arg(value_name = "N", help_heading = "Check")]
        workers: usize,
        /// Run again what is in this event log, step by step, in place of what chance would do
        #[arg(value_name = "FILE", help_heading = "Check")]
        replay: PathBuf,
        /// Where this process's clock starts [default: 0]
        #[arg(value_name = "TIME", help_heading = "Network")]
        clock: u64,
    }
}

/// What messages go over.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// A datagram for each frame.
    #[default]
    Udp,
    /// A line for each frame.
    Tcp,
}

impl Transport {
    /// The word for it.
    pub fn carrier(self) -> Carrier {
        match self {
            Self::Udp => Carrier::Udp,
            Self::Tcp => Carrier::Tcp,
        }
    }
}

/// How many events are printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Show(pub usize);

impl FromStr for Show {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self(usize::MAX));
        }
        let number = text.parse().map(Self);
        number.map_err(|_| format!("'{}' is no number, nor all", visible(text.as_bytes())))
    }
}

impl<'de> Deserialize<'de> for Show {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_text(deserializer)
    }
}

impl fmt::Display for Show {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            usize::MAX => f.write_str("all"),
            number => number.fmt(f),
        }
    }
}

/// The most processes that are simulated, and that are run.
pub const MOST: (usize, usize) = (100, 50);

impl Cli {
    /// What is run, or simulated.
    pub fn algorithm(&self) -> Option<Algorithm> {
        match self.command.as_ref()? {
            Command::Simulate { algorithm }
            | Command::Run { algorithm }
            | Command::Check { algorithm }
            | Command::Explore { algorithm }
            | Command::Node { algorithm, .. } => Some(*algorithm),
            Command::Trace(_) => None,
        }
    }

    /// How many processes there are, of at most so many.
    ///
    /// # Errors
    /// When `--processes` is out of range (exit code 2).
    pub fn processes(&self, most: usize) -> Result<usize, Failure> {
        in_range("--processes", self.options.processes.unwrap_or(3), 2, most)
    }

    /// Refuses what only a check understands: whoever simulates with `--may-lose 1` would believe that a message was lost.
    ///
    /// # Errors
    /// `--flag: of check` (exit code 2).
    pub fn nothing_of_check(&self) -> Result<(), Failure> {
        let options = &self.options;
        let why = "of check and explore alone, where everything that may happen is tried";
        none_given(
            &[
                ("--max-clock", options.max_clock.is_some()),
                ("--may-lose", options.may_lose.is_some()),
                ("--may-double", options.may_double.is_some()),
                ("--may-overtake", options.may_overtake.is_some()),
                ("--may-crash", options.may_crash.is_some()),
                ("--states", options.states.is_some()),
                ("--workers", options.workers.is_some()),
            ],
            why,
        )
    }

    /// The mistake that is put in.
    ///
    /// # Errors
    /// When the algorithm has no room for it (exit code 2).
    pub fn bug(&self, algorithm: Algorithm) -> Result<Option<Bug>, Failure> {
        match self.options.bug {
            Some(bug) if !algorithm.bugs().contains(&bug) => {
                let possible: Vec<_> = algorithm.bugs().iter().map(|bug| bug.word()).collect();
                let why = format!(
                    "{} has no such mistake; it has {}",
                    algorithm.word(),
                    possible.join(", ")
                );
                Err(Failure::could_not_run(format!("--bug {}", bug.word()), why))
            }
            bug => Ok(bug),
        }
    }

    /// What the applications want, where nothing is said at most so many things.
    ///
    /// # Errors
    /// When `--rate` or `--count` is out of range (exit code 2).
    pub fn workload(&self, count: u64) -> Result<Workload, Failure> {
        Ok(Workload {
            rate: in_range("--rate", self.options.rate.unwrap_or(100.0), 0.001, 1e6)?,
            count: match self.options.count {
                Some(count) => in_range("--count", count, 1, 1_000_000)?,
                None => count,
            },
        })
    }

    /// What is said of the faults, by flags and in a file.
    ///
    /// # Errors
    /// When the file cannot be read, or something is wrong in it (exit code 2).
    pub fn wanted(&self) -> Result<Wanted, Failure> {
        let options = &self.options;
        let flags = Wanted {
            loss: options.loss,
            duplicate: options.duplicate,
            reorder: options.reorder,
            delay: options.delay,
            partition: options.partition.clone().unwrap_or_default(),
            crash: options.crash.clone().unwrap_or_default(),
        };
        let file = options.faults.as_deref().map(Wanted::read).transpose()?;
        Ok(flags.over(file.unwrap_or_default()))
    }

    /// What the network does to frames between these processes; where nothing is said they take this long.
    ///
    /// # Errors
    /// As [`Self::wanted`], and when a fault is of nobody here (exit code 2).
    pub fn faults(&self, names: &Names, delay: Delay) -> Result<Faults, Failure> {
        Faults::new(&self.wanted()?, names, delay)
    }

    /// What is simulated, with these faults.
    ///
    /// # Errors
    /// When something is out of range (exit code 2).
    pub fn simulation(
        &self,
        algorithm: Algorithm,
        wanted: &Wanted,
    ) -> Result<simulate::Settings, Failure> {
        let processes = self.processes(MOST.0)?;
        let options = &self.options;
        let lasting = options.r#for.map(|period| period.as_wait("--for"));
        let ends = options.r#for.is_some() && options.count.is_none();
        let delay = Delay::Uniform(Duration::from_millis(1), Duration::from_millis(10));
        Ok(simulate::Settings {
            processes,
            seed: options.seed.unwrap_or(1),
            workload: self.workload(if ends { u64::MAX } else { 10 })?,
            lasting: lasting.transpose()?.unwrap_or(Duration::MAX),
            faults: Faults::new(wanted, &Names::numbered(processes), delay)?,
            bug: self.bug(algorithm)?,
        })
    }
}

/// Refuses the first flag that is given of those that the command has no use for.
///
/// # Errors
/// `--flag: why` (exit code 2).
pub(crate) fn none_given(flags: &[(&str, bool)], why: &str) -> Result<(), Failure> {
    match flags.iter().find(|(_, given)| *given) {
        Some((flag, _)) => Err(Failure::could_not_run(flag, why)),
        None => Ok(()),
    }
}
