//! The program's options and subcommands.

mod examples;
mod network;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::{Subcommand, ValueEnum};
use common::{
    config::{Period, in_range},
    endpoint::Endpoint,
    exit::Failure,
    message::Carrier,
    process::{
        faults::{Chance, Delay, FaultArgs, Faults},
        ids::Names,
        reliable_link::ChannelOrder,
        report::Show,
        workload::Workload,
    },
    size::Size,
    sys::Feature,
    text::visible,
};
use serde::Deserialize;

use crate::{
    algorithms::Algorithm,
    bug::Bug,
    compare::{counts::Counts, topic::Topic},
    harness::workload::Subject,
    trace_flags::{Axis, FieldNames, Lanes, Range, TraceFiles},
};

/// Lamport's logical clocks, and algorithms on them: mutual exclusion, totally and causally ordered multicasting
#[derive(Debug, clap::Parser)]
#[command(name = "lamport", after_help = examples::PROGRAM)]
pub struct Cli {
    /// Flags.
    #[command(flatten)]
    pub options: Options,
    /// The subcommand; without one the handout's two clocks.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The subcommands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Simulate processes and their network; the same seed gives the same run
    #[command(after_help = examples::SIMULATE)]
    Simulate {
        /// The algorithm of the processes
        #[arg(hide_possible_values = true)]
        algorithm: Algorithm,
    },
    /// Run real processes on this machine and verify what they did
    #[command(after_help = examples::RUN)]
    Run {
        /// The algorithm of the processes; with --node the workload of the nodes
        #[arg(hide_possible_values = true)]
        algorithm: Subject,
    },
    /// Model checker: explore every interleaving and print a shortest counterexample
    #[command(after_help = examples::CHECK)]
    Check {
        /// The algorithm of the processes
        #[arg(hide_possible_values = true)]
        algorithm: Algorithm,
    },
    /// Step through the states of the model by hand, in a browser (stateright's explorer)
    #[command(after_help = examples::EXPLORE)]
    Explore {
        /// The algorithm of the processes
        #[arg(hide_possible_values = true)]
        algorithm: Algorithm,
    },
    /// Compare the messages that the algorithms of a kind need, as measured and as published
    #[command(after_help = examples::COMPARE)]
    Compare {
        /// What is compared: mutex, the messages of an entry to the critical section; election, those of an election
        #[arg(hide_possible_values = true)]
        topic: Topic,
    },
    /// Merge event logs into one space-time diagram, ordered by happened-before; verify and draw it
    #[command(after_help = examples::TRACE)]
    Trace(TraceFiles),
    /// Run one process by hand: the commands typed are its events
    #[command(after_help = examples::NODE)]
    Node {
        /// The algorithm of the processes
        #[arg(hide_possible_values = true)]
        algorithm: Algorithm,
        /// A process of `run`, which sends its peers and commands: the rate of its operations, and their number
        #[arg(long, hide = true, value_name = "RATE[,COUNT]", value_parser = managed)]
        managed: Option<Workload>,
        /// Speak Maelstrom's protocol on standard input and output, as a node of run --node
        #[arg(long, conflicts_with = "managed")]
        stdio: bool,
    },
}

/// The workload of a process of `run`: `RATE` or `RATE,COUNT`.
fn managed(text: &str) -> Result<Workload, String> {
    let (rate, count) = text
        .split_once(',')
        .unwrap_or((text, "18446744073709551615"));
    match (rate.parse(), count.parse()) {
        (Ok(rate), Ok(count)) => Ok(Workload::new(rate, count)),
        _ => Err("not RATE[,COUNT]".to_owned()),
    }
}

