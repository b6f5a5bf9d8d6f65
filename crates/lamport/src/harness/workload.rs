//! The workloads of nodes: what clients ask, and what holds of the answers. docs/reference/nodes.md describes them.

use std::{sync::LazyLock, time::Duration};

use clap::{ValueEnum, builder::PossibleValue};

use crate::algorithms::Algorithm;

/// Before the workload in the log of a node.
const LOG_WORD: &str = "nodes:";

/// In place of the workload in the log of a client, or of a service of which the workload knows nothing.
pub const OUTSIDE: &str = "nodes:outside";

/// A workload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NodeWorkload {
    /// A node replies with what it was sent (Maelstrom's).
    Echo,
    /// A node makes an id that is unique among all nodes (Maelstrom's).
    UniqueIds,
    /// A message sent to one node reaches all (Maelstrom's).
    Broadcast,
    /// A set that grows (Maelstrom's).
    GSet,
    /// A counter that grows (Maelstrom's).
    GCounter,
    /// A counter that grows and shrinks (Maelstrom's).
    PnCounter,
    /// A linearizable key-value store (Maelstrom's).
    LinKv,
    /// Logical clocks.
    Clocks,
    /// Mutual exclusion.
    Mutex,
    /// Totally ordered multicast.
    Total,
    /// Causally ordered multicast.
    Causal,
    /// Election of a leader.
    Election,
    /// Election of a leader in a network in which each node reaches its neighbours only.
    Wireless,
    /// Distributed commit.
    Commit,
    /// Distributed snapshots of a bank.
    Snapshot,
    /// Clock synchronization with a time server.
    Time,
    /// Clock synchronization in which no clock is right.
    Berkeley,
}

impl NodeWorkload {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Echo,
        Self::UniqueIds,
        Self::Broadcast,
        Self::GSet,
        Self::GCounter,
        Self::PnCounter,
        Self::LinKv,
        Self::Clocks,
        Self::Mutex,
        Self::Total,
        Self::Causal,
        Self::Election,
        Self::Wireless,
        Self::Commit,
        Self::Snapshot,
        Self::Time,
        Self::Berkeley,
    ];

    /// Its name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::UniqueIds => "unique-ids",
            Self::Broadcast => "broadcast",
            Self::GSet => "g-set",
            Self::GCounter => "g-counter",
            Self::PnCounter => "pn-counter",
            Self::LinKv => "lin-kv",
            Self::Clocks => "clocks",
            Self::Mutex => "mutex",
            Self::Total => "total",
            Self::Causal => "causal",
            Self::Election => "election",
            Self::Wireless => "wireless",
            Self::Commit => "commit",
            Self::Snapshot => "snapshot",
            Self::Time => "time",
            Self::Berkeley => "berkeley",
        }
    }

    /// The workload with this name.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|workload| workload.word() == word)
    }

    /// The word for it in the log of a node, which differs from that of a process of this program: the network between nodes
    /// loses and duplicates what it carries.
    pub fn log_word(self) -> String {
        format!("{LOG_WORD}{}", self.word())
    }

    /// The workload of a node's log.
    pub fn logged(word: &str) -> Option<Self> {
        Self::named(word.strip_prefix(LOG_WORD)?)
    }

    /// The workload under which nodes of this algorithm run.
    pub fn of(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Events => Self::Clocks,
            Algorithm::Mutex
            | Algorithm::RicartAgrawala
            | Algorithm::Central
            | Algorithm::TokenRing
            | Algorithm::Maekawa => Self::Mutex,
            Algorithm::Total => Self::Total,
            Algorithm::Causal => Self::Causal,
            Algorithm::Bully | Algorithm::Ring => Self::Election,
            Algorithm::TwoPhase | Algorithm::ThreePhase => Self::Commit,
            Algorithm::Wireless => Self::Wireless,
            Algorithm::Cristian | Algorithm::Ntp => Self::Time,
            Algorithm::Berkeley => Self::Berkeley,
            Algorithm::Snapshot | Algorithm::VectorSnapshot => Self::Snapshot,
        }
    }

    /// How long its nodes may make no progress in the end: those that converge may gossip every few seconds.
    pub fn settle(self) -> Duration {
        match self {
            Self::Broadcast | Self::GSet | Self::GCounter | Self::PnCounter => {
                Duration::from_secs(12)
            }
            _ => Duration::from_secs(3),
        }
    }

    /// The fewest nodes that it is about.
    pub fn fewest_nodes(self) -> usize {
        match self {
            Self::Echo
            | Self::UniqueIds
            | Self::Broadcast
            | Self::GSet
            | Self::GCounter
            | Self::PnCounter
            | Self::LinKv => 1,
            _ => 2,
        }
    }

    /// Whether its nodes keep a state that must not be lost, so that none is started again.
    pub fn needs_state(self) -> bool {
        matches!(
            self,
            Self::Election
                | Self::Wireless
                | Self::Commit
                | Self::Snapshot
                | Self::Time
                | Self::Berkeley
        )
    }

    /// The algorithm by whose properties a run is checked, where it is one.
    pub fn algorithm(self) -> Option<Algorithm> {
        match self {
            Self::Clocks => Some(Algorithm::Events),
            // The order of requests is that algorithm's own: nodes of any algorithm run.
            Self::Mutex => Some(Algorithm::Central),
            Self::Total => Some(Algorithm::Total),
            Self::Causal => Some(Algorithm::Causal),
            Self::Election => Some(Algorithm::Bully),
            Self::Wireless => Some(Algorithm::Wireless),
            Self::Commit => Some(Algorithm::TwoPhase),
            Self::Snapshot => Some(Algorithm::Snapshot),
            Self::Time => Some(Algorithm::Cristian),
            Self::Berkeley => Some(Algorithm::Berkeley),
            _ => None,
        }
    }
}

/// What `run` runs: an algorithm of this program, or a workload of nodes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Subject {
    /// An algorithm; with `--node` the workload of its nodes.
    Algorithm(Algorithm),
    /// A workload of nodes, which needs `--node`.
    Workload(NodeWorkload),
}

impl Subject {
    /// The workload with `--node`.
    pub fn workload(self) -> NodeWorkload {
        match self {
            Self::Algorithm(algorithm) => NodeWorkload::of(algorithm),
            Self::Workload(workload) => workload,
        }
    }

    /// Its name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Algorithm(algorithm) => algorithm.word(),
            Self::Workload(workload) => workload.word(),
        }
    }
}

impl ValueEnum for Subject {
    fn value_variants<'a>() -> &'a [Self] {
        // A workload with the name of an algorithm is that of its nodes.
        static ALL: LazyLock<Vec<Subject>> = LazyLock::new(|| {
            let algorithms = Algorithm::value_variants().iter();
            let is_algorithm = |workload: &NodeWorkload| {
                let mut all = algorithms.clone();
                all.any(|algorithm| algorithm.word() == workload.word())
            };
            let workloads = NodeWorkload::ALL.into_iter();
            let workloads = workloads.filter(|workload| !is_algorithm(workload));
            let algorithms = algorithms.clone().copied().map(Subject::Algorithm);
            algorithms.chain(workloads.map(Subject::Workload)).collect()
        });
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}