common::options! {
    /// The program's options.
    pub struct Options of Cli = "lamport" {
        /// Verify the execution: exit code 0 or 1
        #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "BOOL")]
        check: bool => [trace],
        /// Number of processes
        #[arg(value_name = "N")]
        processes: Counts => [
            simulate = "3",
            run = "3",
            check = "3; of mutex with --liveness 2",
            explore = "3",
            compare = "3..33" as "N|FROM..TO": "Numbers of processes: one, or a range in which the other processes double",
        ],
        /// Run this command as each process: a node in any language [default: the algorithm's process]
        #[arg(value_name = "COMMAND")]
        node: String => [run],
        /// Operations per process: entries, elections, events
        #[arg(value_name = "N")]
        count: u64 => [
            simulate = "10",
            run = "until --for",
            check = "1; of events, berkeley, snapshots 2",
            explore = "1; of events, berkeley, snapshots 2",
        ],
        /// How long the processes begin operations
        #[arg(value_name = "DURATION")]
        r#for: Period => [
            simulate = "until --count",
            run = "5s",
            node = "no end": "How long this process runs, at most",
        ],
        /// Operations per process and second, on average
        #[arg(value_name = "N")]
        rate: f64 => [simulate = "100", run = "100; with --node 10"],
        /// How long nodes may make no progress in the end
        #[arg(value_name = "DURATION")]
        settle: Period => [run = "with --node 3s, of what converges 12s"],
        /// Injected bug, one of those below
        #[arg(hide_possible_values = true)]
        bug: Bug => [simulate, run, check, explore, node],
        /// With wireless: who reaches whom, p1-p2,p2-p3 [default: those beside, above and below in a grid]
        #[arg(value_name = "P-P,…")]
        links: String => [simulate, run, check, explore, node],
        /// With wireless: the capacity of each process, 4,6,3 [default: 4,6,3,2,1,2,4,8,5,4, repeated]
        #[arg(value_name = "N,…")]
        capacities: String => [simulate, run, check, explore, node],
        /// Random seed
        #[arg(value_name = "N")]
        seed: u64 => [simulate = "1", run = "the time", compare = "1", node = "the time"],
        /// Number of runs: with this random seed and those after it
        #[arg(value_name = "N")]
        seeds: u64 => [simulate = "1"],
        /// How many events to print: a number, or all
        #[arg(value_name = "N|all")]
        show: Show => [
            simulate = "30; of several seeds 0",
            run = "0",
            check = "all": "How many events of --replay to print: a number, or all",
            trace = "as many as fit on the terminal",
        ],
        /// Write the event log of each process into this folder
        #[arg(value_name = "FOLDER")]
        logs: PathBuf => [simulate, run, check: "Write each counterexample as an event log into this folder"],
        /// Replay the execution in this event log step by step
        #[arg(value_name = "FILE")]
        replay: PathBuf => [simulate, check],
        /// Draw these events only, by their numbers: 100..200, 100.., ..200 [default: all]
        #[arg(value_name = "FROM..UNTIL")]
        range: Range => [trace],
        /// List every finding, not only the first ones and their number
        #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "BOOL")]
        all_findings: bool => [trace],
        /// Layout of logs with clocks, with groups event, host, clock [default: ShiViz's, GoVector's]
        #[arg(value_name = "REGEX")]
        regex: String => [trace],
        /// Logs in lines of JSON: host=a.b,clock=c,event=d,time=e [default: by the names of fields]
        #[arg(value_name = "FIELDS")]
        fields: FieldNames => [trace],
        /// Separates two executions in such a log; a group named trace is their name [default: nothing]
        #[arg(value_name = "REGEX")]
        delimiter: String => [trace],
        /// Write an interactive page: one file that needs no network
        #[arg(value_name = "FILE", help_heading = "Pictures")]
        html: PathBuf => [trace],
        /// Write an SVG image
        #[arg(value_name = "FILE", help_heading = "Pictures")]
        svg: PathBuf => [trace],
        /// The horizontal axis of the SVG: logical or wall time
        #[arg(value_name = "AXIS", hide_possible_values = true, help_heading = "Pictures")]
        axis: Axis => [trace = "logical"],
        /// A lane of the SVG for each process or for each thread
        #[arg(value_name = "LANES", hide_possible_values = true, help_heading = "Pictures")]
        lanes: Lanes => [trace = "process"],
        /// Draw the latencies and the faults over time, as SVG
        #[arg(value_name = "FILE", help_heading = "Pictures")]
        plot: PathBuf => [
            simulate: "Draw the offsets and delays of clocks over time, as SVG",
            run: "Draw the offsets and delays of clocks, of other nodes latencies and faults, as SVG",
            compare: "Draw the messages against the number of processes, as SVG",
        ],
        /// Write a log for ShiViz
        #[arg(value_name = "FILE", help_heading = "Pictures")]
        shiviz: PathBuf => [trace],
        /// Write a sequence diagram for Mermaid
        #[arg(value_name = "FILE", help_heading = "Pictures")]
        mermaid: PathBuf => [trace],
        /// Write Chrome's trace event JSON for Perfetto
        #[arg(value_name = "FILE", help_heading = "Pictures")]
        perfetto: PathBuf => [trace],
        /// Write a graph for Graphviz
        #[arg(value_name = "FILE", help_heading = "Pictures")]
        dot: PathBuf => [trace],
        /// Listen on this address, :PORT on 127.0.0.1; port 0 takes a free one
        #[arg(value_name = "ADDR:PORT", help_heading = "Network")]
        listen: Endpoint => [explore = "127.0.0.1:3000", node = "127.0.0.1:0"],
        /// Write the real address into this file once it listens; removed at the end
        #[arg(value_name = "FILE", help_heading = "Network")]
        ready_file: PathBuf => [
            explore,
            node,
            run: "Write the processes' addresses into this file, a line each; removed at the end",
        ],
        /// Another process; may be repeated
        #[arg(value_name = "NAME=HOST:PORT", help_heading = "Network")]
        peer: Vec<String> => [node],
        /// The transport of frames: udp, one in a datagram, or tcp, one in a line
        #[arg(hide_possible_values = true, help_heading = "Network")]
        transport: Transport => [run = "udp", node = "udp"],
        /// Reliable channels: fifo, or unordered, each message once in any order
        #[arg(hide_possible_values = true, help_heading = "Network")]
        channels: ChannelOrder => [simulate = "fifo", run = "fifo", node = "fifo", check = "fifo", explore = "fifo"],
        /// The initial value of this process's clock
        #[arg(value_name = "TIME", help_heading = "Network")]
        clock: u64 => [node = "0"],
        /// Share of the frames that the network drops, such as 10% [default: 0%]
        #[arg(value_name = "SHARE", help_heading = "Faults")]
        loss: Chance => [simulate, run, node],
        /// Share of the frames that it duplicates [default: 0%]
        #[arg(value_name = "SHARE", help_heading = "Faults")]
        duplicate: Chance => [simulate, run, node],
        /// Share of the frames that it delivers out of order [default: 0%]
        #[arg(value_name = "SHARE", help_heading = "Faults")]
        reorder: Chance => [simulate, run, node],
        /// How long frames take: 5ms, 1ms..10ms, exp:5ms, normal:5ms,1ms
        #[arg(value_name = "DELAY", help_heading = "Faults")]
        delay: Delay => [simulate = "1ms..10ms", run = "no delay", node = "no delay"],
        /// Partition the network: p1/p2,p3@1s..2s, one way p1>*@1s; may be repeated
        #[arg(value_name = "A/B@FROM..UNTIL", help_heading = "Faults")]
        partition: Vec<String> => [simulate, run, node],
        /// Slow links: p1>*:20ms@1s..2s, both ways p1/p2:5ms; may be repeated
        #[arg(value_name = "A/B:DELAY@WHEN", help_heading = "Faults")]
        slow: Vec<String> => [simulate, run, node],
        /// Crash a process: p2@1s..2s, without an end for good; may be repeated
        #[arg(value_name = "P@WHEN", help_heading = "Faults")]
        crash: Vec<String> => [simulate, run: if Feature::Pause.is_there() {
            "Kill a process: p2@1s, or pause it: p2@1s..2s; may be repeated"
        } else {
            "Kill a process: p2@1s; may be repeated"
        }],
        /// Kill a node and start it again, without its state: n2@1s..2s; repeat it for several
        #[arg(value_name = "N@FROM..UNTIL", help_heading = "Faults")]
        restart: Vec<String> => [run: "With --node: kill a node and start it again: n2@1s..2s; may be repeated"],
        /// Failure detector: perfect, or heartbeats over the network
        #[arg(hide_possible_values = true, help_heading = "Faults")]
        detector: FailureDetector => [simulate = "perfect"],
        /// Read faults from a JSON file: {"loss": "10%", "crash": ["p2@1s"]}
        #[arg(value_name = "FILE", help_heading = "Faults")]
        faults: PathBuf => [simulate, run, node],
        /// How far clocks are ahead: p2=40ms, p3=-1m, of all 5ms; may be repeated
        #[arg(value_name = "P=TIME", allow_hyphen_values = true, help_heading = "Faults")]
        clock_offset: Vec<String> => [simulate, run, node: "How far its hardware clock is ahead, and its log: 40ms, -1m"],
        /// How much faster they are: p2=100ppm, of all -20ppm; may be repeated
        #[arg(value_name = "P=DRIFT", allow_hyphen_values = true, help_heading = "Faults")]
        clock_drift: Vec<String> => [simulate, run, node: "How much faster it is: 100ppm, -20ppm"],
        /// When one jumps, and by how much: p2@1s:+500ms; may be repeated
        #[arg(value_name = "P@WHEN:TIME", help_heading = "Faults")]
        clock_jump: Vec<String> => [simulate, run, node: "When it jumps, and by how much: @1s:-500ms; may be repeated"],
        /// Check the TLA+ module LamportMutex up to this time [default: the processes as they run]
        #[arg(value_name = "TIME", help_heading = "Model")]
        max_clock: u8 => [check, explore],
        /// How many messages the network may lose, each at any moment
        #[arg(value_name = "N", help_heading = "Model")]
        may_lose: u8 => [check = "0", explore = "0"],
        /// How many messages it may duplicate
        #[arg(value_name = "N", help_heading = "Model")]
        may_duplicate: u8 => [check = "0", explore = "0"],
        /// How many messages it may deliver out of order
        #[arg(value_name = "N", help_heading = "Model")]
        may_reorder: u8 => [check = "0", explore = "0"],
        /// How many processes may crash and stay crashed
        #[arg(value_name = "N", help_heading = "Model")]
        may_crash: u8 => [check = "0; of bully, ring 1", explore = "0; of bully, ring 1"],
        /// How many suspicions of their failure detectors may be wrong
        #[arg(value_name = "N", help_heading = "Model")]
        may_suspect: u8 => [check = "0", explore = "0"],
        /// Check liveness under weak fairness, in loops too
        #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "BOOL", help_heading = "Model")]
        liveness: bool => [check],
        /// The largest number of distinct states
        #[arg(value_name = "N", help_heading = "Model")]
        states: u64 => [check = "20000000", explore = "20000000"],
        /// The most memory for the states: 512MiB, 2GiB
        #[arg(value_name = "SIZE", help_heading = "Model")]
        memory: Size => [check = "half of what is free", explore = "half of what is free"],
        /// Whether states and steps that make no difference are left out
        #[arg(value_name = "on|off", hide_possible_values = true, help_heading = "Model")]
        reduction: Switch => [check = "on"],
        /// Number of threads
        #[arg(value_name = "N", help_heading = "Model")]
        workers: usize => [check = "one for each processor", explore = "one for each processor"],
    } writes { ready_file, html, svg, plot, shiviz, mermaid, perfetto, dot }
}

/// Whether something is done.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// It is done.
    #[default]
    On,
    /// It is not.
    Off,
}

/// The failure detector of simulated processes.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum FailureDetector {
    /// It knows the crashes.
    #[default]
    Perfect,
    /// As real processes have it.
    Heartbeats,
}

/// The transport of frames.
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

/// The most processes that are simulated, and that are run.
pub const MOST: (usize, usize) = (100, 50);

impl Cli {
    /// The algorithm of the processes.
    pub fn algorithm(&self) -> Option<Algorithm> {
        match self.command.as_ref()? {
            Command::Run {
                algorithm: Subject::Algorithm(algorithm),
            }
            | Command::Simulate { algorithm }
            | Command::Check { algorithm }
            | Command::Explore { algorithm }
            | Command::Node { algorithm, .. } => Some(*algorithm),
            Command::Trace(_) | Command::Compare { .. } | Command::Run { .. } => None,
        }
    }

    /// The number of processes, if it is given.
    ///
    /// # Errors
    /// When it is a range (exit code 2).
    pub fn given_processes(&self) -> Result<Option<usize>, Failure> {
        let one = |counts: Counts| {
            let why = "a range, which only compare takes";
            let failure = || Failure::could_not_run(format!("--processes {counts}"), why);
            counts.one().ok_or_else(failure)
        };
        self.options.processes.map(one).transpose()
    }

    /// The number of processes, at most `most`.
    ///
    /// # Errors
    /// When `--processes` is out of range (exit code 2).
    pub fn processes(&self, most: usize) -> Result<usize, Failure> {
        in_range("--processes", self.given_processes()?.unwrap_or(3), 2, most)
    }

    /// The event log to replay.
    ///
    /// # Errors
    /// When a flag stands beside it that means nothing there (exit code 2).
    pub fn replay(&self) -> Result<Option<&Path>, Failure> {
        const DECIDED_BY_THE_LOG: [&str; 29] = [
            "--channels",
            "--seed",
            "--seeds",
            "--count",
            "--rate",
            "--for",
            "--logs",
            "--loss",
            "--duplicate",
            "--reorder",
            "--delay",
            "--partition",
            "--crash",
            "--slow",
            "--clock-offset",
            "--clock-drift",
            "--clock-jump",
            "--faults",
            "--may-lose",
            "--may-duplicate",
            "--may-reorder",
            "--may-crash",
            "--may-suspect",
            "--detector",
            "--liveness",
            "--states",
            "--memory",
            "--reduction",
            "--workers",
        ];
        if self.options.replay.is_some() {
            let why = "means nothing with --replay: the log has the whole schedule";
            self.options.given.refuse(&DECIDED_BY_THE_LOG, why)?;
        }
        Ok(self.options.replay.as_deref())
    }

    /// The address to listen on.
    ///
    /// # Errors
    /// What is wrong with `--listen` (exit code 2).
    pub fn listen(&self, default: SocketAddr) -> Result<SocketAddr, Failure> {
        let listen = self.options.listen.as_ref();
        listen.map_or(Ok(default), |listen| listen.listen("--listen", default))
    }

    /// What carries the messages of real processes.
    pub fn transport(&self) -> Transport {
        self.options.transport.unwrap_or_default()
    }

    /// In which order the channels deliver.
    pub fn order(&self) -> ChannelOrder {
        self.options.channels.unwrap_or_default()
    }

    /// The injected bug.
    ///
    /// # Errors
    /// When the algorithm cannot have it (exit code 2).
    pub fn bug(&self, algorithm: Algorithm) -> Result<Option<Bug>, Failure> {
        match self.options.bug {
            Some(bug) if !algorithm.bugs().contains(&bug) => {
                let possible: Vec<_> = algorithm.bugs().iter().map(|bug| bug.word()).collect();
                let why = format!(
                    "{} cannot have this bug; it can have {}",
                    algorithm.word(),
                    possible.join(", ")
                );
                Err(Failure::could_not_run(format!("--bug {}", bug.word()), why))
            }
            bug => Ok(bug),
        }
    }

    /// The operations of the processes; without `--count`, `count` of each.
    ///
    /// # Errors
    /// When `--rate` or `--count` is out of range (exit code 2).
    pub fn workload(&self, count: u64) -> Result<Workload, Failure> {
        let rate = in_range("--rate", self.options.rate.unwrap_or(100.0), 0.001, 1e6)?;
        let count = match self.options.count {
            Some(count) => in_range("--count", count, 1, 1_000_000)?,
            None => count,
        };
        Ok(Workload::new(rate, count))
    }

    /// The faults, from flags and a file.
    ///
    /// # Errors
    /// When the file cannot be read or is wrong (exit code 2).
    pub fn fault_args(&self) -> Result<FaultArgs, Failure> {
        let options = &self.options;
        let flags = FaultArgs {
            loss: options.loss,
            duplicate: options.duplicate,
            reorder: options.reorder,
            delay: options.delay,
            partition: options.partition.clone().unwrap_or_default(),
            crash: options.crash.clone().unwrap_or_default(),
            restart: options.restart.clone().unwrap_or_default(),
            slow: options.slow.clone().unwrap_or_default(),
            clock_offset: options.clock_offset.clone().unwrap_or_default(),
            clock_drift: options.clock_drift.clone().unwrap_or_default(),
            clock_jump: options.clock_jump.clone().unwrap_or_default(),
        };
        let file = options.faults.as_deref().map(FaultArgs::read).transpose()?;
        let fault_args = flags.over(file.unwrap_or_default());
        match fault_args.restart.first() {
            Some(restart) if options.node.is_none() => {
                let what = format!("restart {}", visible(restart.as_bytes()));
                Err(Failure::could_not_run(
                    what,
                    "only of nodes: add --node COMMAND",
                ))
            }
            _ => Ok(fault_args),
        }
    }

    /// The faults of the network between these processes; without `--delay` frames take `delay`.
    ///
    /// # Errors
    /// As [`Self::fault_args`], and when a fault names an unknown process (exit code 2).
    pub fn faults(&self, names: &Names, delay: Delay) -> Result<Faults, Failure> {
        Faults::new(&self.fault_args()?, names, delay)
    }
}
